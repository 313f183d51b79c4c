"""Move files: name the new place, copy and check; the step then deletes exactly the version that was read.

Names hold the SHA-256 of the content, so that two contents never share one.
"""

import base64
import hashlib
import re
from contextlib import suppress
from datetime import datetime
from urllib.parse import quote

from etl import BatchContext
from minidata.errors import ObjectGoneError, PermanentError, TransientError
from minidata.ledger import BatchFile, File
from minidata.settings import Settings
from minidata.spool import Spool
from minidata.store import ObjectStore
from minidata.text import TEXT_ENDINGS

MAX_KEY_BYTES = 1024  # the limit of S3
MAX_NAME_BYTES = 255  # the limit of stores that keep objects in a file system, after the last slash
_EXTENSION = re.compile(rf"(?:\.(?:{TEXT_ENDINGS}))?\.(?:gz|zst)\Z|\.[A-Za-z0-9]{{1,10}}\Z", re.IGNORECASE)
_PAGE = ".reasons.json"
_SENT_WHOLE = 8 * 2**20  # bytes
_LONGEST_METADATA = 1500  # bytes; S3 allows 2048 for all of an object's metadata together
_IN_MEMORY = 8 * 2**20  # bytes; a larger file waits on disk until its hash is checked


def copy_file(batch: BatchContext, file: BatchFile, bucket: str, key: str) -> None:
    """Copy one version from `raw` to its place, and check the copy; then this version may be deleted.

    A small file is put there with the SHA-256 that was computed when it was read: the store computes its own while it
    takes the bytes in, and refuses others. A larger one is copied inside the store and read back. The name holds the
    content's hash: an object that is there already, from an interrupted move or a duplicate, is read, is not written
    again and keeps its metadata.

    Raises:
        TransientError: if the copy is not what was read.
    """
    raw = batch.settings.raw_bucket
    if file.size <= _SENT_WHOLE:
        with suppress(ObjectGoneError):
            content = b"".join(batch.store.read(raw, file.key, file.version))
            if batch.store.put_checked(bucket, key, content, str(file.sha256), _metadata(file)):
                return
    copied = _digest(batch, bucket, key)
    if copied != file.sha256:
        # Gone from raw: another worker may have just moved it, which the second look shows.
        with suppress(ObjectGoneError):
            batch.store.copy(file.object, raw, bucket, key, _metadata(file))
        copied = _digest(batch, bucket, key)
    if copied is None:
        raise TransientError(f"{file.key} ({file.version}) is neither in {raw} nor in {bucket}/{key}.")
    if copied != file.sha256:
        raise TransientError(f"The copy of {file.key} in {bucket}/{key} differs from what was read from {raw}.")


def _digest(batch: BatchContext, bucket: str, key: str) -> str | None:
    """Return the SHA-256 of an object, or None if the key does not exist."""
    try:
        return batch.store.sha256(bucket, key)
    except ObjectGoneError:
        return None


def _metadata(file: BatchFile) -> dict[str, str]:
    """Return what a copy would lose; metadata is ASCII and short, keys need not be."""
    quoted = quote(file.key)
    key = (
        {"mdp-key": quoted}
        if len(quoted) <= _LONGEST_METADATA
        else {"mdp-key-base64": base64.b64encode(file.key.encode()).decode()}
    )
    return key | {
        "mdp-version": file.version,
        "mdp-arrived-at": file.arrived_at.isoformat(),
        "mdp-sha256": str(file.sha256),
    }


def put_back(store: ObjectStore, settings: Settings, file: File) -> str:
    """Copy a quarantined file back into `raw` under its key, as a new upload.

    The ledger will see a new version; the old one and its copy in quarantine stay unchanged.

    Args:
        store: with the pipeline's key.
        settings: names of the buckets.
        file: a file in the state `quarantined`.

    Returns:
        The id of the new version.

    Raises:
        ObjectGoneError: if quarantine no longer holds it.
        PermanentError: if the bytes there are not those that were validated.
    """
    place = str(file.archive_key)
    digest = hashlib.sha256()
    with Spool(_IN_MEMORY) as original:
        for chunk in store.read(settings.quarantine_bucket, place):
            digest.update(chunk)
            original.write(chunk)
        if digest.hexdigest() != file.sha256:
            raise PermanentError(
                f"{settings.quarantine_bucket}/{place} is not the file that was moved there: its content has changed. "
                "Upload the right file with `./mdp upload`."
            )
        original.seek(0)
        return store.write(settings.raw_bucket, file.key, original)


def archive_key(key: str, sha256: str, dataset: str, arrived_at: datetime) -> str:
    """Name a loaded snapshot: `<dataset>/YYYY/MM/DD/<key with the SHA-256 before its extension>`."""
    return _addressed(f"{dataset}/{arrived_at:%Y/%m/%d}/", key, sha256)


def quarantine_key(key: str, sha256: str) -> str:
    """Name an invalid snapshot: `files/<key with the SHA-256 before its extension>`."""
    return _addressed("files/", key, sha256)


def reasons_key(quarantined: str) -> str:
    """Name the page of reasons of a quarantined snapshot."""
    return f"{quarantined}{_PAGE}"


def rejects_key(key: str, sha256: str, dataset: str, arrived_at: datetime) -> str:
    """Name the rejected rows of a good snapshot: `rejects/<dataset>/YYYY/MM/DD/….rejects.csv`."""
    return _addressed(f"rejects/{dataset}/{arrived_at:%Y/%m/%d}/", key, sha256) + ".rejects.csv"


def _addressed(prefix: str, key: str, sha256: str) -> str:
    """Put the content's hash before the extension, and shorten a key that would grow too long.

    A shortened key keeps its beginning and gets its own hash, so that two long keys stay apart; the full key
    is in the object's metadata.
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
