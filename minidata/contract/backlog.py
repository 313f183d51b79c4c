"""The text of a CSV that is scanned, but whose last record goes on."""

import tempfile
from collections.abc import Iterator
from itertools import chain
from typing import IO

_READ_AT_ONCE = 1 << 20  # bytes


class Backlog:
    """Bytes that wait for the end of a record.

    A quote that is never closed makes one record of the rest of a file, however large: what is beyond the limit waits
    on disk, and only a record that does end is brought back.

    Args:
        memory_bytes: so many bytes at most wait in memory.

    Attributes:
        size: the number of bytes.
        last: the last of all bytes appended.
    """

    def __init__(self, memory_bytes: int) -> None:
        self.size = 0
        self.last = b""
        self._memory_bytes = memory_bytes
        self._pieces: list[bytes] = []
        self._in_memory = 0
        self._disk: IO[bytes] | None = None

    def append(self, piece: bytes) -> None:
        """Add the next bytes."""
        if not piece:
            return
        self._pieces.append(piece)
        self._in_memory += len(piece)
        self.last = piece[-1:]
        self.size += len(piece)
        if self._in_memory > self._memory_bytes:
            self._disk = self._disk or tempfile.TemporaryFile()  # noqa: SIM115  # closed when it is read back
            self._disk.writelines(self._pieces)
            self._pieces, self._in_memory = [], 0

    def take(self, cut: int) -> bytes:
        """Remove the first bytes and return them."""
        pieces, self._pieces = [*self._on_disk(), *self._pieces], []
        self.close()
        rest: list[bytes] = []
        while self.size > cut:
            piece = pieces.pop()
            self.size -= len(piece)
            if self.size < cut:
                head = cut - self.size
                pieces.append(piece[:head])
                self.size = cut
                piece = piece[head:]
            rest.append(piece)
        self.size = self._in_memory = 0
        for piece in reversed(rest):
            self.append(piece)
        return b"".join(pieces)

    def lines_before(self, position: int) -> int:
        """Count the LFs before a position."""
        lines = 0
        for piece in chain(self._on_disk(), self._pieces):
            lines += piece.count(b"\n", 0, max(position, 0))
            position -= len(piece)
        return lines

    def close(self) -> None:
        """Let go of what is on disk."""
        if self._disk:
            self._disk.close()
            self._disk = None

    def _on_disk(self) -> Iterator[bytes]:
        if self._disk:
            self._disk.seek(0)
            while piece := self._disk.read(_READ_AT_ONCE):
                yield piece
