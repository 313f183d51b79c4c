"""Sifts a slice: good rows into typed frames, the others into entries and lines of the rejects file."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from minidata.contract.cells import Judge, Value
from minidata.contract.header import Header
from minidata.contract.mask import Mask
from minidata.contract.rejects import reject_line
from minidata.contract.scan import Flags, Positions
from minidata.contract.slices import Slice
from minidata.contract.verdict import KEPT_RECORDS, RejectEntry
from minidata.dataset import Dataset, TimestampColumn

_MARK = b"\xef\xbb\xbf"
_LARGE_RECORD = 1 << 20  # bytes; a larger one goes straight to the judge, for Polars makes more copies of it


@dataclass(frozen=True)
class Sifted:
    """What is in a slice.

    Attributes:
        good: typed frames of the good rows.
        rejected: the number of the others.
        counts: entries by reason code.
        entries: by record, of the first rejected records.
        rejects: their lines in the rejects file.
    """

    good: list[pl.DataFrame]
    rejected: int
    counts: Counter[str]
    entries: list[list[RejectEntry]]
    rejects: bytes


class Sieve:
    """Sifts the slices of one file.

    Args:
        dataset: whose rules hold.
        header: of the file.
        arrived_at: when the file arrived; naive means UTC.
    """

    def __init__(self, dataset: Dataset, header: Header, arrived_at: datetime) -> None:
        latest = _latest(dataset, arrived_at)
        self._width = header.width
        self._positions = header.positions
        self._mask = Mask(dataset.columns, latest)
        self._judge = Judge(dataset.columns, header.positions, latest)

    def sift(self, slice_: Slice, records: Positions) -> Sifted:
        """Sift the records of a slice with these numbers, ascending."""
        suspects = np.zeros(len(slice_.cells), bool)
        suspects[records] = True
        kept = suspects & (slice_.cells == self._width) & ~slice_.controls
        kept &= slice_.stops - slice_.starts <= _LARGE_RECORD
        good, doubtful = self._parse(slice_, kept)
        suspects[np.delete(np.flatnonzero(kept), doubtful)] = False
        rows: list[list[Value]] = []
        counts: Counter[str] = Counter()
        entries: list[list[RejectEntry]] = []
        lines: list[bytes] = []
        for number in np.flatnonzero(suspects).tolist():
            record, line = slice_.record(number), int(slice_.lines[number])
            if slice_.cells[number] == self._width:
                values, found = self._judge.judge(record, line)
                if not found:
                    rows.append(values)
                    continue
            else:
                found = [RejectEntry(line, None, "wrong_cell_count", None)]
            counts.update(entry.code for entry in found)
            lines.append(reject_line(line, found, record))
            if len(entries) < KEPT_RECORDS:
                entries.append(found)
        if rows:
            good.append(pl.DataFrame(rows, self._mask.schema, orient="row"))
        return Sifted([frame for frame in good if len(frame)], len(lines), counts, entries, b"".join(lines))

    def _parse(self, slice_: Slice, kept: Flags) -> tuple[list[pl.DataFrame], Positions]:
        """Type what is good beyond doubt of the kept records; the others of them are doubtful, by number."""
        if not kept.any():
            return [], np.empty(0, np.int64)
        text = slice_.clean(kept)
        if text.startswith((_MARK, b"x")):
            # Polars takes one mark off, and would take `x^` and `x\1` at the very start for compressed data.
            text = _MARK + text
        frame = pl.read_csv(
            text,
            has_header=False,
            columns=list(self._positions.values()),
            schema={str(i): pl.String for i in range(self._width)},
            empty_string_is_null=False,
            infer_schema=False,
            glob=False,
        )
        frame = frame.select(pl.col(str(position)).alias(name) for name, position in self._positions.items())
        if slice_.literals.size:
            frame = frame.with_columns(pl.all().str.replace_all("\x01", '"', literal=True))
        if len(frame) != np.count_nonzero(kept):
            return [], np.arange(np.count_nonzero(kept))  # Polars cut it otherwise: the judge reads each record
        return self._mask.split(frame)


def _latest(dataset: Dataset, arrived_at: datetime) -> Mapping[str, datetime]:
    """Return the greatest instant that each timestamp column with a limit may hold; naive, in UTC."""
    arrived = arrived_at.astimezone(UTC).replace(tzinfo=None) if arrived_at.tzinfo else arrived_at
    return {
        name: arrived + timedelta(hours=column.max_ahead_hours)
        for name, column in dataset.columns.items()
        if isinstance(column, TimestampColumn) and column.max_ahead_hours is not None
    }
