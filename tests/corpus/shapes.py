"""The shape of a CSV: line ends, quotes, empty lines, records of the wrong width, and where they start."""

from typing import Final

from tests.corpus.case import (
    HEADER,
    Case,
    Entry,
    Expected,
    accepted,
    accepts,
    condemned,
    good_cells,
    good_line,
    good_lines,
    line,
    snapshot,
)

_LAST_IS_DESCRIPTION: Final = (
    "video_id,channel_id,channel_name,channel_subscribers,"
    "total_views,total_likes,total_dislikes,date_created,date_updated,description"
)


def _raw(name: str, description: str) -> str:
    """A row whose description stands in the file exactly as given, quotes and all."""
    return good_line(name, 11).replace("Video 11", description)


def _reads(name: str, description: str, value: str) -> Case:
    """Ten good rows and one whose raw description is read as that value."""
    return accepted(name, f"{HEADER}\n{good_lines(name, 10)}{_raw(name, description)}\n", 11, description=value)


def _not_csv(name: str, description: str) -> Case:
    """The row with that raw description stands in the middle of good ones."""
    content = f"{HEADER}\n{good_lines(name, 10)}{_raw(name, description)}\n{good_line(name, 12)}\n"
    return condemned(name, "not_csv", content)


def _wrong_width(name: str, *records: str) -> Case:
    """Forty good rows, then these records from line 42 on."""
    entries: tuple[Entry, ...] = tuple((42 + i, None, "wrong_cell_count", None) for i in range(len(records)))
    content = f"{HEADER}\n{good_lines(name, 40)}" + "\n".join(records) + "\n"
    outcome = Expected(entries=entries, rows_total=40 + len(records), rows_rejected=len(records))
    return Case(name, content.encode(), outcome)


def _placed(name: str, content: str, at_line: int, rows: int) -> Case:
    """One row of many has the views "x"; it starts on that line."""
    entries: tuple[Entry, ...] = ((at_line, "total_views", "not_an_integer", "x"),)
    return Case(name, content.encode(), Expected(entries=entries, rows_total=rows, rows_rejected=1))


def _odd(name: str, n: int) -> str:
    return line(good_cells(name, n, {"total_views": "x"}).values())


def _after_texts(name: str, text: str) -> str:
    """Ten good rows with that description, and the odd one."""
    rows = [line(good_cells(name, n, {"description": text}).values()) for n in range(1, 11)]
    return "\n".join([HEADER, *rows, _odd(name, 11)])


LINE_ENDS: Final = [
    accepted("crlf", snapshot("crlf", 3).replace(b"\n", b"\r\n"), 3, description="Video 3"),
    accepted("crlf_and_lf_mixed", snapshot("crlf_and_lf_mixed", 3).replace(b"Z\n", b"Z\r\n", 2), 3),
    accepted("last_line_without_end", snapshot("last_line_without_end", 2)[:-1], 2),
    accepted(
        "last_line_without_end_quoted",
        f'{HEADER}\n{good_line("last_line_quoted")[:-20]}"2025-06-01 12:00"',
        1,
    ),
    accepted("empty_lines_everywhere", b"\n\n" + snapshot("empty_lines_all", 3).replace(b"\n", b"\n\n\n"), 3),
    accepted("empty_lines_crlf", b"\r\n\r\n" + snapshot("empty_lines_crlf", 3).replace(b"\n", b"\r\n\r\n\n"), 3),
    condemned("cr_only", "not_csv", snapshot("cr_only", 3).replace(b"\n", b"\r")),
    condemned("cr_at_the_end_of_the_file", "not_csv", snapshot("cr_at_the_end_of_the_file", 3)[:-1] + b"\r"),
    condemned("cr_on_a_line_of_its_own_at_the_end", "not_csv", snapshot("cr_on_a_line_of_its_own", 3) + b"\r"),
    condemned("cr_in_the_header", "not_csv", snapshot("cr_in_the_header").replace(b"total_l", b"\rtotal_l")),
    condemned("cr_before_the_header", "not_csv", b"\r" + snapshot("cr_before_the_header")),
    condemned("cr_cr_lf", "not_csv", snapshot("cr_cr_lf").replace(b"\n", b"\r\r\n")),
    condemned("cr_in_a_short_record", "not_csv", snapshot("cr_in_a_short_record", 12) + b"a\rb\n"),
    condemned("cr_far_down", "not_csv", snapshot("cr_far_down", 20_000) + b"a\rb\n"),
    _not_csv("cr_in_an_unquoted_cell", "Video\r11"),
    _not_csv("cr_after_a_quoted_cell", '"Video"\r'),
]

QUOTES: Final = [
    _reads("quoted_lf", '"a\nb"', "a\nb"),
    _reads("quoted_crlf_is_kept", '"a\r\nb"', "a\r\nb"),
    _reads("quoted_lone_cr", '"a\rb"', "a\rb"),
    _reads("quoted_comma", '"a,b,,c"', "a,b,,c"),
    _reads("quoted_quote", '"a ""b"" c"', 'a "b" c'),
    _reads("quoted_only_quotes", '""""""', '""'),
    _reads("quoted_empty", '""', ""),
    _reads("quoted_blanks_are_kept", '"  a  "', "  a  "),
    _reads("quoted_record_inside", f'"\n{HEADER}\n"', f"\n{HEADER}\n"),
    _reads("quote_inside_unquoted", 'a "b" c', 'a "b" c'),
    _reads("quote_at_end_of_unquoted", '12"', '12"'),
    _reads("quote_after_a_blank", ' "a"', ' "a"'),
    _reads("quote_after_a_blank_is_never_closed", ' "a', ' "a'),
    _reads("quotes_doubled_in_unquoted", 'a""b', 'a""b'),
    _reads("single_quotes_are_text", "'a'", "'a'"),
    _reads("backslash_is_text", "a\\", "a\\"),
    _reads("backslash_n_is_text", "a\\nb\\", "a\\nb\\"),
    _reads("hash_is_text", "# no comment", "# no comment"),
    _reads("formula_is_text", "=HYPERLINK(0)", "=HYPERLINK(0)"),
    _reads("html_is_text", "<script>alert(1)</script>", "<script>alert(1)</script>"),
    _reads("unicode_line_separators_are_text", "a\u2028b\u2029c\u0085d", "a\u2028b\u2029c\u0085d"),
    # Two beginnings of zlib data, the second if a control character stands for the quote.
    accepted("x_and_a_caret_come_first", f"{HEADER}\nx^{good_line('caret')}\n", 1, video_id="x^caret-1"),
    accepted("x_and_a_quote_come_first", f'{HEADER}\nx"{good_line("quote")}\n', 1, video_id='x"quote-1'),
    accepted(
        "everything_quoted",
        "\n".join('"' + row.replace(",", '","') + '"' for row in (HEADER, good_line("everything_quoted"))),
        1,
        total_views=100,
    ),
    _not_csv("quote_text_after", '"a"b'),
    _not_csv("quote_blank_after", '"a" '),
    _not_csv("quote_backslash_escape", '"a \\"b\\" c"'),
    _not_csv("quote_never_closed", '"a'),
    _not_csv("quote_odd_number", '"""'),
    condemned("quote_never_closed_at_the_end", "not_csv", snapshot("quote_never_closed_at_the_end", 3) + b'"'),
    condemned("quote_never_closed_in_the_header", "not_csv", b'"' + snapshot("quote_never_closed_header", 3)),
    condemned("quote_text_after_in_the_header", "not_csv", b'"video_id"s' + snapshot("quote_text_header")[8:]),
    condemned("not_csv_beats_missing_column", "not_csv", 'id,name\n1,"x"y\n'),
    condemned("not_csv_beats_duplicate_column", "not_csv", f'video_id,{HEADER}\n"'),
    condemned("not_csv_far_down", "not_csv", snapshot("not_csv_far_down", 20_000) + b'x,"'),
]

WIDTHS: Final = [
    _wrong_width("record_short", "a,b,c"),
    _wrong_width("record_without_its_last_cell", good_line("record_without_its_last_cell").rpartition(",")[0]),
    _wrong_width("record_long", good_line("record_long") + ",more"),
    _wrong_width("record_with_trailing_comma", good_line("record_with_trailing_comma") + ","),
    _wrong_width("record_of_blanks", "  ", "\t"),
    _wrong_width("record_of_one_empty_cell", '""'),
    _wrong_width("record_of_one_comma", ","),
    _wrong_width("record_of_ctrl_z", "\x1a"),
    _wrong_width("record_short_with_nul", "\x00,\x00"),
    _wrong_width("record_very_long", "," * 5000),
    _wrong_width("record_with_unquoted_comma", good_line("record_comma").replace("Video 1", "one, two")),
    _wrong_width("records_of_semicolons", good_line("a").replace(",", ";"), good_line("b").replace(",", "\t")),
    accepted(
        "description_last_and_empty",
        f"{_LAST_IS_DESCRIPTION}\n"
        "last-1,UC1,One,1,1,1,1,2025-06-01T00:00Z,2025-06-01T01:00Z,\n"
        "last-2,UC1,One,1,2,2,2,2025-06-01T00:00Z,2025-06-01T01:00Z,",
        2,
        video_id="last-2",
        description="",
        total_views=2,
    ),
    Case(
        "description_last_and_not_there",
        f"{_LAST_IS_DESCRIPTION}\n".encode()
        + b"last-3,UC1,One,1,1,1,1,2025-06-01T00:00Z,2025-06-01T01:00Z,\n" * 10
        + b"last-4,UC1,One,1,2,2,2,2025-06-01T00:00Z,2025-06-01T01:00Z",
        Expected(entries=((12, None, "wrong_cell_count", None),), rows_total=11, rows_rejected=1),
    ),
]

LINES: Final = [
    _placed("line_after_quoted_lf", _after_texts("quoted_lf", "a\nb\nc"), 32, 11),
    _placed("line_after_quoted_crlf", _after_texts("quoted_crlf", "a\r\nb"), 22, 11),
    _placed("line_after_quoted_cr", _after_texts("quoted_cr", "a\rb\rc"), 12, 11),
    _placed("line_after_unicode_separators", _after_texts("separators", "a\u2028\u2029\u0085b"), 12, 11),
    _placed("line_with_crlf", _after_texts("crlf", "a").replace("\n", "\r\n"), 12, 11),
    _placed("line_with_bom", "\ufeff" + _after_texts("bom", "a"), 12, 11),
    _placed(
        "line_after_a_header_of_two_lines",
        _after_texts("two", "a").replace("video_id", '"video_id\n"', 1),
        13,
        11,
    ),
    _placed("line_after_empty_lines", f"\n\n{HEADER}\n\n{good_lines('gap', 10)}\r\n\n{_odd('gap', 11)}\n", 17, 11),
    _placed(
        "line_of_a_record_of_many_lines",
        f"{HEADER}\n{good_lines('many', 9)}"
        + line(good_cells("many", 10, {"total_views": "x", "description": "a\nb\nc"}).values())
        + f"\n{good_line('many', 11)}\n",
        11,
        11,
    ),
    accepts("cell_of_many_lines", {"description": "\n" * 9000}, description="\n" * 9000),
]

CASES: Final = [*LINE_ENDS, *QUOTES, *WIDTHS, *LINES]
