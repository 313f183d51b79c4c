"""Transform: turn the good rows of a batch into rollups, in memory bounded by the slice."""

from collections.abc import Iterator

import polars as pl

from etl import BatchContext, Counts
from minidata import ledger
from minidata.dataset import ARRIVED_AT
from minidata.ledger import BatchFile
from minidata.rollup import RollupBuilder
from minidata.staging import require_all


def transform(batch: BatchContext) -> Counts:
    """Build the rollups of the batch's new contents as Parquet in staging.

    Raises:
        TransientError: if staging has lost good rows.
    """
    files, repeated = ledger.new_files(batch.connection, batch.batch_id, by_arrival=batch.dataset.by_arrival)
    partials = {name: batch.staging.partials(name) for name in batch.dataset.merged}
    limit = batch.settings.slice_rows
    builders = [RollupBuilder(batch.dataset, name, limit, parts.append) for name, parts in partials.items()]
    height = 0
    for rows in _slices(batch, files):
        height += rows.height
        for builder in builders:
            builder.add(rows)
    require_all("good rows", height, sum(file.rows_good or 0 for file in files))
    for builder in builders:
        builder.finish()
    counts = {"files": len(files), "duplicates": len(repeated), "rows": height}
    return counts | {name: parts.rows for name, parts in partials.items()}


def _slices(batch: BatchContext, files: list[BatchFile]) -> Iterator[pl.DataFrame]:
    """Read the good rows of the files: a large file in slices, small ones together until they fill one."""
    limit = batch.settings.slice_rows
    held: list[pl.DataFrame] = []
    height = 0
    for file in files:
        arrived = [pl.lit(file.arrived_at.replace(tzinfo=None)).alias(ARRIVED_AT)] if batch.dataset.by_arrival else []
        for part in batch.staging.good_rows(file.file_id):
            for rows in part.with_columns(arrived).iter_slices(limit):
                if held and height + rows.height > limit:
                    yield pl.concat(held)
                    held, height = [], 0
                held.append(rows)
                height += rows.height
    if held:
        yield pl.concat(held)
