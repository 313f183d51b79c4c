"""The object store: any S3, spoken to through one small adapter, and the names that objects get in it."""

from minidata.store.client import ObjectStore, ObjectVersion, preload
from minidata.store.names import archive_key, quarantine_key, reasons_key, rejects_key, staging_prefix

__all__ = [
    "ObjectStore",
    "ObjectVersion",
    "archive_key",
    "preload",
    "quarantine_key",
    "reasons_key",
    "rejects_key",
    "staging_prefix",
]
