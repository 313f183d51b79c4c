"""The names that objects get: content-addressed, so that no two contents ever share one."""

import hashlib
import re
from datetime import datetime

MAX_KEY_BYTES = 1024  # the limit of S3
MAX_NAME_BYTES = 255  # what stores allow behind the last slash, where they keep objects in a file system or like one
_EXTENSION = re.compile(r"(?:\.csv)?\.(?:gz|zst)\Z|\.[A-Za-z0-9]{1,10}\Z", re.IGNORECASE)
_PAGE = ".reasons.json"


def archive_key(key: str, sha256: str, dataset: str, arrived_at: datetime) -> str:
    """Name a loaded snapshot: `<dataset>/YYYY/MM/DD/<key with the SHA-256 before its extension>`."""
    return _addressed(f"{dataset}/{arrived_at:%Y/%m/%d}/", key, sha256)


def quarantine_key(key: str, sha256: str) -> str:
    """Name an invalid snapshot: `files/<key with the SHA-256 before its extension>`."""
    return _addressed("files/", key, sha256)


def reasons_key(quarantined: str) -> str:
    """Name the page of reasons beside a quarantined snapshot."""
    return f"{quarantined}{_PAGE}"


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
    kept = stem.encode()
    room = MAX_KEY_BYTES - len((prefix + tail + _PAGE).encode())
    name_room = MAX_NAME_BYTES - len((tail + _PAGE).encode())
    if len(kept) > room or len(kept) - kept.rfind(b"/") - 1 > name_room:
        mark = "~" + hashlib.sha256(key.encode()).hexdigest()
        kept = kept[: room - len(mark)]
        kept = kept[: kept.rfind(b"/") + 1 + name_room - len(mark)]
        stem = kept.decode(errors="ignore") + mark
    return prefix + stem + tail
