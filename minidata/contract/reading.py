"""The stages that the content of one file goes through: text, CSV, header, rows."""

from minidata.contract.codes import rank
from minidata.contract.slicer import Slicer
from minidata.contract.source import Blankness
from minidata.contract.tally import Tally
from minidata.contract.utf8 import HEAD, Utf8, other_format
from minidata.contract.verdict import CondemnedError, Limits, Reason, reason


def empty_file() -> Reason:
    """Return the reason of a file without content."""
    return reason("empty_file", "The file holds nothing but blanks and line ends.")


class Reading:
    """Reads the content of one file and notes what is found against it.

    A finding ends its own stage and all behind it; the stages before it, which find what ranks higher, go on.

    Args:
        tally: judges header and rows.
        limits: of the validation.
    """

    def __init__(self, tally: Tally, limits: Limits) -> None:
        self._tally = tally
        self._limits = limits
        self._blankness = Blankness()
        self._utf8 = Utf8()
        self._slicer = Slicer(limits.slice_bytes)
        self._head = b""
        self._found: Reason | None = None

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the content, much less than a slice."""
        self._blankness.feed(piece)
        self._head += piece[: HEAD - len(self._head)]
        if self._seeks("not_utf8"):
            self._check_text(piece)
        if self._seeks("not_csv"):
            self._cut(piece)

    def finish(self) -> Reason | None:
        """Return the reason of the highest rank, now that the content is over."""
        if self._blankness.holds:
            return empty_file()
        if self._seeks("not_utf8"):
            self._check_text(None)
        if self._seeks("not_csv"):
            self._cut(None)
        if self._found is None:
            self._tally.settle()
            self._found = self._tally.reason(self._limits.max_rejected_share)
        return self._found

    def _seeks(self, code: str) -> bool:
        """Whether the stage that finds this still runs."""
        return self._found is None or rank(self._found.code) > rank(code)

    def _check_text(self, piece: bytes | None) -> None:
        try:
            self._utf8.feed(piece or b"", last=piece is None)
        except UnicodeDecodeError as error:
            place = ""
            if self._seeks("not_csv"):
                line = self._slicer.line + error.object.count(b"\n", 0, error.start)
                place = f" on line {line}"
            other = other_format(self._head)
            hint = f"; the file looks like {other}" if other else ""
            what = f"The text{place} is not UTF-8 (byte 0x{error.object[error.start]:02X}){hint}."
            self._found = reason("not_utf8", what)

    def _cut(self, piece: bytes | None) -> None:
        try:
            slice_ = self._slicer.finish() if piece is None else self._slicer.feed(piece)
            if slice_ is not None and self._found is None:
                self._tally.add(slice_)
        except CondemnedError as error:
            self._found = error.reason
