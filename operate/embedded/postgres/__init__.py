"""PostgreSQL without Docker: its home on this machine, its server, and its start."""
