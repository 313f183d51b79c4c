"""Load: merge the rollups of a batch into the tables, in one transaction with the ledger."""

from etl.step import Counts, Work, require_all
from etl.transform import new_files, partials
from minidata import ledger
from minidata.errors import TransientError
from minidata.rollup import merge_rollups, merge_summaries, stage_rollup


def load(work: Work) -> Counts:
    """Commit the rows of the batch and the word that its files are loaded, together or not at all.

    Raises:
        ClaimLostError: if the batch has ended; nothing is committed.
        TransientError: if staging has lost something, or another batch loaded one of its contents meanwhile.
    """
    connection, dataset = work.connection, work.dataset
    before = {file.file_id for file in new_files(work)[0]}
    if not before:
        return _load_nothing(work)
    made = ledger.step_counts(connection, work.batch.batch_id, "transform")
    with connection.transaction():
        loads = [stage_rollup(connection, dataset, name, partials(work, name)) for name in dataset.rollups]
        for staged in loads:
            require_all(f"rows of {staged.name}", staged.rows, made[staged.name])
        # One load of a dataset at a time from here to the commit; the COPY above needs no lock.
        connection.execute("select pg_advisory_xact_lock(hashtextextended('mdp:' || %s, 0))", [dataset.name])
        repeated = ledger.duplicates(connection, work.batch.batch_id)
        if before & repeated.keys():
            raise TransientError("Another batch has just loaded a content of this one; it is tried again.")
        counts = merge_rollups(connection, loads) | merge_summaries(connection, dataset, loads)
        ledger.assert_claim(connection, work.batch.batch_id)
        ledger.mark_loaded(connection, work.batch.batch_id, repeated)
    return {"files": len(before), "duplicates": len(repeated)} | counts


def _load_nothing(work: Work) -> Counts:
    """Enter the duplicates of a batch that has no new content."""
    with ledger.locked_batch(work.connection, work.batch.batch_id):
        repeated = ledger.duplicates(work.connection, work.batch.batch_id)
        ledger.mark_loaded(work.connection, work.batch.batch_id, repeated)
    return {"files": 0, "duplicates": len(repeated)}
