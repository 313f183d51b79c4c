"""Bytes that are UTF-8 or are not: byte order marks, other encodings, forbidden sequences; no normalising."""

from typing import Final

from tests.corpus.case import HEADER, REQUIRED, Case, Expected, accepted, condemned, good_line, snapshot

_BOM: Final = b"\xef\xbb\xbf"


def _described(name: str, description: bytes) -> bytes:
    """A snapshot of one row whose description is these very bytes."""
    return snapshot(name).replace(b"Video 1", description)


def _not_utf8(name: str, description: bytes) -> Case:
    return condemned(name, "not_utf8", _described(name, description))


def _no_column_known(name: str, content: bytes) -> Case:
    return Case(name, content, Expected("missing_column", REQUIRED))


GOOD: Final = [
    accepted("bom", _BOM + snapshot("bom"), 1, video_id="bom-1"),
    accepted("bom_and_quoted_header", _BOM + b'"video_id"' + snapshot("bom_and_quoted_header")[8:], 1),
    accepted("bom_and_empty_lines", _BOM + b"\r\n\n" + snapshot("bom_and_empty_lines"), 1),
    accepted("bom_inside_a_cell", _described("bom_inside_a_cell", _BOM + b"x"), 1, description="\ufeffx"),
    accepted(
        "utf8_of_every_length",
        _described("utf8_of_every_length", "a é 中 🎬 \U0010ffff".encode()),
        1,
        description="a é 中 🎬 \U0010ffff",
    ),
    accepted(
        "utf8_noncharacters",
        _described("utf8_noncharacters", "\ufffe\uffff\ufdd0\ufffd".encode()),
        1,
        description="\ufffe\uffff\ufdd0\ufffd",
    ),
    accepted(
        "utf8_composed_and_decomposed_ids_differ",
        "\n".join((HEADER, good_line("caf\u00e9"), good_line("cafe\u0301"))),
        2,
        video_id="cafe\u0301-1",
    ),
    accepted(
        "utf8_ligatures_stay",
        "\n".join((HEADER, good_line("\ufb01lm \u212b \uff21"))),
        1,
        video_id="\ufb01lm \u212b \uff21-1",
    ),
]

NOT_UTF8: Final = [
    condemned("utf16_with_bom", "not_utf8", snapshot("utf16_with_bom").decode().encode("utf-16")),
    condemned("utf16_be_with_bom", "not_utf8", b"\xfe\xff" + snapshot("x").decode().encode("utf-16-be")),
    condemned("utf16_bom_alone", "not_utf8", b"\xff\xfe"),
    condemned("utf32_with_bom", "not_utf8", snapshot("utf32_with_bom").decode().encode("utf-32")),
    condemned("latin_1", "not_utf8", _described("latin_1", "Café".encode("latin-1"))),
    condemned("windows_1252", "not_utf8", _described("windows_1252", "“quoted”".encode("cp1252"))),
    condemned("utf8_cut_at_the_end", "not_utf8", snapshot("utf8_cut_at_the_end") + "🎬".encode()[:3]),
    _not_utf8("utf8_cut_inside", "é".encode()[:1]),
    _not_utf8("utf8_lone_continuation", b"\x80"),
    _not_utf8("utf8_overlong_slash", b"\xc0\xaf"),
    _not_utf8("utf8_overlong_nul", b"\xc0\x80"),
    _not_utf8("utf8_overlong_three_bytes", b"\xe0\x80\xaf"),
    _not_utf8("utf8_surrogate", b"\xed\xa0\x80"),
    _not_utf8("utf8_surrogate_pair", b"\xed\xa0\xbd\xed\xb8\x80"),
    _not_utf8("utf8_beyond_unicode", b"\xf4\x90\x80\x80"),
    _not_utf8("utf8_five_bytes", b"\xf8\x88\x80\x80\x80"),
    _not_utf8("utf8_byte_ff", b"\xff"),
    condemned("utf8_broken_header", "not_utf8", b"\xff" + snapshot("utf8_broken_header")),
    condemned("utf8_broken_far_down", "not_utf8", snapshot("utf8_broken_far_down", 20_000) + b"\xe2\x28\xa1\n"),
    condemned(
        "utf8_broken_in_an_extra_column",
        "not_utf8",
        f"{HEADER},extra\n{good_line('utf8_broken_in_an_extra_column')},".encode() + b"\xff\n",
    ),
    condemned("not_utf8_beats_not_csv", "not_utf8", snapshot("not_utf8_beats_not_csv") + b'"x"y\r"\n\xff'),
    condemned("not_utf8_beats_missing_column", "not_utf8", b"id,name\n1,\xff\n"),
    condemned("not_utf8_beats_no_rows", "not_utf8", HEADER.encode() + b",\xff\n"),
    condemned("bom_cut", "not_utf8", _BOM[:2] + snapshot("bom_cut")),
]

MARKS: Final = [
    # One mark is stripped; another belongs to the first name, which is trimmed of it.
    accepted("bom_twice", _BOM * 2 + snapshot("bom_twice"), 1, video_id="bom_twice-1"),
    accepted("bom_after_an_empty_line", b"\n" + _BOM + snapshot("x"), 1, video_id="x-1"),
]

HEADER_UNKNOWN: Final = [
    # ASCII text in UTF-16 or UTF-32 without a mark is sound UTF-8 with many NULs in it.
    _no_column_known("utf16_without_bom", snapshot("utf16_without_bom").decode().encode("utf-16-le")),
    _no_column_known("utf16_be_without_bom", snapshot("utf16_be").decode().encode("utf-16-be")),
    condemned(
        "utf16_crlf_without_bom",
        "not_csv",
        snapshot("utf16_crlf").replace(b"\n", b"\r\n").decode().encode("utf-16-le"),
    ),
    _no_column_known("nul_byte_alone", b"\x00"),
    _no_column_known("no_break_space_alone", "\u00a0".encode()),
    _no_column_known("bom_between_line_ends", b"\n" + _BOM + b"\n"),
]

CASES: Final = [*GOOD, *NOT_UTF8, *MARKS, *HEADER_UNKNOWN]
