"""Compressed files: sound ones of every make; broken, cut off and followed by other bytes; and empty ones."""

import gzip
import struct
import zlib
from typing import Final

import zstandard

from tests.corpus.case import HEADER, Case, accepted, condemned, good_cells, good_line, line, snapshot

_GZ: Final = ".csv.gz"
_ZST: Final = ".csv.zst"


def _gzip(data: bytes, level: int = 9) -> bytes:
    return gzip.compress(data, level, mtime=0)


def _zstd(data: bytes, *, checksum: bool = True, content_size: bool = True) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=checksum, write_content_size=content_size).compress(data)


def _skippable(data: bytes, number: int = 0) -> bytes:
    return struct.pack("<II", 0x184D2A50 + number, len(data)) + data


def _gzip_with_every_field(data: bytes) -> bytes:
    """A member whose header has extra bytes, a file name, a comment and a checksum of itself."""
    header = b"\x1f\x8b\x08\x1e\x00\x00\x00\x00\x02\x03" + b"\x04\x00xtra" + b"a name.csv\x00" + b"a comment\x00"
    header += struct.pack("<H", zlib.crc32(header) & 0xFFFF)
    deflate = zlib.compressobj(wbits=-15)
    return header + deflate.compress(data) + deflate.flush() + struct.pack("<II", zlib.crc32(data), len(data))


def _halves(name: str) -> tuple[bytes, bytes]:
    """A good snapshot cut in the middle of a character that stands in a quoted cell."""
    data = f"{HEADER}\n{line(good_cells(name, 1, {'description': 'Ü, ber'}).values())}\n".encode()
    cut = data.index("Ü".encode()) + 1
    return data[:cut], data[cut:]


def _good(name: str, data: bytes, extension: str, rows: int = 1, **last_row: object) -> Case:
    return accepted(name, data, rows, key=name + extension, **last_row)  # type: ignore[arg-type]  # no keywords


def _bad(name: str, data: bytes, extension: str) -> Case:
    return condemned(name, "bad_compression", data, name + extension)


def _flipped(data: bytes, at: int) -> bytes:
    """The same with one bit of one byte the other way."""
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


_a, _b = _halves("gz_two_members")
_c, _d = _halves("zst_two_frames")

SOUND: Final = [
    _good("gz", _gzip(snapshot("gz")), _GZ),
    _good("gz_upper_case", _gzip(snapshot("gz_upper_case")), ".CSV.GZ"),
    _good("gz_uncompressed_blocks", _gzip(snapshot("gz_uncompressed_blocks"), 0), _GZ),
    _good("gz_two_members", _gzip(_a) + _gzip(_b), _GZ, description="Ü, ber"),
    _good("gz_empty_members", _gzip(b"") + _gzip(snapshot("gz_empty_members")) + _gzip(b""), _GZ),
    _good("gz_member_per_byte", b"".join(_gzip(bytes([c])) for c in snapshot("gz_member_per_byte")), _GZ),
    _good("gz_every_header_field", _gzip_with_every_field(snapshot("gz_every_header_field")), _GZ),
    _good("gz_large", _gzip(snapshot("gz_large", 3000)), _GZ, 3000, total_views=300000),
    _good("zst", _zstd(snapshot("zst")), _ZST),
    _good("zst_mixed_case", _zstd(snapshot("zst_mixed_case")), ".Csv.ZsT"),
    _good("zst_without_size", _zstd(snapshot("zst_without_size"), content_size=False), _ZST),
    _good("zst_without_checksum", _zstd(snapshot("zst_without_checksum"), checksum=False), _ZST),
    _good("zst_two_frames", _zstd(_c) + _zstd(_d), _ZST, description="Ü, ber"),
    _good("zst_empty_frames", _zstd(b"") + _zstd(snapshot("zst_empty_frames")) + _zstd(b""), _ZST),
    _good(
        "zst_skippable_frames",
        _skippable(b"skip me", 15) + _zstd(snapshot("zst_skippable_frames")) + _skippable(b""),
        _ZST,
    ),
    _good("zst_large", _zstd(snapshot("zst_large", 3000)), _ZST, 3000, total_views=300000),
]

_gz_bytes = _gzip(snapshot("gz_broken", 20))
_zst_bytes = _zstd(snapshot("zst_broken", 20))

BROKEN: Final = [
    _bad("gz_plain_inside", snapshot("gz_plain_inside"), _GZ),
    _bad("gz_zst_inside", _zstd(snapshot("gz_zst_inside")), _GZ),
    _bad("gz_zlib_inside", zlib.compress(snapshot("gz_zlib_inside")), _GZ),
    _bad("gz_cut_in_header", _gz_bytes[:7], _GZ),
    _bad("gz_cut_in_data", _gz_bytes[: len(_gz_bytes) // 2], _GZ),
    _bad("gz_cut_before_trailer", _gz_bytes[:-8], _GZ),
    _bad("gz_cut_in_trailer", _gz_bytes[:-1], _GZ),
    _bad("gz_nothing_and_cut", _gzip(b"")[:-3], _GZ),
    _bad("gz_flipped_bit", _flipped(_gz_bytes, len(_gz_bytes) // 2), _GZ),
    _bad("gz_wrong_checksum", _flipped(_gz_bytes, -8), _GZ),
    _bad("gz_wrong_size", _flipped(_gz_bytes, -4), _GZ),
    _bad("gz_reserved_flag", _gz_bytes[:3] + b"\x80" + _gz_bytes[4:], _GZ),
    _bad("gz_trailing_byte", _gz_bytes + b"x", _GZ),
    _bad("gz_trailing_line_end", _gz_bytes + b"\n", _GZ),
    _bad("gz_trailing_zeros", _gz_bytes + bytes(512), _GZ),
    _bad("gz_trailing_plain_rows", _gz_bytes + good_line("gz_trailing_plain_rows").encode(), _GZ),
    _bad("gz_second_member_cut", _gz_bytes + _gz_bytes[:-5], _GZ),
    _bad("gz_second_member_only_magic", _gz_bytes + b"\x1f\x8b", _GZ),
    _bad("gz_second_member_broken", _gz_bytes + _flipped(_gz_bytes, -8), _GZ),
    _bad("gz_blanks_and_trailing_bytes", _gzip(b"\n") + b"x", _GZ),
    _bad("gz_broken_beats_not_utf8", _gzip(b"\xff\xff")[:-1], _GZ),
    _bad("zst_plain_inside", snapshot("zst_plain_inside"), _ZST),
    _bad("zst_gz_inside", _gzip(snapshot("zst_gz_inside")), _ZST),
    _bad("zst_cut_in_magic", _zst_bytes[:3], _ZST),
    _bad("zst_cut_in_data", _zst_bytes[: len(_zst_bytes) // 2], _ZST),
    _bad("zst_cut_in_checksum", _zst_bytes[:-1], _ZST),
    _bad("zst_wrong_checksum", _flipped(_zst_bytes, -1), _ZST),
    _bad("zst_trailing_byte", _zst_bytes + b"x", _ZST),
    _bad("zst_trailing_zeros", _zst_bytes + bytes(512), _ZST),
    _bad("zst_trailing_plain_rows", _zst_bytes + good_line("zst_trailing_plain_rows").encode(), _ZST),
    _bad("zst_second_frame_cut", _zst_bytes + _zst_bytes[:-5], _ZST),
    _bad("zst_second_frame_broken", _zst_bytes + _flipped(_zst_bytes, -1), _ZST),
    _bad("zst_skippable_frame_cut", _zst_bytes + _skippable(b"skip me")[:-1], _ZST),
    _bad("zst_skippable_header_cut", _zst_bytes + _skippable(b"")[:-1], _ZST),
]

# A compressed file under a plain name is no text.
UNDER_OTHER_NAMES: Final = [
    condemned("csv_gz_inside", "not_utf8", _gzip(snapshot("csv_gz_inside"))),
    condemned("csv_zst_inside", "not_utf8", _zstd(snapshot("csv_zst_inside"))),
    condemned("gz_in_gz", "not_utf8", _gzip(_gzip(snapshot("gz_in_gz"))), "gz_in_gz.csv.gz"),
]

EMPTY: Final = [
    condemned("empty", "empty_file", b""),
    condemned("empty_line_end", "empty_file", b"\n"),
    condemned("empty_blank", "empty_file", b" "),
    condemned("empty_cr", "empty_file", b"\r"),
    condemned("empty_crs_and_blanks", "empty_file", b"\r\r \t\r\n \n"),
    condemned("empty_bom", "empty_file", b"\xef\xbb\xbf"),
    condemned("empty_bom_and_lines", "empty_file", b"\xef\xbb\xbf\r\n\r\n"),
    condemned("empty_two_boms", "empty_file", b"\xef\xbb\xbf\xef\xbb\xbf"),
    condemned("empty_large", "empty_file", b" \n" * 500_000),
    condemned("empty_gz_stored_blanks", "empty_file", b"\n \n", "empty_gz_stored_blanks.csv.gz"),
    condemned("empty_zst_stored_bom", "empty_file", b"\xef\xbb\xbf\n", "empty_zst_stored_bom.csv.zst"),
    condemned("empty_gz", "empty_file", _gzip(b""), "empty_gz.csv.gz"),
    condemned("empty_gz_of_blanks", "empty_file", _gzip(b"\t \r\n"), "empty_gz_of_blanks.csv.gz"),
    condemned("empty_gz_of_bom", "empty_file", _gzip(b"\xef\xbb\xbf\n"), "empty_gz_of_bom.csv.gz"),
    condemned("empty_gz_members", "empty_file", _gzip(b"") * 3, "empty_gz_members.csv.gz"),
    condemned("empty_zst", "empty_file", _zstd(b""), "empty_zst.csv.zst"),
    condemned("empty_zst_of_blanks", "empty_file", _zstd(b"\n\n"), "empty_zst_of_blanks.csv.zst"),
    condemned("empty_zst_skippable", "empty_file", _skippable(b"video_id"), "empty_zst_skippable.csv.zst"),
]

CASES: Final = [*SOUND, *BROKEN, *UNDER_OTHER_NAMES, *EMPTY]
