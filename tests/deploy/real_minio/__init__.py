"""Against a real MinIO, built on the first run: `pytest tests/deploy/real_minio/check_minio.py`."""
