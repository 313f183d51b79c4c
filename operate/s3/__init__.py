"""The set-up of an S3 server, embedded or in Docker: who may do what, its buckets, and MinIO's users and events."""
