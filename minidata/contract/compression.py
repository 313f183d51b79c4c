"""From stored bytes to the bytes of the CSV: plain, gzip members or zstd frames, never much at once."""

import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Protocol

import zstandard

from minidata.contract.source import pieces
from minidata.contract.verdict import CondemnedError, reason

_ENDING = re.compile(r"\.csv(|\.gz|\.zst)\Z", re.IGNORECASE | re.ASCII)
# Bytes fed at once, so that at most 16 MiB come out: gzip makes 1,032 of one byte, zstd 128 KiB of four.
_FED_AT_ONCE = {".gz": 1 << 14, ".zst": 1 << 9}
# Bytes; the limit of `zstd -d` as well. A larger window must be held in memory whole.
_LARGEST_WINDOW = 1 << 27


class _Member(Protocol):
    """A gzip member or zstd frame while it is read."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def compression_of(key: str) -> str | None:
    """Return how an object is compressed, by the end of its key: "", ".gz", ".zst"; None if it is no snapshot.

    >>> compression_of("a/B.CSV.GZ")
    '.gz'
    """
    ending = _ENDING.search(key)
    return ending[1].lower() if ending else None


def decompress(stored: Iterable[bytes], compression: str, max_bytes: int) -> Iterator[bytes]:
    """Yield the content of a file in pieces of at most some 16 MiB (plain content as it comes).

    Args:
        stored: the stored bytes in order.
        compression: "", ".gz" or ".zst".
        max_bytes: the most that may come out.

    Raises:
        CondemnedError: `too_large` or `bad_compression`; both are noticed while the data comes, and nothing
            more is drawn.
    """
    size = 0
    for piece in _members(stored, compression) if compression else stored:
        size += len(piece)
        if size > max_bytes:
            raise CondemnedError(
                reason("too_large", f"The decompressed file is larger than the limit of {max_bytes:,} bytes.")
            )
        yield piece


def _members(stored: Iterable[bytes], compression: str) -> Iterator[bytes]:
    member: _Member | None = None
    done = 0
    for chunk in stored:
        for piece in pieces(chunk, _FED_AT_ONCE[compression]):
            rest = piece
            while rest:
                if member is None:
                    member = _new_member(compression)
                try:
                    content = member.decompress(rest)
                except (zlib.error, zstandard.ZstdError) as error:
                    raise _bad_compression(compression, done, str(error)) from error
                if content:
                    yield content
                if not member.eof:
                    break
                rest = member.unused_data
                member = None
                done += 1
    if member is not None or not done:
        raise _bad_compression(compression, done, "the data ends too early")


def _new_member(compression: str) -> _Member:
    if compression == ".gz":
        return zlib.decompressobj(wbits=31)
    return zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW).decompressobj()


def _bad_compression(compression: str, done: int, detail: str) -> CondemnedError:
    what = "gzip member" if compression == ".gz" else "zstd frame"
    return CondemnedError(reason("bad_compression", f"The file breaks off in its {what} number {done + 1}: {detail}."))
