"""Real MinIO: the server built from its source, its start, and what the platform needs in it."""
