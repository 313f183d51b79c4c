"""UTF-8, checked as it streams: Polars says at memory speed that a piece is right, Python says where it is wrong."""

import codecs

import polars as pl

_LENGTHS = ((0x80, 1), (0xE0, 2), (0xF0, 3))  # of the sequence that begins with a byte below this one; others have 4


class Utf8:
    """Checks a stream of bytes; a character may lie across two pieces."""

    def __init__(self) -> None:
        self._begun = b""  # of a character whose end is yet to come

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        """Take the next bytes.

        Raises:
            UnicodeDecodeError: if they are not UTF-8; its `object` is the piece, and what was begun before it.
        """
        text = self._begun + piece
        end = len(text) if last else _whole(text)
        text, self._begun = text[:end], text[end:]
        if not text.isascii() and not _is_right(text):
            codecs.utf_8_decode(text, "strict", True)  # noqa: FBT003  it takes no names


def _whole(text: bytes) -> int:
    """Return how many bytes are whole characters, as far as the lead bytes tell."""
    for back in range(1, min(4, len(text)) + 1):
        byte = text[-back]
        if byte & 0xC0 != 0x80:  # the lead of the last character
            length = next((length for below, length in _LENGTHS if byte < below), 4)
            return len(text) - back if length > back else len(text)
    return len(text)


def _is_right(text: bytes) -> bool:
    try:
        pl.Series([text], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.ComputeError:
        return False
    return True
