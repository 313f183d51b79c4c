"""The names that objects get: content-addressed, so that no two contents ever share one."""

import hashlib
import re
from datetime import datetime

MAX_KEY_BYTES = 1024  # the limit of S3
_EXTENSION = re.compile(r"(?:\.csv)?\.(?:gz|zst)$|\.[A-Za-z0-9]{1,10}$", re.IGNORECASE)


def archive_key(key: str, sha256: str, dataset: str, arrived_at: datetime) -> str:
    """Name a loaded snapshot: `<dataset>/YYYY/MM/DD/<key with the SHA-256 before its extension>`."""
    return _addressed(f"{dataset}/{arrived_at:%Y/%m/%d}/", key, sha256)


def quarantine_key(key: str, sha256: str) -> str:
    """Name an invalid snapshot: `files/<key with the SHA-256 before its extension>`."""
    return _addressed("files/", key, sha256)


def reasons_key(quarantined: str) -> str:
    """Name the page of reasons beside a quarantined snapshot."""
    return f"{quarantined}.reasons.json"


def rejects_key(key: str, sha256: str, dataset: str, arrived_at: datetime) -> str:
    """Name the rejected rows of a good snapshot: `rejects/<dataset>/YYYY/MM/DD/….rejects.csv`."""
    return _addressed(f"rejects/{dataset}/{arrived_at:%Y/%m/%d}/", key, sha256) + ".rejects.csv"


def staging_prefix(token: str) -> str:
    """Name the folder of a batch in staging."""
    return f"{token}/"


def _addressed(prefix: str, key: str, sha256: str) -> str:
    """Put the content's hash before the extension, and shorten a key that would grow too long.

    A shortened key keeps its beginning and gets its own hash, so that two long keys stay apart; the full one
    stands in the object's metadata.
    """
    found = _EXTENSION.search(key)
    stem, extension = (key[: found.start()], found.group()) if found and found.start() else (key, "")
    tail = f".{sha256}{extension}"
    room = MAX_KEY_BYTES - len((prefix + tail).encode()) - len(".reasons.json")
    if len(stem.encode()) > room:
        mark = "~" + hashlib.sha256(key.encode()).hexdigest()
        stem = stem.encode()[: room - len(mark)].decode(errors="ignore") + mark
    return prefix + stem + tail
