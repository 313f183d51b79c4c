"""Move files: copy, check, then delete exactly the version that was read."""

import base64
from contextlib import suppress
from urllib.parse import quote

from etl.step import Work
from minidata.errors import ObjectGoneError, TransientError
from minidata.ledger import BatchFile

_LONGEST_METADATA = 1500  # bytes; S3 allows 2048 for all of an object's metadata together


def move_file(work: Work, file: BatchFile, bucket: str, key: str) -> None:
    """Bring one version from `raw` to its place; an upload that lands meanwhile is another version and stays.

    The copy is read back and its SHA-256 compared before anything is deleted. The name holds the content's hash: what
    is there already, from a try that was cut off or a repetition, is not written again and keeps its metadata.

    Raises:
        TransientError: if the copy is not what was read.
    """
    raw = work.settings.raw_bucket
    copied = _digest(work, bucket, key)
    if copied != file.sha256:
        # Gone from raw: another worker may have brought it there just now, which the second look tells.
        with suppress(ObjectGoneError):
            work.store.copy(file.object, raw, bucket, key, _metadata(file))
        copied = _digest(work, bucket, key)
    if copied is None:
        raise TransientError(f"{file.key} ({file.version}) is neither in {raw} nor in {bucket}/{key}.")
    if copied != file.sha256:
        raise TransientError(f"The copy of {file.key} in {bucket}/{key} differs from what was read from {raw}.")
    work.store.delete_version(raw, file.key, file.version)


def _digest(work: Work, bucket: str, key: str) -> str | None:
    """Read what has a name through and return its SHA-256; None if nothing has."""
    try:
        return work.store.sha256(bucket, key)
    except ObjectGoneError:
        return None


def _metadata(file: BatchFile) -> dict[str, str]:
    """Carry over what a new object would forget; headers are ASCII and short, keys need not be."""
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
