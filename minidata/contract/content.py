"""From stored bytes to text: hashed, decompressed and checked to be UTF-8, in a stream of bounded pieces."""

import codecs
import hashlib
import math
import re
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import zstandard

from minidata.contract.verdict import Budget, InvalidFileError, Reason, reason
from minidata.text import TEXT_ENDINGS

_ENDING = re.compile(
    rf"\.(?:({TEXT_ENDINGS})(|\.gz|\.zst)|(parquet|xlsx)|(?:csv|tsv|txt)?\.?(zip))\Z", re.IGNORECASE | re.ASCII
)
_FORMATS = {"ndjson": "jsonl"}
# By ending: what a part is called, the bytes fed at once, what reads a part. At most 16 MiB may come out at once: gzip
# makes 1,032 bytes of one, zstd 128 KiB of four. A window beyond the limit of `zstd -d` would be held in memory whole.
_COMPRESSIONS: dict[str, tuple[str, int, Callable[[], Any]]] = {
    ".gz": ("gzip member", 1 << 14, lambda: zlib.decompressobj(wbits=31)),
    ".zst": ("zstd frame", 1 << 9, lambda: zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()),
}

_MARK = b"\xef\xbb\xbf"
_BLANKS = b" \t\r\n"
_BLANK = re.compile(rb"(?:\xef\xbb\xbf)*+(?:[ \t\r\n]*+|\xef|\xef\xbb)")  # the last two may become a mark


class Stored:
    """The stored bytes of a file; iterating draws them, and `size` and `hash` are of what was drawn."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.size = 0
        self.hash = hashlib.sha256()
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        """Draw the bytes."""
        for chunk in self._chunks:
            self.size += len(chunk)
            self.hash.update(chunk)
            yield chunk


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Cut bytes into pieces of at most so many bytes."""
    view = memoryview(data)
    for start in range(0, len(view), size):
        yield bytes(view[start : start + size])


def line_ends(data: bytes) -> int:
    """Count the LFs; many times as fast as `bytes.count` where they are frequent."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord("\n")))


def refuse_blank(data: Iterable[bytes]) -> Iterator[bytes]:
    """Pass bytes on.

    Raises:
        InvalidFileError: `empty_file`, at the end of bytes that are only blanks, line ends and leading BOMs.
    """
    blank, seen = True, b""
    for chunk in data:
        if blank:
            seen += chunk
            blank = _BLANK.fullmatch(seen) is not None
            # One blank, or the start of a mark, says all that matters for the bytes to come.
            seen = seen[-1:] if seen.endswith(tuple(b"%c" % blank for blank in _BLANKS)) else seen[len(seen) // 3 * 3 :]
        yield chunk
    if blank and not seen.strip(_BLANKS):
        raise InvalidFileError(reason("empty_file", "The file contains only blanks and line ends."))


class Kind(NamedTuple):
    """What a name says of a file: its format, and how it is compressed ("", ".gz" or ".zst")."""

    format: str
    compression: str


def kind_of(key: str, formats: Iterable[str] = ("csv",)) -> Kind | None:
    """Return what an object is, by the end of its key; None if it is of none of the formats.

    >>> kind_of("a/B.CSV.GZ")
    Kind(format='csv', compression='.gz')
    """
    ending = _ENDING.search(key)
    if ending is None:
        return None
    format_ = (ending[1] or ending[3] or ending[4]).lower()
    kind = Kind(_FORMATS.get(format_, format_), (ending[2] or "").lower())
    return kind if kind.format in formats else None


def decompress(
    stored: Iterable[bytes], compression: str, budget: Budget, max_seconds: float = math.inf
) -> Iterator[bytes]:
    """Yield the content of a file in pieces of at most about 16 MiB; plain content passes unchanged.

    Args:
        stored: the stored bytes in order.
        compression: "", ".gz" or ".zst".
        budget: of the bytes that may come out.
        max_seconds: of processor time that may pass until all has come out.

    Raises:
        InvalidFileError: what the budget says, `bad_compression` or `took_too_long`, as soon as the data shows it.
    """
    size, end = 0, time.process_time() + max_seconds
    for piece in _members(stored, compression) if compression else stored:
        size += len(piece)
        if size > budget.size:
            raise InvalidFileError(budget.exceeded)
        if time.process_time() > end:
            what = (
                f"Validation took more than {max_seconds} seconds of processor time, up to byte {size:,} of the text."
            )
            raise InvalidFileError(reason("took_too_long", what))
        yield piece


def _members(stored: Iterable[bytes], compression: str) -> Iterator[bytes]:
    name, fed_at_once, new_member = _COMPRESSIONS[compression]
    member = None
    done = 0
    for rest in chain.from_iterable(pieces(chunk, fed_at_once) for chunk in stored):
        while rest:
            member = member or new_member()
            try:
                content = member.decompress(rest)
            except (zlib.error, zstandard.ZstdError) as error:
                raise _breaks_off(name, done, str(error)) from error
            if content:
                yield content
            if not member.eof:
                break
            rest = member.unused_data  # noqa: PLW2901  # the next member starts in the same piece
            member = None
            done += 1
    if member is not None or not done:
        raise _breaks_off(name, done, "the data ends too early")


def _breaks_off(name: str, done: int, detail: str) -> InvalidFileError:
    return InvalidFileError(
        reason("bad_compression", f"The file breaks off in its {name} number {done + 1}: {detail}.")
    )


def decode(content: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield text of another encoding as UTF-8.

    Raises:
        InvalidFileError: `wrong_encoding`.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    for chunk in chain(content, [None]):
        try:
            text = decoder.decode(chunk or b"", final=chunk is None)
        except UnicodeError as error:
            what = f"The text after line {line:,} is not {encoding}: {error}."
            raise InvalidFileError(reason("wrong_encoding", what)) from error
        line += text.count("\n")
        yield text.encode()


def skip_lines(text: Iterable[bytes], count: int) -> Iterator[bytes]:
    """Pass text on without its first lines."""
    for chunk in text:
        rest = chunk
        while count and rest:
            _, end, rest = rest.partition(b"\n")
            count -= bool(end)
        if rest:
            yield rest


def read_text(content: Iterable[bytes]) -> Iterator[bytes]:
    """Yield content as UTF-8 text without its byte order mark, in pieces that end between two characters.

    Raises:
        InvalidFileError: `not_utf8`.
    """
    held = b""
    line, started = 1, False
    for chunk in chain(content, [None]):
        held += chunk or b""
        if not started:
            if chunk is not None and len(held) < len(_MARK):
                continue
            started, held = True, held.removeprefix(_MARK)
        try:
            end = _whole_characters(held, last=chunk is None)
        except UnicodeDecodeError as error:
            line += held.count(b"\n", 0, error.start)
            raise InvalidFileError(_not_utf8(line, held[error.start])) from error
        text, held = held[:end], held[end:]
        line += line_ends(text)
        yield text


def _whole_characters(text: bytes, *, last: bool) -> int:
    """Return how many of the bytes are whole characters; raise UnicodeDecodeError where one is not UTF-8."""
    if text.isascii():
        return len(text)
    try:
        pl.Series([text], dtype=pl.Binary).cast(pl.String)  # at the speed of memory; Python tells the place
    except pl.exceptions.ComputeError:
        return codecs.utf_8_decode(text, "strict", last)[1]
    return len(text)


def _not_utf8(line: int, byte: int) -> Reason:
    return reason("not_utf8", f"The text on line {line} is not UTF-8 (byte 0x{byte:02X}).")
