"""Operating the platform: the command and the embedded runtime."""
