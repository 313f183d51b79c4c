"""Cuts the text of a CSV into slices of whole records.

If every quote is where RFC 4180 puts it, an LF ends a record exactly if an even number of quotes precedes it (a doubled
quote closes and opens again at once), and numpy finds all records of a slice without a loop. Where a quote is
elsewhere, the standard library's `csv.reader` reads the slice: a quote inside an unquoted cell is literal.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from minidata.contract.content import line_ends, pieces
from minidata.contract.verdict import InvalidFileError, reason

Bytes = NDArray[np.uint8]
Positions = NDArray[np.int64]
Flags = NDArray[np.bool_]

MAX_RECORD_BYTES: Final = 32 << 20
"""A larger record is refused; without a limit, a quote that is never closed makes one record of the rest of a file."""

TAB, LF, CR, BLANK = b"\t\n\r "
_PIECE: Final = 1 << 18  # bytes; a slice ends with one of them
_LINE: Final = 16  # bytes that a line counts for at least, because each record takes memory of its own
_MARK: Final = 4  # bytes that a delimiter, a quote or a control character counts for in a long record, likewise

_ROWS_READ: Final = 20_000  # by `csv.reader` at once, because their cells take ten times the memory
_CELLS_READ: Final = 1 << 20  # likewise
_LONE_CR: Final = "a CR that is not part of a CRLF is outside quotes"

csv.field_size_limit(2**31 - 1)  # of a cell; the record has its own limit


@dataclass(frozen=True)
class Marks:
    """What separates the cells of a CSV and what quotes them, as one byte each; `quote` may be nothing."""

    delimiter: str = ","
    quote: str | None = '"'

    def read(self, lines: Iterable[str]) -> Any:
        """Return a `csv.reader`."""
        if self.quote is None:
            return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE, strict=True)
        return csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote, strict=True)


@dataclass(frozen=True)
class Slice:
    """Some whole records, one after the other. The arrays leave out empty lines.

    Attributes:
        data: the bytes, every record with its line end.
        lines: the physical line on which each record starts, from 1.
        starts: where each record starts in `data`.
        stops: where each record ends, before its line end.
        widths: the number of cells of each record.
        controls: whether each record holds a control character (C0 other than tab, LF, CR).
        rows: the cells of each record, if `csv.reader` read them.
        marks: the delimiter and the quote.
        bad: records that are no records of their format, if there are any; their line is their only cell.
    """

    data: bytes
    lines: Positions
    starts: Positions
    stops: Positions
    widths: Positions
    controls: Flags
    rows: list[list[str]] | None
    marks: Marks
    bad: Flags | None = None

    def record(self, number: int) -> bytes:
        """Return a record unchanged, without its line end."""
        return self.data[self.starts[number] : self.stops[number]]

    def cells(self, number: int) -> list[str]:
        """Return the cells of a record as the CSV means them: unquoted, untrimmed."""
        return self.rows[number] if self.rows else next(self.marks.read([self.record(number).decode()]))

    def plain(self, keep: Flags) -> bytes:
        """Return the records to keep as a CSV with LF after each, without empty lines."""
        spans = self.stops - self.starts + 1
        if keep.all() and spans.sum() == len(self.data):
            return self.data
        places = zip(self.starts[keep].tolist(), self.stops[keep].tolist(), strict=True)
        return b"".join([self.data[start:stop] + b"\n" for start, stop in places])

    def from_record(self, number: int) -> "Slice":
        """Leave out the records before this one."""
        if number >= len(self.starts):
            return self.without_last(len(self.starts))
        start, kept = int(self.starts[number]), slice(number, None)
        bad = None if self.bad is None else self.bad[kept]
        starts, stops = self.starts[kept] - start, self.stops[kept] - start
        arrays = (self.lines[kept], starts, stops, self.widths[kept], self.controls[kept])
        return Slice(self.data[start:], *arrays, self.rows and self.rows[kept], self.marks, bad)

    @staticmethod
    def joined(several: Sequence["Slice"]) -> "Slice":
        """Put the records of slices with the same marks, which `csv.reader` has not read, one after the other."""
        offsets = np.cumsum([0, *(len(one.data) for one in several[:-1])])
        return Slice(
            b"".join(one.data for one in several),
            np.concatenate([one.lines for one in several]),
            np.concatenate([one.starts + offset for one, offset in zip(several, offsets, strict=True)]),
            np.concatenate([one.stops + offset for one, offset in zip(several, offsets, strict=True)]),
            np.concatenate([one.widths for one in several]),
            np.concatenate([one.controls for one in several]),
            None,
            several[0].marks,
        )

    def without_last(self, count: int) -> "Slice":
        """Leave out so many records at the end, at most all."""
        kept = slice(max(len(self.starts) - count, 0))
        arrays = (self.lines[kept], self.starts[kept], self.stops[kept], self.widths[kept], self.controls[kept])
        bad = None if self.bad is None else self.bad[kept]
        return Slice(self.data, *arrays, self.rows and self.rows[kept], self.marks, bad)


def without_footer(slices: Iterable[Slice], records: int) -> Iterator[Slice]:
    """Pass slices on without the last records of the file."""
    held: list[Slice] = []
    for found in slices:
        held.append(found)
        while held and sum(len(later.starts) for later in held[1:]) >= records:
            yield held.pop(0)
    for place, found in enumerate(held):
        yield found.without_last(records - sum(len(later.starts) for later in held[place + 1 :]))


def slices(text: Iterable[bytes], slice_bytes: int, marks: Marks = Marks(), line: int = 1) -> Iterator[Slice]:
    """Cut a text, which starts on this line, into slices of about so many bytes.

    The last record of a slice may make it larger.

    Raises:
        InvalidFileError: `not_csv`, with the physical line.
    """
    pending: list[bytes] = []
    size, wanted = 0, slice_bytes
    cut = (pieces(chunk, max(min(_PIECE, slice_bytes // 8), 1)) for chunk in text)
    for piece in chain(chain.from_iterable(cut), [None]):
        if piece is not None:
            pending.append(piece)
            size += _weight(piece)
            if size < wanted:
                continue
        data = b"".join(pending)
        pending = []
        if piece is None:
            data = _ended(data, line)
        while found := _cut(data, line, marks):
            data = data[len(found.data) :]
            line += line_ends(found.data)
            yield found
        if piece is None and data:
            line += data.count(b"\n", 0, data.rfind((marks.quote or "").encode()))
            raise _not_csv(line, "the cell with the last quote of the file is never closed")
        pending, size = [data], max(_weight(data), _MARK * _count_marks(data, marks))
        if size >= max(MAX_RECORD_BYTES, slice_bytes):
            limit = (
                f"{MAX_RECORD_BYTES >> 20} MiB, {MAX_RECORD_BYTES // _LINE:,} lines or {MAX_RECORD_BYTES // _MARK:,}"
            )
            raise _not_csv(line, f"a record has more than {limit} delimiters and quotes; one is probably never closed")
        wanted = max(slice_bytes, min(2 * size, MAX_RECORD_BYTES))  # doubled: each look is at all of the record


def _weight(data: bytes) -> int:
    return max(len(data), _LINE * line_ends(data))


def _count_marks(data: bytes, marks: Marks) -> int:
    text = np.frombuffer(data, np.uint8)
    return int(
        sum(map(np.count_nonzero, (text < BLANK, *(text == ord(m) for m in (marks.delimiter, marks.quote) if m))))
    )


def _ended(data: bytes, line: int) -> bytes:
    """Return the last bytes of a file, with an LF at their end."""
    if data.endswith(b"\r"):
        raise _not_csv(line + data.count(b"\n"), "the file ends with a CR without its LF")
    return data if not data or data.endswith(b"\n") else data + b"\n"


def _cut(data: bytes, line: int, marks: Marks) -> Slice | None:
    """Return the whole records at the start of a text that starts on this line; None if no record ends in it."""
    if not data:
        return None
    text = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(text == ord(marks.quote)) if marks.quote else np.empty(0, np.int64)
    delimiter = ord(marks.delimiter)
    breaks = np.flatnonzero(text < BLANK)
    kinds = text[breaks]
    line_ends = breaks[kinds == LF]
    returns = breaks[kinds == CR]
    rows = None
    if _regular(text, delimiter, quotes, returns):
        quotes_before = np.searchsorted(quotes, line_ends)
        last_lines = np.flatnonzero(quotes_before % 2 == 0)  # the lines with which a record ends
    else:
        delimiters = np.flatnonzero(text == delimiter)
        most = int(delimiters[_CELLS_READ]) if len(delimiters) > _CELLS_READ else len(data)
        rows, last_lines = _read(data[: data.rfind(b"\n", 0, most) + 1], line, marks)
        if most < len(data) and not rows:
            raise _not_csv(line, f"misplaced quotes, in a record of more than {_CELLS_READ:,} delimiters")
    if not last_lines.size:
        return None
    ends = line_ends[last_lines]
    starts = np.concatenate(([0], ends[:-1] + 1))
    stops = ends - ((text[ends - 1] == CR) & (ends > starts))
    doubled = np.flatnonzero((stops < ends) & (text[stops - 1] == CR) & (stops > starts))
    if doubled.size:  # `csv` takes CR CR LF for one end of a line
        raise _not_csv(line + int(last_lines[doubled[0]]), _LONE_CR)
    present = np.flatnonzero(stops > starts)
    starts, stops = starts[present], stops[present]
    if rows is None:
        before = quotes_before[last_lines]
        widths = _widths(text == delimiter, quotes[: before[-1]], before[present], ends[present])
    else:
        rows = [cells for cells in rows if cells]
        widths = np.array([len(cells) for cells in rows], np.int64)
    controls = np.zeros(len(starts), bool)
    found = breaks[(kinds != LF) & (kinds != CR) & (kinds != TAB)]
    controls[np.searchsorted(starts, found[found <= ends[-1]], "right") - 1] = True
    first_lines = line + np.concatenate(([0], last_lines[:-1] + 1))[present]
    return Slice(data[: ends[-1] + 1], first_lines, starts, stops, widths, controls, rows, marks)


def _regular(text: Bytes, delimiter: int, quotes: Positions, returns: Positions) -> bool:
    """Whether each quote is where RFC 4180 puts it, if they open and close in turn, and each CR belongs to a CRLF."""
    opening, closing = quotes[::2], quotes[1::2]
    before = text[opening - 1]  # of the first byte: the last one
    opens = (before == delimiter) | (before == LF) | (before == text[opening]) | (opening == 0)
    after = text.take(closing + 1, mode="clip")  # of the last byte, for which it is not known yet: itself
    closes = (after == delimiter) | (after == LF) | (after == text[closing]) | (after == CR)
    outside = returns[np.searchsorted(quotes, returns) % 2 == 0]
    followed = (text.take(outside + 1, mode="clip") == LF) | (outside == len(text) - 1)
    return bool(opens.all() and closes.all() and followed.all())


def _widths(delimiters: Flags, quotes: Positions, quotes_before: Positions, ends: Positions) -> Positions:
    """Count the cells of each record: the delimiters that are not inside quotes, and one."""
    places = np.flatnonzero(delimiters)
    at_quotes = np.searchsorted(places, quotes)
    inside = np.concatenate(([0], np.cumsum(at_quotes[1::2] - at_quotes[::2])))
    return np.diff(np.searchsorted(places, ends) - inside[quotes_before // 2], prepend=0) + 1


def _read(data: bytes, line: int, marks: Marks) -> tuple[list[list[str]], Positions]:
    """Read some records with `csv.reader`: their cells, and the number of the line, from 0, with which each ends."""
    reader = marks.read(io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="\n"))
    rows, last_lines = [], []
    try:
        for cells in islice(reader, _ROWS_READ):
            rows.append(cells)
            last_lines.append(reader.line_num - 1)
    except csv.Error as error:
        if "end of data" not in str(error):  # that one is a record that goes on after this text
            what = _LONE_CR if "new-line" in str(error) else "text follows a closing quote"
            raise _not_csv(line + reader.line_num - 1, what) from None
    return rows, np.array(last_lines, np.int64)


def _not_csv(line: int, what: str) -> InvalidFileError:
    return InvalidFileError(reason("not_csv", f"Line {line} is not CSV: {what}."))
