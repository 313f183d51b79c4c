"""Files that are small to send and were costly to read: the bombs of `check_bombs.py`."""

import gzip
import io
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, repeat

import zstandard

from tests.unit.contract.checking import HEADER, ROW

_SEED = 13
_HEAD = f"{HEADER}\n".encode()
_GOOD = f"{ROW}\n".encode()
_PIECE = 1 << 20
_DIGITS = [b"%d" % digit for digit in range(10)]


@dataclass(frozen=True)
class Bomb:
    """A file that must not hurt.

    Attributes:
        name: of its kind.
        ending: of its key.
        data: makes its bytes; `scale` 1 is the full size.
        code: the reason code that it gets; None if it is a good file.
    """

    name: str
    ending: str
    data: Callable[[float], bytes]
    code: str | None


def _text(line: bytes, count: float, start: bytes = _HEAD) -> Callable[[float], bytes]:
    """Make a gzip file: a start, then a line many times, with a random digit for each `?` so that it shrinks less."""

    def data(scale: float) -> bytes:
        random_ = random.Random(_SEED)
        left = int(count * scale)
        buffer = io.BytesIO()
        with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1, mtime=0) as file:
            file.write(start)
            while left > 0:
                lines = min(max(_PIECE // len(line), 1), left)
                parts = (line * lines).split(b"?")
                digits = random_.choices(_DIGITS, k=len(parts))
                file.write(b"".join(chain.from_iterable(zip(digits, parts, strict=True)))[1:])
                left -= lines
        return buffer.getvalue()

    return data


def _zeros(window_log: int) -> Callable[[float], bytes]:
    """Make a zstd file of 10 GB of zeros."""

    def data(scale: float) -> bytes:
        long = {"enable_ldm": True} if window_log > 27 else {}
        parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=window_log, **long)
        compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
        pieces = [compressor.compress(piece) for piece in repeat(bytes(1 << 24), int(600 * scale))]
        return b"".join([*pieces, compressor.flush()])

    return data


def _zip(members: int, zeros: int, method: int) -> Callable[[float], bytes]:
    """Make a ZIP archive with a snapshot and that many empty members, or with 16 MiB of zeros so many times."""

    def data(scale: float) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            for number in range(int(members * scale)):
                archive.writestr(f"__MACOSX/{number}", b"")
            with archive.open("a.csv", "w", force_zip64=True) as member:
                member.write(_HEAD + _GOOD)
                for piece in repeat(bytes(1 << 24), int(zeros * scale)):
                    member.write(piece)
        return buffer.getvalue()

    return data


def _nested(scale: float) -> bytes:
    data = _HEAD + _GOOD * int(5_000_000 * scale)
    for _ in range(4):
        data = gzip.compress(data, 6, mtime=0)
    return data


def _members(compress: Callable[[bytes], bytes]) -> Callable[[float], bytes]:
    """Make a file of a million empty members and one with a snapshot."""
    return lambda scale: compress(b"") * int(1e6 * scale) + compress(_HEAD + _GOOD)


_MISPLACED = b'a",' + b"a?," * 9 + b"a," * 10**5 + b"\n"
_OBJECT = b'{"video_id":"' + b"x?" * 15 + b"x" * (1 << 20) + b'"}\n'
BAD = b"," * 4 + b"-?," * 4 + b"x,x\n"  # as many entries as a row can have
BOMBS = (
    Bomb("cell", ".csv.gz", _text(b"x" * 300 + b"?", 3.5e6), "not_csv"),
    Bomb("quoted cell", ".csv.gz", _text(b"x" * 300 + b"?\n", 3.5e6, _HEAD + b'"'), "not_csv"),
    Bomb("quotes", ".csv.gz", _text(b'""' * 150 + b"?", 3.5e6, _HEAD + b'"'), "not_csv"),
    Bomb("lines", ".csv.gz", _text(b"\n" * 300 + b"?\n", 2.5e6), "rejects_over_limit"),
    Bomb("columns", ".csv.gz", _text(b"a?" * 2 + b"," * 300, 2.5e4, b""), "too_many_columns"),
    Bomb("columns, misplaced quote", ".csv.gz", _text(b"a?," * 10, 1e5, b'a"b'), "too_many_columns"),
    Bomb("cells, misplaced quotes", ".csv.gz", _text(_MISPLACED, 5000), "too_compressed"),
    Bomb("rows", ".csv.gz", _text(ROW.replace("v1", "v?").encode() + b"\n", 1e7), None),
    Bomb("rejects", ".csv.gz", _text(BAD, 1.5e7), "rejects_over_limit"),
    Bomb("rejects of one cell", ".csv.gz", _text(b"?\n", 1.5e7), "rejects_over_limit"),
    Bomb("large rejects", ".csv.gz", _text(b"x" * 20_000 + b"?" * 100 + b"\n", 1e5), "too_many_rejected_rows"),
    Bomb("gzip members", ".csv.gz", _members(gzip.compress), None),
    Bomb("zstd frames", ".csv.zst", _members(zstandard.compress), None),
    Bomb("zstd zeros", ".csv.zst", _zeros(23), "too_compressed"),
    Bomb("zstd window", ".csv.zst", _zeros(27), "too_compressed"),
    Bomb("zstd window of 2 GiB", ".csv.zst", _zeros(31), "bad_compression"),
    Bomb("zip members", ".zip", _zip(500_000, 0, zipfile.ZIP_STORED), "bad_compression"),
    Bomb("zip zeros", ".zip", _zip(0, 256, zipfile.ZIP_DEFLATED), "too_compressed"),
    Bomb("zip of bzip2", ".zip", _zip(0, 256, zipfile.ZIP_BZIP2), "bad_compression"),
    Bomb("nested gzip", ".csv.gz", _nested, "not_utf8"),
    Bomb("JSON lines", ".jsonl.gz", _text(_OBJECT, 2000, b""), "too_compressed"),
)  # fmt: skip
