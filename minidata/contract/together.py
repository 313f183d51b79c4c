"""Small files validated together: Polars takes some milliseconds for a frame of any size, so one frame holds them all.

Only files in which every row is certainly good are found here. Any doubt about a file, and it is left to `validate`,
whose verdict is the only one that says what is wrong.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

import numpy as np
import polars as pl

from minidata.contract.content import Kind, Stored, kind_of, refuse_blank
from minidata.contract.counting import header_of
from minidata.contract.header import Header
from minidata.contract.numbers import NumberFormat
from minidata.contract.records import TYPED
from minidata.contract.rows import Rows
from minidata.contract.slices import Slice
from minidata.contract.validate import cut_text
from minidata.contract.verdict import InvalidFileError, Limits, Verdict
from minidata.dataset import FILE, Dataset, TimestampColumn


@dataclass(frozen=True)
class SmallFile:
    """A file whose bytes are in memory.

    Attributes:
        file_id: tells it from the others.
        key: of the object; its ending tells the compression.
        data: the stored bytes.
        arrived_at: when the object arrived.
    """

    file_id: int
    key: str
    data: bytes
    arrived_at: datetime


@dataclass(frozen=True)
class _Candidate:
    """The records of a file that has the shape of a good one."""

    file: SmallFile
    stored: Stored
    header: Header
    records: Slice


class Sized(Protocol):
    """Something stored; `size` is in bytes."""

    @property
    def size(self) -> int: ...  # noqa: D102  the class says it


SizedT = TypeVar("SizedT", bound=Sized)


def grouped(files: Iterable[SizedT], most: int) -> Iterator[list[SizedT]]:
    """Put small files together, in all at most so many bytes; a large one is alone."""
    group: list[SizedT] = []
    size = 0
    for file in files:
        if group and size + file.size > most:
            yield group
            group, size = [], 0
        group.append(file)
        size += file.size
    if group:
        yield group


def certainly_good(
    files: Iterable[SmallFile], dataset: Dataset, limits: Limits
) -> tuple[dict[int, Verdict], pl.DataFrame | None]:
    """Find the files without a fault or rejected row.

    Args:
        files: in all about as many bytes as a slice.
        dataset: whose columns they must have.
        limits: of size; a file that is larger than a slice is in doubt.

    Returns:
        Their verdicts, by file id, and their rows as `validate` gives them, with the column `dataset.FILE`; None if
        there are none.
    """
    alike: dict[tuple[bytes, str], list[_Candidate]] = {}
    for file in files:
        kind = kind_of(file.key, dataset.formats)
        plain = kind is not None and kind.format not in (*TYPED, "zip") and not kind.compression
        if kind is None or not plain or len(file.data) > limits.max_file_bytes:  # who knows what comes out of others
            continue
        if found := _candidate(file, kind, dataset, limits):
            alike.setdefault((found.header.raw, kind.format), []).append(found)
    verdicts: dict[int, Verdict] = {}
    frames: list[pl.DataFrame] = []
    for candidates in alike.values():
        rows, doubted = _rows(candidates, dataset)
        frames.append(rows)
        for found in candidates:
            if found.file.file_id not in doubted:
                stored, good = found.stored, len(found.records.starts)
                verdict = Verdict(stored.size, stored.hash.hexdigest(), None, rows_good=good, drift=found.header.drift)
                verdicts[found.file.file_id] = verdict
    return verdicts, pl.concat(frames) if verdicts else None


def _candidate(file: SmallFile, kind: Kind, dataset: Dataset, limits: Limits) -> _Candidate | None:
    """Cut a file into records; None if it is not one slice of plain records, all as wide as the header."""
    stored = Stored([file.data])
    try:
        cut, _ = cut_text(refuse_blank(stored), kind, dataset, limits.slice_bytes)
        found = list(cut)
        if len(found) != 1 or found[0].rows or not found[0].starts.size:
            return None
        header, first = header_of(found[0], dataset.columns, dataset.dialect, limits.max_columns)
    except InvalidFileError:
        return None
    records = found[0].from_record(first)
    plain = records.starts.size and (records.widths == header.width).all() and not records.controls.any()
    return _Candidate(file, stored, header, records) if plain else None


def _rows(candidates: Sequence[_Candidate], dataset: Dataset) -> tuple[pl.DataFrame, set[int]]:
    """Return the rows of the files in which all are good, and the ids of the others."""
    records = Slice.joined([found.records for found in candidates])
    arrivals = {found.file.file_id: found.file.arrived_at.astimezone(UTC).replace(tzinfo=None) for found in candidates}
    dialect = dataset.dialect
    numbers = NumberFormat(dialect.decimal, dialect.thousands)
    header, latest = candidates[0].header, max(arrivals.values())
    rows = Rows(dataset.columns, header, latest, numbers, lines=dataset.by_arrival)
    ids = np.repeat(list(arrivals), [len(c.records.starts) for c in candidates])
    good, doubtful = rows.certain(records, pl.Series(FILE, ids, pl.Int64()))
    frame = pl.concat(good)
    arrived = pl.col(FILE).replace_strict(arrivals, return_dtype=pl.Datetime("us"))
    early = frame.filter(pl.any_horizontal(pl.lit(value=False), *_ahead(dataset, arrived)))  # for their own file
    doubted = {*np.unique(ids[doubtful]).tolist(), *early[FILE].unique()}
    return (frame.filter(~pl.col(FILE).is_in(list(doubted))) if doubted else frame), doubted


def _ahead(dataset: Dataset, arrived: pl.Expr) -> Iterator[pl.Expr]:
    for name, column in dataset.columns.items():
        if isinstance(column, TimestampColumn) and column.max_ahead_hours is not None:
            yield pl.col(name) > arrived + timedelta(hours=column.max_ahead_hours)
