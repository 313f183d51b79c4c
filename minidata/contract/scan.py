"""Where records, cells and quotes of a CSV begin and end, found with numpy, block by block.

Outside quotes a comma ends a cell and an LF a record. If every quote stands where RFC 4180 puts it, a byte is inside
quotes exactly if an odd number of quotes precedes it (a doubled quote closes and opens again at once), and all of a
block is known without a loop. A block with any other quote is walked quote by quote.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Positions = NDArray[np.int64]
Flags = NDArray[np.bool_]

TAB, LF, CR, BLANK, QUOTE, COMMA = b'\t\n\r ",'
_AHEAD: Final = 2  # bytes that must be seen behind a quote or CR, to tell what it means


class NotCsvError(Exception):
    """The text is no CSV from this position on."""

    def __init__(self, position: int, what: str) -> None:
        super().__init__(what)
        self.position = position
        self.what = what


class Scanner:
    """Scans a text that begins with a record. Positions count from the start of the text, or from the last `rebase`.

    Attributes:
        inside: whether the next byte is inside quotes.
        turned: the position of the last quote that opened or closed.
        records: the number of records scanned.
        ends: the position of the LF of every record scanned, in arrays, none of them empty.
        commas: by record, the commas outside quotes in all that was scanned up to its end, in arrays.
        controls: the same for control characters (C0 other than tab, LF, CR), inside quotes or not.
        lines: the same for LFs, inside quotes or not.
        literals: positions of the quotes that stand in unquoted cells and mean themselves, in arrays.
    """

    def __init__(self) -> None:
        self.inside = False
        self.turned = -2
        self.records = 0
        self.ends: list[Positions] = []
        self.commas: list[Positions] = []
        self.controls: list[Positions] = []
        self.lines: list[Positions] = []
        self.literals: list[Positions] = []
        self._commas_so_far = self._controls_so_far = self._lines_so_far = 0
        self._window = b"\n"  # one byte that is scanned, and those that wait for the bytes behind them
        self._base = -1  # position of the window's first byte

    def scan(self, block: bytes, *, final: bool = False) -> None:
        """Scan the next bytes; the final ones end with an LF.

        Raises:
            NotCsvError: if the text is no CSV.
        """
        self._window += block
        stop = len(self._window) - (0 if final else _AHEAD)
        if stop > 1:
            self._scan(np.frombuffer(self._window, np.uint8), stop)
            self._base += stop - 1
            self._window = self._window[stop - 1 :]

    def rebase(self, cut: int) -> None:
        """Forget the first bytes of the text, which end with the last record found."""
        self.records = 0
        self.ends, self.commas, self.controls, self.lines = [], [], [], []
        later = [positions[positions >= cut] - cut for positions in self.literals]
        self.literals = [positions for positions in later if positions.size]
        self.turned -= cut
        self._base -= cut

    def _scan(self, window: Bytes, stop: int) -> None:
        scanned = window[:stop]
        marked = (scanned == COMMA) | (scanned == QUOTE) | (scanned < BLANK)
        marked[0] = False
        special = np.flatnonzero(marked)
        kinds = scanned[special]
        outside = self._outside(window, special, kinds)
        commas = kinds == COMMA
        if outside is not None:
            commas &= outside
        others = np.flatnonzero(~commas)  # all that follows looks at these few
        rest = kinds[others]
        line_ends = lines = rest == LF
        if outside is not None:
            outside = outside[others]
            line_ends = lines & outside
        at = np.flatnonzero(line_ends)
        controls = (rest < BLANK) & ~lines
        if controls.any():
            carriages = rest == CR
            self._check(window, special[others[carriages if outside is None else carriages & outside]])
            controls &= ~carriages & (rest != TAB)
        if at.size:
            self.records += len(at)
            self.ends.append(special[others[at]] + self._base)
            # Of the specials before the n-th of the others, all but n are commas.
            self.commas.append(others[at] - at + self._commas_so_far)
            self.lines.append(_running(lines, at) + self._lines_so_far)
            self.controls.append(_running(controls, at) + self._controls_so_far)
        self._commas_so_far += len(special) - len(others)
        self._lines_so_far += int(np.count_nonzero(lines))
        self._controls_so_far += int(np.count_nonzero(controls))

    def _check(self, window: Bytes, carriages: Positions) -> None:
        lone = carriages[window[carriages + 1] != LF]
        if lone.size:
            raise NotCsvError(int(lone[0]) + self._base, "a CR that is not part of a CRLF stands outside quotes")

    def _outside(self, window: Bytes, special: Positions, kinds: Bytes) -> Flags | None:
        """Tell which of the special bytes are outside quotes; None for all."""
        toggles = kinds == QUOTE
        quotes = special[toggles]
        if not quotes.size:
            return np.zeros(len(special), bool) if self.inside else None
        if not self._regular(window, quotes):
            turning = self._walk(window, quotes)
            toggles[toggles] = turning
            quotes = quotes[turning]
        outside: Flags = np.logical_xor.accumulate(toggles) == self.inside
        self.inside = not outside[-1]
        if quotes.size:
            self.turned = int(quotes[-1]) + self._base
        return outside

    def _regular(self, window: Bytes, quotes: Positions) -> bool:
        """Whether each quote stands where RFC 4180 puts it, if they open and close in turn."""
        opening, closing = quotes[int(self.inside) :: 2], quotes[int(not self.inside) :: 2]
        before = int(quotes[0]) - 1
        if not self.inside and window[before] == QUOTE and self.turned != before + self._base:
            return False  # it follows a literal quote at the end of the block before
        doubled = window[opening - 1] == QUOTE
        return bool((_may_open(window, opening) | doubled).all() and _may_close(window, closing).all())

    def _walk(self, window: Bytes, quotes: Positions) -> Flags:
        """Tell which quotes open or close; the others are literal, and noted as such."""
        inside, turned = self.inside, self.turned - self._base
        turning = np.zeros(len(quotes), bool)
        may_open, may_close = _may_open(window, quotes).tolist(), _may_close(window, quotes).tolist()
        for i, quote in enumerate(quotes.tolist()):
            if inside:
                if not may_close[i]:
                    raise NotCsvError(quote + self._base, "text follows a closing quote")
                inside = False
            elif may_open[i] or turned == quote - 1:  # the second: a quoted cell goes on after a doubled quote
                inside = True
            else:
                continue
            turned = quote
            turning[i] = True
        self.literals.append(quotes[~turning] + self._base)
        return turning


def _may_open(window: Bytes, quotes: Positions) -> Flags:
    """Whether each quote is the first character of a cell, if it is outside quotes."""
    before = window[quotes - 1]
    flags: Flags = (before == COMMA) | (before == LF)
    return flags


def _may_close(window: Bytes, quotes: Positions) -> Flags:
    """Whether what follows each quote may follow a closing quote, or the first of a doubled one."""
    after = window[quotes + 1]
    flags: Flags = (after == COMMA) | (after == LF) | (after == QUOTE)
    carriages = np.flatnonzero(after == CR)
    flags[carriages] = window[quotes[carriages] + 2] == LF
    return flags


def _running(flags: Flags, at: Positions) -> Positions:
    """Count the flags set up to each of these positions."""
    return np.cumsum(flags, dtype=np.int64)[at] if flags.any() else np.zeros(len(at), np.int64)
