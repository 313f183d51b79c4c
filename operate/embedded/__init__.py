"""The platform without Docker: real servers from Python wheels, under one supervisor."""
