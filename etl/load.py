"""Load: merge the rollups of a batch into the tables, in one transaction with the ledger."""

from etl import BatchContext, Counts
from minidata import ledger
from minidata.errors import TransientError
from minidata.rollup import merge, stage
from minidata.staging import require_all
from minidata.warehouse.declared import is_applied


def load(batch: BatchContext) -> Counts:
    """Commit the rows of the batch, and in the ledger that its files are loaded, together or not at all.

    Raises:
        ClaimLostError: if the batch has ended; nothing is committed.
        TransientError: if transform has not run, staging has lost something, another batch loaded one of its contents
            meanwhile, or the declaration has changed.
    """
    connection, dataset = batch.connection, batch.dataset
    new = {file.file_id for file in ledger.new_files(connection, batch.batch_id, by_arrival=dataset.by_arrival)[0]}
    if not new:
        with ledger.locked_batch(connection, batch.batch_id):
            repeated = ledger.duplicates(connection, batch.batch_id, by_arrival=dataset.by_arrival)
            ledger.mark_loaded(connection, batch.batch_id, repeated)
        return {"files": 0, "duplicates": len(repeated)}
    transformed = ledger.step_counts(connection, batch.batch_id, "transform")
    if not transformed:
        raise TransientError("The step transform of this batch has not run. The files are read again.")
    with connection.transaction():
        loads = [stage(connection, dataset, name, batch.staging.partials(name)) for name in dataset.merged]
        for staged in loads:
            require_all(f"rows of {staged.name}", staged.rows, transformed[staged.name])
        # One load of a dataset at a time from here to the commit; the COPY above needs no lock.
        ledger.lock_dataset(connection, dataset.name)
        if not is_applied(connection, dataset):
            raise TransientError(f"The declaration of {dataset.name} has changed. The files are tried again.")
        repeated = ledger.duplicates(connection, batch.batch_id, by_arrival=dataset.by_arrival)
        if new & repeated.keys():
            raise TransientError("Another batch has just loaded a content of this one. The files are tried again.")
        counts = merge(connection, dataset, loads)
        ledger.assert_claim(connection, batch.batch_id)
        ledger.mark_loaded(connection, batch.batch_id, repeated)
    return {"files": len(new), "duplicates": len(repeated)} | counts
