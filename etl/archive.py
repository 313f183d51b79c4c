"""Archive: bring loaded snapshots to the archive and invalid ones to quarantine, and end the batch."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor

from etl.move_files import move_file
from etl.step import Counts, Work
from minidata import ledger
from minidata.errors import PlatformError, TransientError
from minidata.ledger import BatchFile
from minidata.store import archive_key, quarantine_key, reasons_key, staging_prefix

log = logging.getLogger(__name__)
_MOVES_AT_ONCE = 4


def archive(work: Work) -> Counts:
    """Move every file of the batch that has its final verdict.

    Raises:
        TransientError: if a move failed. What moved has moved; the rest is tried again, and never loaded again.
    """
    counts = {"archived": 0, "quarantined": 0, "postponed": 0}
    files = ledger.due_moves(work.connection, work.batch.batch_id)
    with ThreadPoolExecutor(_MOVES_AT_ONCE) as pool:
        for file, move in [(file, pool.submit(_move, work, file, _reasons(work, file))) for file in files]:
            try:
                destination = move.result()
            except PlatformError as error:
                counts["postponed"] += 1
                log.warning("%s stays in raw for now: %s", file.key, error)
                ledger.postpone_move(work.connection, file, str(error))
                continue
            ledger.mark_moved(work.connection, file, destination)
            counts["archived" if file.state == "loaded" else "quarantined"] += 1
            log.info("%s: %s", file.key, destination)
    ledger.end_batch(work.connection, work.batch.batch_id)
    _sweep_staging(work)
    if counts["postponed"]:
        raise TransientError(f"{counts['postponed']} files could not be moved yet; they are tried again by themselves.")
    return counts


def _move(work: Work, file: BatchFile, reasons: bytes) -> str:
    """Move one file, beside others; it leaves the connection, which is not shared, alone."""
    if file.state == "loaded":
        key = archive_key(file.key, str(file.sha256), file.dataset, file.arrived_at)
        move_file(work, file, work.settings.archive_bucket, key)
    else:
        key = quarantine_key(file.key, str(file.sha256))
        # Before the file comes: whoever finds it finds them beside it.
        work.store.write(work.settings.quarantine_bucket, reasons_key(key), reasons)
        move_file(work, file, work.settings.quarantine_bucket, key)
    return key


def _reasons(work: Work, file: BatchFile) -> bytes:
    """Return the page of reasons that is to lie beside an invalid file."""
    if file.state == "loaded":
        return b""
    return json.dumps(ledger.reasons_page(work.connection, file.file_id), indent=2, ensure_ascii=False).encode()


def _sweep_staging(work: Work) -> None:
    """Remove the Parquet of batches that ended long enough ago."""
    for batch in ledger.unswept_batches(work.connection, work.settings.staging_retention_hours):
        work.store.delete_prefix(work.settings.staging_bucket, staging_prefix(batch.token))
        ledger.mark_swept(work.connection, batch.batch_id)
