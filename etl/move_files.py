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

    The copy is read back and its SHA-256 compared before anything is deleted. Done already, wholly or in part, is
    fine: the name holds the content's hash, so to copy once more changes nothing.

    Raises:
        TransientError: if the copy is not what was read.
    """
    raw = work.settings.raw_bucket
    # Gone already: an earlier try was cut off after its deletion, and the copy below is there.
    with suppress(ObjectGoneError):
        work.store.copy(file.object, raw, bucket, key, _metadata(file))
    try:
        copied = work.store.sha256(bucket, key)
    except ObjectGoneError as error:
        raise TransientError(f"{file.key} ({file.version}) is neither in {raw} nor in {bucket}/{key}.") from error
    if copied != file.sha256:
        raise TransientError(f"The copy of {file.key} in {bucket}/{key} differs from what was read from {raw}.")
    work.store.delete_version(raw, file.key, file.version)


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
