"""Archive: move loaded snapshots to the archive and invalid ones to quarantine, and end the batch."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from etl import BatchContext, Counts
from etl.move_files import archive_key, copy_file, quarantine_key, reasons_key
from minidata import ledger
from minidata.errors import PlatformError, TransientError
from minidata.ledger import BatchFile
from minidata.staging import Staging

log = logging.getLogger(__name__)
_MOVES_AT_ONCE = 8
_FILES_AT_ONCE = 100  # copied and checked, then deleted from raw and entered in the ledger together
_DELETED_AT_ONCE = 25  # by one request, several of which run side by side
_NOT_LOADED = "The run ended before this file was loaded: was one of its tasks marked as a success?"


def archive(batch: BatchContext) -> Counts:
    """Move every file of the batch that has its final verdict.

    Raises:
        TransientError: if a move failed. What moved has moved; the rest is tried again, and never loaded again.
    """
    counts = {"archived": 0, "quarantined": 0, "postponed": 0}
    files = ledger.due_moves(batch.connection, batch.batch_id)
    with ThreadPoolExecutor(_MOVES_AT_ONCE) as pool:
        for start in range(0, len(files), _FILES_AT_ONCE):
            _move(batch, files[start : start + _FILES_AT_ONCE], pool, counts)
    if any(file.state == "claimed" for file in ledger.batch_files(batch.connection, batch.batch_id)):
        ledger.release(batch.connection, batch.batch_id, _NOT_LOADED, batch.settings, blameless=True)
    ledger.end_batch(batch.connection, batch.batch_id)
    _sweep_staging(batch)
    if counts["postponed"]:
        raise TransientError(f"{counts['postponed']} files could not be moved yet. The move is tried again.")
    return counts


def _move(batch: BatchContext, files: list[BatchFile], pool: ThreadPoolExecutor, counts: Counts) -> None:
    """Move files, several at once; an upload that arrives meanwhile is another version and stays."""
    copied: dict[int, tuple[BatchFile, str]] = {}

    def postpone(file: BatchFile, error: PlatformError) -> None:
        counts["postponed"] += 1
        log.warning("%s stays in raw for now: %s", file.key, error)
        ledger.postpone_move(batch.connection, file, str(error))

    for file, copy in [(file, pool.submit(_copy, batch, file, _reasons(batch, file))) for file in files]:
        try:
            copied[file.file_id] = file, copy.result()
        except PlatformError as error:
            postpone(file, error)
    try:
        moved = [(file.key, file.version) for file, _ in copied.values()]
        delete = partial(batch.store.delete_versions, batch.settings.raw_bucket)
        list(pool.map(delete, (moved[at : at + _DELETED_AT_ONCE] for at in range(0, len(moved), _DELETED_AT_ONCE))))
    except PlatformError as error:
        for file, _ in copied.values():
            postpone(file, error)
        return
    ledger.mark_moved(batch.connection, {file_id: key for file_id, (_, key) in copied.items()})
    for file, key in copied.values():
        counts["archived" if file.state == "loaded" else "quarantined"] += 1
        log.info("%s: %s", file.key, key)


def _copy(batch: BatchContext, file: BatchFile, reasons: bytes) -> str:
    """Copy one file, in a thread of its own, so without the connection; return its new key."""
    if file.state == "loaded":
        key = archive_key(file.key, str(file.sha256), file.dataset, file.arrived_at)
        copy_file(batch, file, batch.settings.archive_bucket, key)
    else:
        key = quarantine_key(file.key, str(file.sha256))
        # First the reasons: a file in quarantine always has them.
        batch.store.write(batch.settings.quarantine_bucket, reasons_key(key), reasons)
        copy_file(batch, file, batch.settings.quarantine_bucket, key)
    return key


def _reasons(batch: BatchContext, file: BatchFile) -> bytes:
    """Return the page of reasons that goes with an invalid file."""
    if file.state == "loaded":
        return b""
    return json.dumps(ledger.reasons_page(batch.connection, file.file_id), indent=2, ensure_ascii=False).encode()


def _sweep_staging(batch: BatchContext) -> None:
    """Remove the Parquet of batches that ended long enough ago."""
    settings = batch.settings
    for old in ledger.unswept_batches(batch.connection, settings.staging_retention_hours):
        Staging(batch.store, settings.staging_bucket, old.token).clear()
        ledger.mark_swept(batch.connection, old.batch_id)
