"""UTF-8, checked as it streams: Polars says at memory speed that a piece is right, Python says where it is wrong."""

import codecs

import polars as pl

_LENGTHS = ((0x80, 1), (0xE0, 2), (0xF0, 3))  # of the sequence that begins with a byte below this one; others have 4

# What is taken for a text, by its first bytes: as many as have come when the first of them is no UTF-8.
_OTHERS = (
    (b"PK\x03\x04", "a ZIP archive, as an Excel workbook is one"),
    (b"\x1f\x8b", "gzip, whose name must end in .csv.gz"),
    (b"(\xb5", "zstd, whose name must end in .csv.zst"),
    (b"PAR1", "Parquet"),
    (b"%PDF", "a PDF"),
    (b"\xff", "UTF-16"),
    (b"\xfe", "UTF-16"),
)
HEAD = 4  # bytes that tell


def other_format(head: bytes) -> str | None:
    """Return what a file that is not UTF-8 seems to be, by its first bytes; None if they tell nothing."""
    return next((name for signature, name in _OTHERS if head.startswith(signature)), None)


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
