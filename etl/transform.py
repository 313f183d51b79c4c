"""Transform: turn the good rows of a batch into rollups, in memory bounded by the slice."""

import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import polars as pl

from etl import BatchContext, Counts, Workplace
from minidata import ledger
from minidata.dataset import ARRIVED_AT, FILE, HIDDEN
from minidata.engine import Spark, choose_engine
from minidata.ledger import BatchFile
from minidata.rollup import RollupBuilder, regroup, together_of
from minidata.staging import read_frame, require_all

_READ = ""
"""Group of the numbers of rows that were read."""
_GROUP = f"{HIDDEN}group"


def transform(batch: BatchContext) -> Counts:
    """Build the rollups of the batch's new contents as Parquet in staging.

    Raises:
        TransientError: if staging has lost good rows.
    """
    files, repeated = ledger.new_files(batch.connection, batch.batch_id, by_arrival=batch.dataset.by_arrival)
    engine = choose_engine(batch.settings, (file.size for file in files))
    rows = _on_cluster(batch, engine, files) if isinstance(engine, Spark) else _here(batch, files)
    require_all("good rows", rows[_READ], sum(file.rows_good or 0 for file in files))
    counts = {"files": len(files), "duplicates": len(repeated), "rows": rows.pop(_READ)}
    return counts | rows


def _here(batch: BatchContext, files: list[BatchFile]) -> Counts:
    """Build the rollups in this process; return the rows read, and those written by table."""
    partials = {name: batch.staging.partials(name) for name in batch.dataset.merged}
    limit = batch.settings.slice_rows
    read = 0
    with _builders(batch, lambda name, frame: partials[name].append(frame)) as builders:
        for rows in _together(_good_rows(batch, _of(batch, files), batch.staging.good_rows().keys()), limit):
            read += rows.height
            for builder in builders:
                builder.add(rows)
    return {_READ: read} | {name: parts.rows for name, parts in partials.items()}


@contextmanager
def _builders(place: Workplace, give: Callable[[str, pl.DataFrame], None]) -> Iterator[list[RollupBuilder]]:
    """Make a builder for each table, with a folder for the rows that do not fit into memory; at the end all finish."""
    with tempfile.TemporaryDirectory(prefix="mdp-transform-") as folder:
        builders = []
        for name in place.dataset.merged:
            own = Path(folder) / name
            own.mkdir()
            builders.append(RollupBuilder(place.dataset, name, place.settings.slice_rows, own, partial(give, name)))
        yield builders
        for builder in builders:
            builder.finish()


def _of(batch: BatchContext, files: list[BatchFile]) -> pl.DataFrame:
    """Return the ids of files, and when they arrived if a table depends on it."""
    ids = pl.DataFrame({FILE: [file.file_id for file in files]}, {FILE: pl.Int64()})
    arrived = pl.Series(ARRIVED_AT, [file.arrived_at.replace(tzinfo=None) for file in files], pl.Datetime("us"))
    return ids.with_columns(arrived) if batch.dataset.by_arrival else ids


def _good_rows(place: Workplace, files: pl.DataFrame, keys: Iterable[str]) -> Iterator[pl.DataFrame]:
    """Read the objects of good rows: an object may hold those of several files, also of files that are not new."""
    for key in keys:
        yield read_frame(place.store, place.settings.staging_bucket, key).join(files, on=FILE).drop(FILE)


def _together(frames: Iterable[pl.DataFrame], limit: int) -> Iterator[pl.DataFrame]:
    """Cut large frames, and put small ones together, so that each has at most so many rows."""
    held: list[pl.DataFrame] = []
    height = 0
    for frame in frames:
        for rows in frame.iter_slices(limit):
            if held and height + rows.height > limit:
                yield pl.concat(held)
                held, height = [], 0
            held.append(rows)
            height += rows.height
    if held:
        yield pl.concat(held)


def _on_cluster(batch: BatchContext, cluster: Spark, files: list[BatchFile]) -> Counts:
    """Build the rollups on executors: each part by itself, then those of the same keys; return as `_here`."""
    groups = -(-sum(file.rows_good or 0 for file in files) // batch.settings.slice_rows)
    counts = dict.fromkeys((_READ, *batch.dataset.merged), 0)
    spread, gather = partial(_spread, batch, groups, _of(batch, files)), partial(_gather, batch)
    parts = list(batch.staging.good_rows().keys())
    made = cluster.grouped(spread, gather, parts, groups * len(batch.dataset.merged))
    for name, rows in made:
        counts[name] += rows
    return counts


def _spread(place: Workplace, groups: int, files: pl.DataFrame, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Roll up some parts, and split what they give to each table by a hash of its keys."""
    limit = place.settings.slice_rows
    made: list[tuple[str, pl.DataFrame]] = []

    def keep(name: str, frame: pl.DataFrame) -> None:
        made.append((name, frame))

    with _builders(place, keep) as builders:
        for rows in _together(_good_rows(place, files, keys), limit):
            yield _READ, str(rows.height).encode()
            for builder in builders:
                builder.add(rows)
    for name, frame in made:
        number = frame.select(together_of(place.dataset, name)).hash_rows() % groups
        split = frame.with_columns(number.alias(_GROUP)).partition_by(_GROUP, include_key=False, as_dict=True)
        for (group,), piece in split.items():
            buffer = io.BytesIO()
            piece.write_ipc(buffer, compression="lz4")
            yield f"{name}/{group}", buffer.getvalue()


def _gather(place: Workplace, group: str, pieces: Sequence[bytes]) -> tuple[str, int]:
    """Merge what all executors give to some keys of a table, and stage it; return the table and its rows."""
    name, _, number = group.rpartition("/")
    if name == _READ:
        return _READ, sum(map(int, pieces))
    frames = [pl.read_ipc(io.BytesIO(piece)) for piece in pieces]
    merged = regroup(pl.concat(frames).lazy(), place.dataset.merged[name]).collect()
    place.staging.partials(name).put(int(number), merged)
    return name, merged.height
