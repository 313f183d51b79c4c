"""Archive: bring loaded snapshots to the archive and invalid ones to quarantine, and end the batch."""

import json
import logging
from datetime import timedelta

from etl.move_files import move_file
from etl.step import Counts, Work
from minidata import ledger
from minidata.errors import PlatformError, TransientError
from minidata.ledger import BatchFile
from minidata.quarantine import reasons_page
from minidata.store import archive_key, quarantine_key, reasons_key, staging_prefix

log = logging.getLogger(__name__)


def archive(work: Work) -> Counts:
    """Move every file of the batch that has its final verdict.

    Raises:
        TransientError: if a move failed. What moved has moved; the rest is tried again, and never loaded again.
    """
    counts = {"archived": 0, "quarantined": 0, "postponed": 0}
    for file in ledger.due_moves(work.connection, work.batch.batch_id):
        loaded = file.state == "loaded"
        try:
            destination = _archive_file(work, file) if loaded else _quarantine_file(work, file)
        except PlatformError as error:
            counts["postponed"] += 1
            log.warning("%s stays in raw for now: %s", file.key, error)
            ledger.postpone_move(work.connection, file, str(error))
            continue
        ledger.mark_moved(work.connection, file, destination)
        counts["archived" if loaded else "quarantined"] += 1
        log.info("%s: %s", file.key, destination)
    ledger.end_batch(work.connection, work.batch.batch_id)
    _sweep_staging(work)
    if counts["postponed"]:
        raise TransientError(f"{counts['postponed']} files could not be moved yet; they are tried again by themselves.")
    return counts


def _archive_file(work: Work, file: BatchFile) -> str:
    key = archive_key(file.key, str(file.sha256), file.dataset, file.arrived_at)
    move_file(work, file, work.settings.archive_bucket, key)
    return key


def _quarantine_file(work: Work, file: BatchFile) -> str:
    """Write the reasons first: whoever finds the file finds them beside it."""
    key = quarantine_key(file.key, str(file.sha256))
    page = json.dumps(reasons_page(work.connection, file.file_id), indent=2, ensure_ascii=False)
    work.store.write(work.settings.quarantine_bucket, reasons_key(key), page.encode())
    move_file(work, file, work.settings.quarantine_bucket, key)
    return key


def _sweep_staging(work: Work) -> None:
    """Remove the Parquet of batches that ended long enough ago."""
    old = work.connection.execute(
        "select batch_id, token::text from mdp.batches where swept_at is null and ended_at < clock_timestamp() - %s "
        "order by batch_id limit 20",
        [timedelta(hours=work.settings.staging_retention_hours)],
    ).fetchall()
    for batch_id, token in old:
        work.store.delete_prefix(work.settings.staging_bucket, staging_prefix(token))
        work.connection.execute("update mdp.batches set swept_at = clock_timestamp() where batch_id = %s", [batch_id])
        work.connection.commit()
    work.connection.commit()
