"""Where records, cells and quotes of a CSV begin and end, found with numpy, block by block.

Outside quotes a comma ends a cell and an LF a record. If every quote stands where RFC 4180 puts it, a byte is inside
quotes exactly if an odd number of quotes precedes it (a doubled quote closes and opens again at once), and all of a
block is known without a loop. A block with any other quote is walked quote by quote.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Flags = NDArray[np.bool_]

BLOCK: Final = 1 << 18
"""Bytes scanned at once: what comes of them stays in the processor's cache."""

TAB, LF, CR, BLANK, QUOTE, COMMA = b"\t\n\r \",".__iter__()


class NotCsvError(Exception):
    """The text is no CSV from this position on."""

    def __init__(self, position: int, what: str) -> None:
        super().__init__(what)
        self.position = position
        self.what = what


class Scanner:
    """Scans a growing buffer that begins with a record.

    Attributes:
        inside: whether the next byte is inside quotes.
        ends: the position of the LF of every record scanned, in arrays.
        commas: by record, the commas outside quotes in all that was scanned up to its end, in arrays.
        controls: the same for control characters (C0 other than tab, LF, CR), inside quotes or not.
        literals: positions of the quotes that stand in unquoted cells and mean themselves, in arrays.
    """

    def __init__(self) -> None:
        self.inside = False
        self.ends: list[Positions] = []
        self.commas: list[Positions] = []
        self.controls: list[Positions] = []
        self.literals: list[Positions] = []
        self._commas_so_far = 0
        self._controls_so_far = 0
        self._closed = -2  # position of the last closing quote

    def scan(self, buffer: NDArray[np.uint8], start: int, stop: int) -> None:
        """Scan the next block; two more bytes must follow it, or it must end with the content's last LF.

        Raises:
            NotCsvError: if the text is no CSV.
        """
        block = buffer[start:stop]
        special = np.flatnonzero((block == COMMA) | (block == QUOTE) | (block < BLANK))
        kinds = block[special]
        special += start
        outside = self._outside(buffer, special, kinds)
        line_ends = kinds == LF
        commas = kinds == COMMA
        carriages = special[(kinds == CR) if outside is None else (kinds == CR) & outside]
        if carriages.size:
            lone = carriages[buffer[carriages + 1] != LF]
            if lone.size:
                raise NotCsvError(int(lone[0]), "a CR that is not part of a CRLF stands outside quotes")
        if outside is not None:
            line_ends &= outside
            commas &= outside
        at = np.flatnonzero(line_ends)
        self.ends.append(special[at])
        self._commas_so_far = _count(commas, at, self._commas_so_far, self.commas)
        controls = (kinds < BLANK) & (kinds != LF) & (kinds != CR) & (kinds != TAB)
        self._controls_so_far = _count(controls, at, self._controls_so_far, self.controls)

    def rebase(self, cut: int) -> None:
        """Forget the first bytes of the buffer, which end with a record: positions count from the next one."""
        self.ends, self.commas, self.controls = [], [], []
        later = [positions[positions >= cut] - cut for positions in self.literals]
        self.literals = [positions for positions in later if positions.size]
        self._closed -= cut

    def _outside(self, buffer: NDArray[np.uint8], special: Positions, kinds: NDArray[np.uint8]) -> Flags | None:
        """Tell which of the special bytes are outside quotes; None for all."""
        is_quote = kinds == QUOTE
        quotes = special[is_quote]
        if not quotes.size:
            return np.zeros(len(special), bool) if self.inside else None
        toggles = is_quote
        if not self._regular(buffer, quotes):
            turning = self._walk(buffer, quotes)
            toggles = is_quote.copy()
            toggles[is_quote] = turning
        outside = np.logical_xor.accumulate(toggles) == self.inside
        if len(outside):
            self.inside = not outside[-1]
        return outside

    def _regular(self, buffer: NDArray[np.uint8], quotes: Positions) -> bool:
        """Whether each quote stands where RFC 4180 puts it, if they open and close in turn."""
        opening, closing = quotes[int(self.inside) :: 2], quotes[int(not self.inside) :: 2]
        first = quotes[0]
        if not self.inside and first and buffer[first - 1] == QUOTE and self._closed != first - 1:
            return False  # it follows a literal quote at the end of the block before
        if not (_may_open(buffer, opening) | (buffer[opening - 1] == QUOTE) & (opening > 0)).all():
            return False
        if not _may_close(buffer, closing).all():
            return False
        if closing.size:
            self._closed = int(closing[-1])
        return True

    def _walk(self, buffer: NDArray[np.uint8], quotes: Positions) -> Flags:
        """Tell which quotes open or close; the others are literal, and noted as such."""
        inside, closed = self.inside, self._closed
        turning = np.zeros(len(quotes), bool)
        may_open, may_close = _may_open(buffer, quotes).tolist(), _may_close(buffer, quotes).tolist()
        for i, quote in enumerate(quotes.tolist()):
            if inside:
                if not may_close[i]:
                    raise NotCsvError(quote, "text follows a closing quote")
                inside, closed = False, quote
            elif may_open[i] or closed == quote - 1:
                inside = True
            else:
                continue
            turning[i] = True
        self._closed = closed
        self.literals.append(quotes[~turning])
        return turning


def _may_open(buffer: NDArray[np.uint8], quotes: Positions) -> Flags:
    """Whether each quote is the first character of a cell, if it is outside quotes."""
    before = buffer[quotes - 1]
    return (before == COMMA) | (before == LF) | (quotes == 0)


def _may_close(buffer: NDArray[np.uint8], quotes: Positions) -> Flags:
    """Whether what follows each quote may follow a closing quote, or the first of a doubled one."""
    after = buffer[quotes + 1]
    flags = (after == COMMA) | (after == LF) | (after == QUOTE)
    carriages = np.flatnonzero(after == CR)
    flags[carriages] = buffer[quotes[carriages] + 2] == LF
    return flags


def _count(flags: Flags, at: Positions, before: int, counts: list[Positions]) -> int:
    """Append how many flags are set up to each record's end; return how many are set in all."""
    if not flags.any():
        counts.append(np.full(len(at), before, np.int64))
        return before
    running = np.cumsum(flags) + before
    counts.append(running[at])
    return int(running[-1])
