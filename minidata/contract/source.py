"""The stored bytes of a file, hashed and counted while they are drawn."""

import hashlib
import re
from collections.abc import Iterable, Iterator

_MARKS = re.compile(rb"(?:\xef\xbb\xbf)*+")
_BROKEN_MARKS = (b"", b"\xef", b"\xef\xbb")


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Cut bytes (or anything with a buffer) into pieces of at most so many bytes."""
    view = memoryview(data)
    for start in range(0, len(view), size):
        yield bytes(view[start : start + size])


class Blankness:
    """Whether a stream holds nothing but spaces, tabs and line ends, byte order marks before them aside."""

    def __init__(self) -> None:
        self._blank = True
        self._leading = True
        self._rest = b""  # what may yet become a byte order mark

    def feed(self, data: bytes) -> None:
        """Look at the next bytes; costs nothing once there was something else."""
        for piece in pieces(data, 1 << 16):
            if not self._blank:
                return
            seen = self._rest + piece
            if self._leading:
                seen = seen[_MARKS.match(seen).end() :]  # type: ignore[union-attr]  # it matches anywhere
                self._leading = seen in _BROKEN_MARKS
            self._rest = seen if self._leading else b""
            self._blank = self._leading or not seen.strip(b" \t\r\n")

    @property
    def holds(self) -> bool:
        """The answer for the bytes seen so far."""
        return self._blank and not self._rest


class Source:
    """The stored bytes; iterating draws them.

    Args:
        chunks: the bytes in order, in pieces of any size.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.size = 0
        self.blankness = Blankness()
        self._chunks = iter(chunks)
        self._hash = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        """Draw the next chunks."""
        for chunk in self._chunks:
            self.size += len(chunk)
            self._hash.update(chunk)
            self.blankness.feed(chunk)
            yield chunk

    def drain(self) -> None:
        """Draw what is left, so that size and hash are those of the whole object."""
        for _ in self:
            pass

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes drawn so far, 64 hexadecimal digits."""
        return self._hash.hexdigest()
