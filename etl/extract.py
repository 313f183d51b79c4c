"""Extract: release the batches that died, and claim the files of the next one."""

import logging

from minidata import ledger
from minidata.dataset import sound_dataset
from minidata.errors import PermanentError
from minidata.settings import load_settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import connect
from minidata.warehouse.declared import is_applied

log = logging.getLogger(__name__)
_LATE = "No heartbeat came before the lease ran out."


def extract(dataset: str, run: str) -> int | None:
    """Release the batches whose lease has run out, then claim the due files of a dataset.

    Args:
        dataset: its name.
        run: a unique name for this work, such as the run's id.

    Returns:
        The id of the batch, for the other steps; None if nothing is due, or the declaration is not applied yet.

    Raises:
        PlatformError: if a bucket or the warehouse is away; nothing is claimed, so no file loses an attempt.
    """
    settings = load_settings()
    store = ObjectStore(settings)
    for bucket in (settings.raw_bucket, settings.staging_bucket, settings.archive_bucket, settings.quarantine_bucket):
        store.check(bucket)
    with connect(settings, "loader", idle_seconds=settings.lease_seconds) as connection:
        with connection.transaction():
            for late in ledger.late_batches(connection):
                ledger.release(connection, late, _LATE, settings)
        try:
            declared = sound_dataset(settings.datasets_folder, dataset)
        except PermanentError as error:
            log.warning("The declaration of %s is wrong; until it is right, files wait. %s", dataset, error)
            return None
        if not is_applied(connection, declared):
            log.warning(
                "The declaration of %s has changed. Run `./mdp up` to apply it; until then files wait.", dataset
            )
            return None
        batch = ledger.claim(connection, dataset, run, settings)
        if batch is None:
            return None
        for file in ledger.batch_files(connection, batch.batch_id):
            log.info("batch %d: %s (%s), %d bytes, %s", batch.batch_id, file.key, file.version, file.size, file.state)
        return batch.batch_id
