"""Cuts the text of a CSV, as it comes, into slices of whole records."""

from typing import Final

import numpy as np

from minidata.contract.backlog import Backlog
from minidata.contract.scan import CR, LF, NotCsvError, Positions, Scanner
from minidata.contract.slices import Slice
from minidata.contract.verdict import CondemnedError, reason

_MARK: Final = b"\xef\xbb\xbf"
_BLOCK: Final = 1 << 18  # bytes scanned at once: what comes of them stays in the processor's cache

_BACKLOG_SLICES: Final = 4  # so many slices of a record that goes on are kept in memory
_LEAST_RECORD: Final = 16  # bytes; of smaller ones a slice holds fewer bytes, for each takes memory of its own


class Slicer:
    """Cuts a growing text into slices.

    Args:
        slice_bytes: the size of a slice in bytes; it is larger by what its last record needs.
    """

    def __init__(self, slice_bytes: int) -> None:
        self._slice_bytes = slice_bytes
        self._block_bytes = max(min(_BLOCK, slice_bytes // 8), len(_MARK))
        self._scanner = Scanner()
        self._begun = False
        self._waiting: list[bytes] = []  # not yet scanned
        self._waiting_bytes = 0
        self._backlog = Backlog(max(_BACKLOG_SLICES * slice_bytes, _BLOCK))  # scanned, and in no slice yet
        self._commas_before = self._controls_before = self._lines_before = 0

    def feed(self, data: bytes) -> Slice | None:
        """Take the next bytes, much less than a slice; return a slice if one is complete.

        Raises:
            CondemnedError: `not_csv`, at the first place where the text is no CSV.
        """
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes < self._block_bytes:
            return None
        block = self._next_block()
        self._backlog.append(block)
        self._scan(block)
        full = self._last_end() >= self._slice_bytes or self._scanner.records > self._slice_bytes // _LEAST_RECORD
        return self._take() if full else None

    def finish(self) -> Slice | None:
        """Return what is left, now that the text is over.

        Raises:
            CondemnedError: `not_csv`.
        """
        block = self._next_block()
        self._backlog.append(block)
        if not self._backlog.size:
            return None
        if self._backlog.last[0] == CR:
            raise self._not_csv(self._backlog.size, "the file ends with a CR without its LF")
        if self._backlog.last[0] != LF:
            self._backlog.append(b"\n")
            block += b"\n"
        self._scan(block, final=True)
        if self._scanner.inside:
            raise self._not_csv(self._scanner.turned, "the cell whose last quote stands there is never closed")
        return self._take()

    @property
    def line(self) -> int:
        """The physical line on which the next byte stands."""
        waiting = sum(piece.count(b"\n") for piece in self._waiting)
        return self._line_of(self._backlog.size) + waiting

    def _next_block(self) -> bytes:
        block = b"".join(self._waiting)
        self._waiting, self._waiting_bytes = [], 0
        if self._begun:
            return block
        self._begun = True
        return block.removeprefix(_MARK)

    def _scan(self, block: bytes, *, final: bool = False) -> None:
        try:
            self._scanner.scan(block, final=final)
        except NotCsvError as error:
            raise self._not_csv(error.position, error.what) from None

    def _line_of(self, position: int) -> int:
        return self._lines_before + 1 + self._backlog.lines_before(position)

    def _not_csv(self, position: int, what: str) -> CondemnedError:
        line = self._line_of(position)
        self._backlog.close()
        return CondemnedError(reason("not_csv", f"Line {line} is no CSV: {what}."))

    def _last_end(self) -> int:
        """Return the number of backlog's bytes up to the end of the last whole record."""
        ends = self._scanner.ends
        return int(ends[-1][-1]) + 1 if ends else 0

    def _take(self) -> Slice:
        data = self._backlog.take(self._last_end())
        scanner = self._scanner
        ends, lines = np.concatenate(scanner.ends), np.concatenate(scanner.lines)
        commas, controls = np.concatenate(scanner.commas), np.concatenate(scanner.controls)
        literals = np.concatenate([np.empty(0, np.int64), *scanner.literals])
        starts = np.concatenate(([0], ends[:-1] + 1))
        stops = ends - ((np.frombuffer(data, np.uint8)[ends - 1] == CR) & (ends > starts))
        cells = _rise(commas, self._commas_before) + 1
        slice_ = Slice(
            data,
            np.concatenate(([self._lines_before], lines[:-1])) + 1,
            starts,
            stops,
            ends,
            np.where(stops > starts, cells, 0),
            _rise(controls, self._controls_before) > 0,
            literals[: np.searchsorted(literals, len(data))],
        )
        self._commas_before, self._controls_before = int(commas[-1]), int(controls[-1])
        self._lines_before = int(lines[-1])
        scanner.rebase(len(data))
        return slice_


def _rise(totals: Positions, before: int) -> Positions:
    return np.diff(totals, prepend=before)
