"""Transform: turn the good rows of a batch into rollups, in memory bounded by the slice."""

import io
from collections.abc import Callable, Iterator

import polars as pl

from etl.step import Counts, Work, require_all
from etl.validate import good_rows
from minidata import ledger
from minidata.ledger import BatchFile
from minidata.rollup import RollupBuilder
from minidata.store import staging_prefix


def transform(work: Work) -> Counts:
    """Build the rollups of the batch's new contents as Parquet in staging.

    Raises:
        TransientError: if staging has lost good rows.
    """
    counts = dict.fromkeys(("files", "duplicates", "rows"), 0) | dict.fromkeys(work.dataset.rollups, 0)
    builders = {
        name: RollupBuilder(rollup, work.settings.slice_rows, _spill(work, name, counts))
        for name, rollup in work.dataset.rollups.items()
    }
    files, repeated = new_files(work)
    counts["duplicates"] = len(repeated)
    counts["files"] = len(files)
    for rows in _slices(work, files):
        counts["rows"] += rows.height
        for builder in builders.values():
            builder.add(rows)
    require_all("good rows", counts["rows"], sum(file.rows_good or 0 for file in files))
    for builder in builders.values():
        builder.finish()
    return counts


def new_files(work: Work) -> tuple[list[BatchFile], dict[int, int]]:
    """Return the valid files whose content is not loaded yet, and the others as `ledger.duplicates` does."""
    repeated = ledger.duplicates(work.connection, work.batch.batch_id)
    files = ledger.batch_files(work.connection, work.batch.batch_id)
    return [f for f in files if f.state == "claimed" and f.validated and f.file_id not in repeated], repeated


def _slices(work: Work, files: list[BatchFile]) -> Iterator[pl.DataFrame]:
    """Read the good rows of the files: a large file in slices, small ones together until they make one."""
    held: list[pl.DataFrame] = []
    height = 0
    for file in files:
        for part in good_rows(work, file):
            for rows in part.iter_slices(work.settings.slice_rows):
                if held and height + rows.height > work.settings.slice_rows:
                    yield pl.concat(held)
                    held, height = [], 0
                held.append(rows)
                height += rows.height
    if held:
        yield pl.concat(held)


def _rollup_prefix(work: Work, name: str) -> str:
    return f"{staging_prefix(work.batch.token)}rollups/{name}/"


def _spill(work: Work, name: str, counts: Counts) -> Callable[[pl.DataFrame], None]:
    part = 0

    def write(partial: pl.DataFrame) -> None:
        nonlocal part
        buffer = io.BytesIO()
        partial.write_parquet(buffer, compression="lz4", statistics=False)
        key = f"{_rollup_prefix(work, name)}{part:06}.parquet"
        work.store.write(work.settings.staging_bucket, key, buffer.getvalue())
        counts[name] += partial.height
        part += 1

    return write


def partials(work: Work, name: str) -> Iterator[pl.DataFrame]:
    """Read the partials of a rollup back."""
    for key in work.store.keys(work.settings.staging_bucket, _rollup_prefix(work, name)):
        yield pl.read_parquet(io.BytesIO(b"".join(work.store.read(work.settings.staging_bucket, key))))
