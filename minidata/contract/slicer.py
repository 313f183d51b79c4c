"""Cuts the text of a CSV, as it comes, into slices of whole records."""

from typing import Final

import numpy as np

from minidata.contract.scan import CR, LF, NotCsvError, Positions, Scanner
from minidata.contract.slices import Slice
from minidata.contract.verdict import CondemnedError, reason

_MARK: Final = b"\xef\xbb\xbf"
_BLOCK: Final = 1 << 18  # bytes scanned at once: what comes of them stays in the processor's cache


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
        self._kept: list[bytes] = []  # scanned, and in no slice yet
        self._kept_bytes = 0
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
        self._scan(self._next_block())
        cut = self._last_end()
        return self._take(cut) if cut >= self._slice_bytes else None

    def finish(self) -> Slice | None:
        """Return what is left, now that the text is over.

        Raises:
            CondemnedError: `not_csv`.
        """
        block = self._next_block()
        last = (block or b"".join(self._kept[-1:]))[-1:]
        if not last:
            return None
        if last[0] == CR:
            self._keep(block)
            raise self._not_csv(self._kept_bytes, "the file ends with a CR without its LF")
        self._scan(block if last[0] == LF else block + b"\n", final=True)
        if self._scanner.inside:
            raise self._not_csv(self._scanner.turned, "the cell whose last quote stands there is never closed")
        return self._take(self._last_end())

    @property
    def line(self) -> int:
        """The physical line on which the next byte stands."""
        waiting = sum(piece.count(b"\n") for piece in self._waiting)
        return self._line_of(self._kept_bytes) + waiting

    def _next_block(self) -> bytes:
        block = b"".join(self._waiting)
        self._waiting, self._waiting_bytes = [], 0
        if self._begun:
            return block
        self._begun = True
        return block.removeprefix(_MARK)

    def _scan(self, block: bytes, *, final: bool = False) -> None:
        self._keep(block)
        try:
            self._scanner.scan(block, final=final)
        except NotCsvError as error:
            raise self._not_csv(error.position, error.what) from None

    def _keep(self, block: bytes) -> None:
        if block:
            self._kept.append(block)
            self._kept_bytes += len(block)

    def _line_of(self, position: int) -> int:
        return self._lines_before + 1 + b"".join(self._kept).count(b"\n", 0, position)

    def _not_csv(self, position: int, what: str) -> CondemnedError:
        return CondemnedError(reason("not_csv", f"Line {self._line_of(position)} is no CSV: {what}."))

    def _last_end(self) -> int:
        """Return the number of kept bytes up to the end of the last whole record."""
        ends = self._scanner.ends
        return int(ends[-1][-1]) + 1 if ends else 0

    def _take(self, cut: int) -> Slice:
        rest: list[bytes] = []
        while self._kept_bytes > cut:
            rest.append(self._kept.pop())
            self._kept_bytes -= len(rest[-1])
        if self._kept_bytes < cut:
            piece, head = rest.pop(), cut - self._kept_bytes
            self._kept.append(piece[:head])
            rest.append(piece[head:])
        data = b"".join(self._kept)
        self._kept, self._kept_bytes = [], 0
        for piece in reversed(rest):
            self._keep(piece)
        return self._slice(data)

    def _slice(self, data: bytes) -> Slice:
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
            literals[literals < len(data)],
        )
        self._commas_before, self._controls_before = int(commas[-1]), int(controls[-1])
        self._lines_before = int(lines[-1])
        scanner.rebase(len(data))
        return slice_


def _rise(totals: Positions, before: int) -> Positions:
    return np.diff(totals, prepend=before)
