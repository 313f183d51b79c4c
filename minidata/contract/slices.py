"""Cuts the text of a CSV, as it comes, into slices of whole records."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from minidata.contract.scan import BLOCK, CR, LF, Flags, NotCsvError, Positions, Scanner
from minidata.contract.verdict import CondemnedError, reason

_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Slice:
    """Some records, one after the other.

    Attributes:
        data: the bytes, every record with its line end.
        line: the physical line on which it starts, from 1.
        starts: where each record starts in `data`.
        stops: where each record's last cell ends, before its line end.
        ends: the position of each record's LF.
        cells: the number of cells of each record; 0 for an empty line.
        controls: whether each record holds a control character.
        literals: positions of the quotes that stand in unquoted cells.
    """

    data: bytes
    line: int
    starts: Positions
    stops: Positions
    ends: Positions
    cells: Positions
    controls: Flags
    literals: Positions

    def record(self, number: int) -> bytes:
        """Return a record untouched, without its line end."""
        return self.data[self.starts[number] : self.stops[number]]

    def clean(self, keep: Flags) -> bytes:
        """Return the records to keep as a plain CSV: each ends with LF, and a literal quote is written as U+0001.

        Args:
            keep: which records; none of them may hold a control character.
        """
        plain = not self.literals.size and np.array_equal(self.stops, self.ends)
        if plain and keep.all():
            return self.data
        data = np.frombuffer(self.data, np.uint8)
        if self.literals.size:
            data = data.copy()
            data[self.literals] = 1
        kept = np.repeat(keep, self.ends + 1 - self.starts)
        kept[self.stops[self.stops < self.ends]] = False
        return data[kept].tobytes()


class Slicer:
    """Cuts a growing text into slices.

    Args:
        slice_bytes: the size of a slice in bytes; a slice is larger by what its last record takes.
    """

    def __init__(self, slice_bytes: int) -> None:
        self._slice_bytes = slice_bytes
        self._step = max(min(BLOCK, slice_bytes), 3)
        self._buffer = bytearray()
        self._scanned = 0
        self._line = 1
        self._scanner = Scanner()
        self._begun = False

    def feed(self, data: bytes) -> Iterator[Slice]:
        """Take the next bytes and yield the slices that are complete.

        Raises:
            CondemnedError: `not_csv`, at the first place where the text is no CSV.
        """
        self._buffer += data
        if not self._begun:
            if len(self._buffer) < len(_MARK):
                return
            self._begin()
        while len(self._buffer) - 2 - self._scanned >= self._step:
            self._scan(self._scanned + self._step)
            if self._cut() >= self._slice_bytes:
                yield self._take()

    def finish(self) -> Iterator[Slice]:
        """Yield the rest, now that the text is over.

        Raises:
            CondemnedError: `not_csv`.
        """
        if not self._begun:
            self._begin()
        if not self._buffer:
            return
        if self._buffer[-1] == CR:
            raise self._not_csv(len(self._buffer) - 1, "the file ends with a CR without its LF")
        opened = len(self._buffer)
        if self._buffer[-1] != LF:
            self._buffer += b"\n"
        while self._scanned < len(self._buffer):
            self._scan(min(self._scanned + self._step, len(self._buffer)))
        if self._scanner.inside:
            raise self._not_csv(opened, "a quoted cell is never closed; it begins further up")
        if self._cut():
            yield self._take()

    @property
    def line(self) -> int:
        """The physical line that the next byte stands on."""
        return self._line + self._buffer.count(b"\n")

    def _begin(self) -> None:
        self._begun = True
        if self._buffer.startswith(_MARK):
            del self._buffer[: len(_MARK)]

    def _scan(self, stop: int) -> None:
        try:
            self._scanner.scan(np.frombuffer(self._buffer, np.uint8), self._scanned, stop)
        except NotCsvError as error:
            raise self._not_csv(error.position, error.what) from None
        self._scanned = stop

    def _not_csv(self, position: int, what: str) -> CondemnedError:
        line = self._line + self._buffer.count(b"\n", 0, position)
        return CondemnedError(reason("not_csv", f"Line {line} is no CSV: {what}."))

    def _cut(self) -> int:
        """Return the number of bytes up to the end of the last whole record."""
        last = next((ends[-1] for ends in reversed(self._scanner.ends) if ends.size), -1)
        return int(last) + 1

    def _take(self) -> Slice:
        cut = self._cut()
        data = bytes(memoryview(self._buffer)[:cut])
        del self._buffer[:cut]
        self._scanned -= cut
        scanner = self._scanner
        ends = np.concatenate(scanner.ends)
        commas, controls = np.concatenate(scanner.commas), np.concatenate(scanner.controls)
        literals = np.concatenate([np.empty(0, np.int64), *scanner.literals])
        starts = np.concatenate(([0], ends[:-1] + 1))
        stops = ends - ((np.frombuffer(data, np.uint8)[ends - 1] == CR) & (ends > starts))
        cells = np.diff(commas, prepend=self._commas_before) + 1
        slice_ = Slice(
            data,
            self._line,
            starts,
            stops,
            ends,
            np.where(stops > starts, cells, 0),
            np.diff(controls, prepend=self._controls_before) > 0,
            literals[literals < cut],
        )
        self._commas_before, self._controls_before = int(commas[-1]), int(controls[-1])
        scanner.rebase(cut)
        self._line += data.count(b"\n")
        return slice_
