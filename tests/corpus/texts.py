"""Text cells: what is trimmed, how long they may be, control characters, words that are nothing special."""

from typing import Final

from tests.corpus.case import Case, accepts, rejects

_NAMES: Final = ("video_id", "channel_id", "channel_name")
_TEXTS: Final = (*_NAMES, "description")
_CELLS_OF_EACH_KIND: Final = {
    "video_id": "a",
    "channel_id": "b",
    "channel_name": "c",
    "description": "d",
    "channel_subscribers": "1",
    "total_views": "2",
    "total_likes": "3",
    "total_dislikes": "4",
    "date_created": "2025-06-01",
    "date_updated": "2025-06-01",
}

# Words that readers, databases and spreadsheets like to take for something else.
_WORDS: Final = {
    "null": "NULL",
    "none": "None",
    "na": "NA",
    "nan": "nan",
    "copy_null": "\\N",
    "copy_end": "\\.",
    "true": "true",
    "number": "00123",
    "float": "1e5",
    "infinity": "-inf",
    "date": "2025-06-01",
    "formula": "=1+1",
    "sql": "'; DROP TABLE mdp.files; --",
    "percent": "%s {0} ${x}",
    "json": '{"a": [1]}',
    "slash": "../../etc/passwd",
}

# C0 controls without tab, LF and CR: in each of them lies a trap of its own.
_CONTROLS: Final = {
    "nul": "\x00",
    "bell": "\x07",
    "vertical_tab": "\x0b",
    "form_feed": "\x0c",
    "unit_separator": "\x1f",
}


def _too_long(column: str, name: str, cell: str) -> Case:
    return rejects(f"{column}_{name}", {column: cell}, (column, "too_long", cell[:200]))


NAMES: Final = [
    case
    for column in _NAMES
    for case in (
        rejects(f"{column}_empty", {column: ""}, (column, "missing_value")),
        rejects(f"{column}_blank", {column: " \t "}, (column, "missing_value")),
        rejects(f"{column}_line_end", {column: "\r\n"}, (column, "missing_value")),
        accepts(f"{column}_255", {column: "x" * 255}, **{column: "x" * 255}),
        accepts(f"{column}_255_in_padding", {column: "  " + "y" * 255 + "\t\n"}, **{column: "y" * 255}),
        accepts(f"{column}_255_non_bmp", {column: "🎬" * 255}, **{column: "🎬" * 255}),
        accepts(f"{column}_blanks_inside", {column: " a  \t b\nc "}, **{column: "a  \t b\nc"}),
        rejects(f"{column}_no_break_space", {column: "\u00a0"}, (column, "missing_value")),
        rejects(f"{column}_invisible", {column: "\u200b\ufeff"}, (column, "missing_value")),
        accepts(f"{column}_invisible_around", {column: "\u200b a\u00a0b\ufeff"}, **{column: "a\u00a0b"}),
        accepts(f"{column}_255_in_invisible", {column: "\u200b" + "y" * 255 + "\u00a0"}, **{column: "y" * 255}),
        accepts(f"{column}_unicode_padding", {column: "\u2003z\u0085"}, **{column: "\u2003z\u0085"}),
        _too_long(column, "256", "x" * 256),
        _too_long(column, "256_non_bmp", "🎬" * 256),
        _too_long(column, "256_of_combining_marks", "e\u0301" * 128),
    )
]

DESCRIPTIONS: Final = [
    accepts("description_empty", {"description": ""}, description=""),
    accepts("description_blank", {"description": " \t"}, description=" \t"),
    accepts("description_is_not_trimmed", {"description": "\n a \r\n"}, description="\n a \r\n"),
    accepts("description_invisible", {"description": "\u00a0\ufeff"}, description="\u00a0\ufeff"),
    accepts("description_10000", {"description": "x" * 10_000}, description="x" * 10_000),
    accepts("description_10000_non_bmp", {"description": "🎬" * 10_000}, description="🎬" * 10_000),
    accepts("description_of_quotes_10000", {"description": '"' * 10_000}, description='"' * 10_000),
    _too_long("description", "10001", "x" * 10_001),
    _too_long("description", "10001_non_bmp", "🎬" * 10_001),
    _too_long("description", "10001_with_its_blanks", " " + "x" * 9_999 + " "),
    _too_long("description", "of_a_million", "long " * 200_000),
    _too_long("description", "of_300000_quotes", '"' * 300_000),
]

WORDS: Final = [
    accepts(f"word_{name}", dict.fromkeys(_TEXTS, word), **dict.fromkeys(_TEXTS, word)) for name, word in _WORDS.items()
]

CONTROLS: Final = [
    *(
        rejects(f"nul_in_{column}", {column: f"{cell}\x00"}, (column, "control_character", f"{cell}\x00"))
        for column, cell in _CELLS_OF_EACH_KIND.items()
    ),
    *(
        rejects(f"{name}_in_a_text", {"description": f"a{control}b"}, ("description", "control_character"))
        for name, control in _CONTROLS.items()
        if control != "\x00"
    ),
    *(
        rejects(
            f"{name}_around_a_number",
            {"total_views": f"{control}5{control}"},
            ("total_views", "control_character"),
        )
        for name, control in _CONTROLS.items()
    ),
    rejects("control_alone_is_not_missing", {"video_id": "\x0b"}, ("video_id", "control_character")),
    rejects("control_around_a_name_is_not_trimmed", {"video_id": "\x1fa\x1c"}, ("video_id", "control_character")),
    rejects(
        "control_in_a_long_name",
        {"video_id": "\x01" + "x" * 300},
        ("video_id", "control_character", "\x01" + "x" * 199),
    ),
    rejects(
        "control_far_behind",
        {"description": "x" * 20_000 + "\x08"},
        ("description", "control_character", "x" * 200),
    ),
    rejects("control_in_a_date", {"date_updated": "\x0c2025-06-01"}, ("date_updated", "control_character")),
    rejects("control_escape_sequence", {"channel_name": "\x1b[31mred"}, ("channel_name", "control_character")),
    accepts("control_tab_lf_cr_are_none", {"description": "\t\n\r"}, description="\t\n\r"),
    accepts("control_delete_is_none", {"channel_name": "a\x7fb"}, channel_name="a\x7fb"),
    accepts("control_c1_are_none", {"channel_name": "\x80a\x9f"}, channel_name="\x80a\x9f"),
    accepts("control_bidi_are_none", {"channel_name": "\u202ea\u2066"}, channel_name="\u202ea\u2066"),
]

CASES: Final = [*NAMES, *DESCRIPTIONS, *WORDS, *CONTROLS]
