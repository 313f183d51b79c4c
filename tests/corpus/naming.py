"""Names of files and limits of size: `unsupported_file_type`, `too_large`, and what comes close to them."""

import gzip
from typing import Final

import zstandard

from tests.corpus.case import HEADER, Case, Expected, accepted, condemned, good_line, snapshot

_KEPT_KEYS: Final = {
    "good": "good.csv",
    "name_in_upper_case": "NAME_IN_UPPER_CASE.CSV",
    "name_in_mixed_case": "Name_In_Mixed_Case.Csv",
    "name_of_two_extensions": "name_of_two_extensions.csv.gz.csv",
    "name_that_is_only_the_extension": "name that is only the extension/.csv",
    "name_with_odd_characters": "ünï čödé/a b+c%20d&e=f/name's (odd) characters #1.csv",
}
_REFUSED_KEYS: Final = {
    "name_txt": "name_txt.txt",
    "name_without_extension": "name_without_extension",
    "name_without_the_dot": "name_without_the_dot_csv",
    "name_csv_in_the_middle": "name_csv_in_the_middle.csv.bak",
    "name_of_a_folder_only": "name_of_a_folder_only.csv/snapshot",
    "name_with_trailing_blank": "name_with_trailing_blank.csv ",
    "name_with_trailing_line_end": "name_with_trailing_line_end.csv\n",
    "name_with_trailing_dot": "name_with_trailing_dot.csv.",
    "name_tsv": "name_tsv.tsv",
    "name_with_long_s": "name_with_long_s.c\u017fv",  # upper-cased it would be .CSV
    "name_fullwidth": "name_fullwidth.\uff43\uff53\uff56",  # NFKC would make it .csv
}
_REFUSED_PACKED_KEYS: Final = {
    "name_gz_without_csv": "name_gz_without_csv.gz",
    "name_gzip": "name_gzip.csv.gzip",
    "name_csvgz": "name_csvgz.csvgz",
}


def _of_size(name: str, size: int) -> bytes:
    """A good snapshot of exactly so many bytes."""
    head = f"{HEADER},padding\n{good_line(name)},".encode()
    return head + b"x" * (size - len(head) - 1) + b"\n"


def _limited(name: str, data: bytes, limit: int, outcome: Expected, extension: str) -> Case:
    return Case(name, data, outcome, f"{name}{extension}", max_file_bytes=limit)


_ONE_PADDED_ROW = Expected(rows_total=1, drift=("padding",))
_TOO_LARGE = Expected("too_large")
_ZSTD = zstandard.ZstdCompressor()

CASES: Final = [
    *(accepted(name, snapshot(name), 1, key=key) for name, key in _KEPT_KEYS.items()),
    *(condemned(name, "unsupported_file_type", snapshot(name), key) for name, key in _REFUSED_KEYS.items()),
    *(
        condemned(name, "unsupported_file_type", gzip.compress(snapshot(name), mtime=0), key)
        for name, key in _REFUSED_PACKED_KEYS.items()
    ),
    condemned(
        "name_zst_without_csv",
        "unsupported_file_type",
        _ZSTD.compress(snapshot("zst_without_csv")),
        "name_zst_without_csv.zst",
    ),
    condemned("name_refused_beats_empty", "unsupported_file_type", b"\n\n\n\n", "name_refused_beats_empty.md"),
    condemned(
        "name_refused_beats_bad_compression",
        "unsupported_file_type",
        b"\x1f\x8b\x08",
        "name_refused_beats.gz",
    ),
    _limited("size_at_the_limit", _of_size("size_at_the_limit", 4096), 4096, _ONE_PADDED_ROW, ".csv"),
    _limited("size_over_the_limit", _of_size("size_over_the_limit", 4097), 4096, _TOO_LARGE, ".csv"),
    _limited(
        "size_unpacked_gz_at_the_limit",
        gzip.compress(_of_size("size_unpacked_gz_at_the_limit", 4096), mtime=0),
        4096,
        _ONE_PADDED_ROW,
        ".csv.gz",
    ),
    _limited(
        "size_unpacked_gz_over_the_limit",
        gzip.compress(_of_size("size_unpacked_gz_over_the_limit", 4097), mtime=0),
        4096,
        _TOO_LARGE,
        ".csv.gz",
    ),
    _limited(
        "size_unpacked_zst_at_the_limit",
        _ZSTD.compress(_of_size("size_unpacked_zst_at_the_limit", 4096)),
        4096,
        _ONE_PADDED_ROW,
        ".csv.zst",
    ),
    _limited(
        "size_unpacked_zst_over_the_limit",
        _ZSTD.compress(_of_size("size_unpacked_zst_over_the_limit", 4097)),
        4096,
        _TOO_LARGE,
        ".csv.zst",
    ),
    _limited(
        "size_of_two_members_over_the_limit",
        gzip.compress(_of_size("size_of_two_members", 4000), mtime=0) + gzip.compress(b"\n" * 97, mtime=0),
        4096,
        _TOO_LARGE,
        ".csv.gz",
    ),
    _limited("size_of_a_bomb", gzip.compress(b"\n" * 2**24, mtime=0), 2**20, _TOO_LARGE, ".csv.gz"),
    _limited(
        "size_packed_over_the_limit",
        gzip.compress(_of_size("size_packed_over_the_limit", 600), 0, mtime=0),
        600,
        _TOO_LARGE,
        ".csv.gz",
    ),
    _limited("size_beats_empty", b"\n" * 101, 100, _TOO_LARGE, ".csv"),
    _limited("size_beats_bad_compression", b"not a gzip stream " * 6, 100, _TOO_LARGE, ".csv.gz"),
    _limited("size_beats_not_utf8", b"\xff" * 101, 100, _TOO_LARGE, ".csv"),
]
