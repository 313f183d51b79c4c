"""The rows of one file: good ones and rejects are handed on as they are found, and counted."""

import codecs
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from fractions import Fraction

import polars as pl

from minidata.contract.content import Kind
from minidata.contract.header import Header, given_header, read_header
from minidata.contract.numbers import NumberFormat
from minidata.contract.records import TYPED, for_typed_cells
from minidata.contract.rows import Rows
from minidata.contract.slices import Slice
from minidata.contract.verdict import InvalidFileError, Limits, Reason, RejectEntry, reason, with_hints
from minidata.dataset import Column, Dataset, Dialect

_TOTAL = re.compile(r"(grand |sub)?(total|sum|summe|gesamt|somme|suma|totale)\b", re.IGNORECASE)
_TOTAL_HINT = "The last line looks like a total: `dialect: {footer_lines: 1}` leaves it out."
_TOTAL_BYTES = 1000  # of such a line at most
_HANDED_ON = 1 << 20  # bytes of rejects handed on at once


class Counting:
    """Hands on the rows of a file's slices, and counts them.

    Once a limit of rejected rows is exceeded, the file is refused: nothing more is handed on, and further rows are only
    counted, which takes a hundredth of the time.
    """

    def __init__(
        self,
        dataset: Dataset,
        kind: Kind | None,
        arrived_at: datetime,
        limits: Limits,
        good: Callable[[pl.DataFrame], None],
        rejects: Callable[[bytes], object],
    ) -> None:
        self.header: Header | None = None
        self.rows_good = 0
        self.rows_rejected = 0
        self.counts: Counter[str] = Counter()
        self.entries: list[RejectEntry] = []
        self._dataset = dataset
        typed = kind is not None and kind.format in TYPED
        self._columns = for_typed_cells(dataset.columns) if typed else dataset.columns
        self._numbers = NumberFormat() if typed else NumberFormat(dataset.dialect.decimal, dataset.dialect.thousands)
        self._arrived_at = arrived_at
        self._limits = limits
        self._good = good
        self._rejects = rejects
        self._rows: Rows | None = None
        self._total = 0  # rows, checked or not
        self._checked_to: int | None = None  # the line of the last row that was checked, if some are not
        self._held = bytearray()  # rejects to be handed on
        self._rejects_bytes = 0
        self._last_cells: list[str] = []  # of the last record, if it is rejected
        encoding = dataset.dialect.encoding
        self._encode = None if dataset.dialect.is_utf8 else codecs.getincrementalencoder(encoding)().encode

    def add(self, slice_: Slice) -> None:
        """Take the next slice. The first record of the file is the header.

        Raises:
            InvalidFileError: `too_many_columns`, `duplicate_column` or `missing_column`.
        """
        if not slice_.starts.size:
            return
        first = 0
        if self.header is None or self._rows is None:
            dialect = self._dataset.dialect
            self.header, first = header_of(slice_, self._columns, dialect, self._limits.max_columns)
            by_arrival = self._dataset.by_arrival
            self._rows = Rows(self._columns, self.header, self._arrived_at, self._numbers, lines=by_arrival)
            self._held += b"\n" * dialect.skip_lines + (self.header.raw + b"\n" if dialect.header is True else b"")
        self._total += len(slice_.starts) - first
        if self._checked_to is not None:
            return
        before = self.rows_rejected
        frames = self._rows.split(slice_, first, self._reject)
        if len(slice_.starts) > first:
            rejected = self.rows_rejected > before and self._last_line == slice_.lines[-1]
            short = slice_.stops[-1] - slice_.starts[-1] < _TOTAL_BYTES
            self._last_cells = slice_.cells(len(slice_.starts) - 1) if rejected and short else []
        for frame in frames:
            self.rows_good += len(frame)
            self._good(frame)
        self._hand_on()

    def _reject(self, entries: list[RejectEntry], line: bytes) -> bool:
        """Take a rejected record; tell whether to go on."""
        if self.rows_rejected < self._limits.kept_records:
            self.entries += entries
        self.rows_rejected += 1
        self.counts.update(entry.code for entry in entries)
        self._last_line = entries[0].line
        self._rejects_bytes += len(line)
        self._held += line
        if len(self._held) > _HANDED_ON:
            self._hand_on()
        limits = self._limits
        if self.rows_rejected > limits.max_rejected_rows or self._rejects_bytes > limits.max_rejects_bytes:
            self._checked_to = self._last_line
        return self._checked_to is None

    def _hand_on(self) -> None:
        if self.rows_rejected:  # else it is the header, which waits for the first rejected row
            lines, self._held = bytes(self._held), bytearray()
            self._rejects(self._encode(lines.decode()) if self._encode else lines)

    def reason(self) -> Reason | None:
        """Return what makes the file invalid now that all of its rows are counted, if anything does."""
        share = self._limits.max_rejected_share
        if not self._total:
            return reason("no_rows", "The file has a header but no rows.")
        stopped = f" The rows after line {self._checked_to:,} were not checked." if self._checked_to else ""
        what = f"{self.rows_rejected:,} of {self._total:,} rows are rejected"
        if Fraction(self.rows_rejected, self._total) > Fraction(str(share)):
            what = f"{what}, and at most a share of {share} may be.{stopped}"
            why = reason("too_many_rejected_rows", what)
            return with_hints(why, [_TOTAL_HINT]) if _TOTAL.match(" ".join(self._last_cells).strip()) else why
        if stopped:
            return reason("rejects_over_limit", f"At least {what}, with {self._rejects_bytes:,} bytes.{stopped}")
        return None


def header_of(slice_: Slice, columns: Mapping[str, Column], dialect: Dialect, most: float) -> tuple[Header, int]:
    """Return the header of a file with so many columns at most, and the number of its first row, from its first slice.

    Raises:
        InvalidFileError: `too_many_columns`, `duplicate_column` or `missing_column`.
    """
    if dialect.header is not True:
        return given_header(dialect.header or list(columns), columns, slice_.marks), 0
    if (width := int(slice_.widths[0])) > most:
        what = f"The file has {width:,} columns, and the limit is {most:,}."
        raise InvalidFileError(reason("too_many_columns", what))
    return read_header(slice_.record(0), slice_.cells(0), columns), 1
