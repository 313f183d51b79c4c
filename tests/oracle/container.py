"""From stored bytes to the bytes of the CSV: plain, gzip (any number of members) or zstd (of frames)."""

import re
import zlib

import zstandard

_SLICE = 1 << 16  # bytes asked for at a time, so that a bomb is noticed while it is still small
_LARGEST_WINDOW = 1 << 31  # bytes; what `zstd --long=31`, the largest setting there is, asks for
_SKIPPABLE_FRAME = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
_NOTHING = re.compile(rb"(?:\xef\xbb\xbf)*[ \t\r\n]*")


class TooLargeError(Exception):
    """More bytes come out than the limit allows."""


class BadCompressionError(Exception):
    """The stream is broken, cut off, or followed by other bytes."""


def kind(name: str) -> str | None:
    """`csv`, `gz` or `zst` by the end of the name (ASCII letters in any case), None for any other name."""
    ending = re.search(r"\.csv(?:\.(gz|zst))?\Z", name, re.IGNORECASE | re.ASCII)
    return None if ending is None else (ending[1] or "csv").lower()


def says_nothing(data: bytes) -> bool:
    """Whether the bytes are no more than byte order marks, then blanks, tabs and line ends."""
    return _NOTHING.fullmatch(data) is not None


def gunzip(data: bytes, limit: int) -> bytes:
    """Every member, one after the other, to the last byte.

    Raises:
        TooLargeError: more than `limit` bytes come out.
        BadCompressionError: a member is broken or cut off, or something that is no member follows.
    """
    out = bytearray()
    while True:
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            try:
                piece = member.decompress(data, _SLICE)
            except zlib.error as error:
                raise BadCompressionError from error
            out += piece
            if len(out) > limit:
                raise TooLargeError
            data = member.unconsumed_tail
            if not piece and not data and not member.eof:
                raise BadCompressionError
        data = member.unused_data
        if not data:
            return bytes(out)


def unzstd(data: bytes, limit: int) -> bytes:
    """Every frame, one after the other, to the last byte; skippable frames are skipped.

    Raises:
        TooLargeError: more than `limit` bytes come out.
        BadCompressionError: a frame is broken or cut off, or something that is no frame follows.
    """
    out = bytearray()
    while data:
        if _SKIPPABLE_FRAME.match(data):
            end = 8 + int.from_bytes(data[4:8], "little")
            if len(data) < max(end, 8):
                raise BadCompressionError
            data = data[end:]
        else:
            data = _one_frame(data, out, limit)
    return bytes(out)


def _one_frame(data: bytes, out: bytearray, limit: int) -> bytes:
    """Appends what the first frame holds to `out` and gives back the bytes behind the frame."""
    frame = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW).decompressobj()
    for start in range(0, len(data), _SLICE):
        try:
            out += frame.decompress(data[start : start + _SLICE])
        except zstandard.ZstdError as error:
            raise BadCompressionError from error
        if len(out) > limit:
            raise TooLargeError
        if frame.eof:
            return frame.unused_data + data[start + _SLICE :]
    raise BadCompressionError
