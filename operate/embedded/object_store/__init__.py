"""The object store without Docker: SeaweedFS from its wheel with its relay, or MinIO built from its source."""
