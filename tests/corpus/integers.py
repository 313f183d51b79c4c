"""Counts: 0 to 2^63-1 in plain ASCII digits, and everything that other readers would take for a number."""

from typing import Final

from tests.corpus.case import accepts, rejects

_REQUIRED: Final = ("channel_subscribers", "total_views")
_OPTIONAL: Final = ("total_likes", "total_dislikes")
_COLUMNS: Final = (*_REQUIRED, *_OPTIONAL)

_ACCEPTED: Final = {
    "zero": ("0", 0),
    "zeros": ("0000", 0),
    "padded": (" \t7 ", 7),
    "padded_with_line_ends": ("\r\n7\n", 7),
    "no_break_space_around": ("\u00a05\u00a0", 5),
    "byte_order_mark_before": ("\ufeff5", 5),
    "zero_width_space_behind": ("5 \u200b", 5),
    "30_leading_zeros": ("0" * 30 + "7", 7),
    "5000_leading_zeros": ("0" * 5000 + "7", 7),
    "over_2_to_31": ("2147483648", 2_147_483_648),
    "over_2_to_53": ("9007199254740993", 9_007_199_254_740_993),
    "leading_zeros_and_largest": ("0009223372036854775807", 9_223_372_036_854_775_807),
}
_REFUSED: Final = {
    "missing_value": {"empty": "", "blank": " \t ", "line_end": "\n", "invisible": "\u00a0\u200b\ufeff"},
    "negative": {
        "minus_five": "-5",
        "minus_zero": "-0",
        "minus_padded": "  -5\t",
        "minus_leading_zeros": "-0005",
        "minus_2_to_63": "-9223372036854775808",
        "minus_far_out": "-99999999999999999999999999",
    },
    "out_of_range": {
        "2_to_63": "9223372036854775808",
        "2_to_64": "18446744073709551616",
        "2_to_64_and_five": "18446744073709551621",
        "20_digits": "99999999999999999999",
        "zeros_and_2_to_63": "00009223372036854775808",
    },
    "not_an_integer": {
        "plus": "+5",
        "plus_zero": "+0",
        "underscore": "1_000",
        "comma": "1,000",
        "apostrophe": "1'000",
        "blank_inside": "1 000",
        "line_end_inside": "1\n2",
        "exponent": "1e3",
        "point_zero": "12.0",
        "point": "12.",
        "minus_point": "-1.5",
        "hexadecimal": "0x10",
        "octal": "0o17",
        "minus_alone": "-",
        "two_minus": "--5",
        "minus_blank": "- 5",
        "minus_behind": "5-",
        "minus_sign_u2212": "\u22125",
        "arabic_digits": "\u0661\u0662\u0663",
        "minus_arabic_digits": "-\u0661",
        "devanagari_digit": "\u096a",
        "fullwidth_digits": "\uff11\uff12",
        "superscript": "2\u00b2",
        "circled": "\u2460",
        "thin_space_inside": "1\u2009000",
        "em_space_behind": "5\u2003",
        "next_line_behind": "5\u0085",
        "no_break_space_inside": "1\u00a0000",
        "word_joiner_before": "\u20605",
        "letter": "x",
        "letter_behind": "5L",
        "percent": "5%",
        "nan": "NaN",
        "infinity": "inf",
        "null": "NULL",
        "true": "true",
        "quotes_of_its_own": '"5"',
        "quote_before": "'5",
    },
}

CASES: Final = [
    *(accepts(f"views_{name}", {"total_views": cell}, total_views=value) for name, (cell, value) in _ACCEPTED.items()),
    *(
        rejects(f"views_{name}", {"total_views": cell}, ("total_views", code))
        for code, cells in _REFUSED.items()
        for name, cell in cells.items()
    ),
    rejects("views_400_digits", {"total_views": "9" * 400}, ("total_views", "out_of_range", "9" * 200)),
    rejects("views_5000_digits", {"total_views": "1" * 5000}, ("total_views", "out_of_range", "1" * 200)),
    rejects(
        "views_minus_5000_digits",
        {"total_views": "-" + "1" * 5000},
        ("total_views", "negative", "-" + "1" * 199),
    ),
    *(accepts(f"{c}_largest", {c: "9223372036854775807"}, **{c: 9_223_372_036_854_775_807}) for c in _COLUMNS),
    *(rejects(f"{c}_too_large", {c: "9223372036854775808"}, (c, "out_of_range")) for c in _COLUMNS),
    *(rejects(f"{c}_negative", {c: "-1"}, (c, "negative")) for c in _COLUMNS),
    *(rejects(f"{c}_missing", {c: ""}, (c, "missing_value")) for c in _REQUIRED),
    *(accepts(f"{c}_unknown", {c: ""}, **{c: None}) for c in _OPTIONAL),
    *(accepts(f"{c}_unknown_of_blanks", {c: " \t\u00a0\r\n"}, **{c: None}) for c in _OPTIONAL),
    *(rejects(f"{c}_not_unknown_but_null", {c: "NULL"}, (c, "not_an_integer")) for c in _OPTIONAL),
    *(rejects(f"{c}_decimal", {c: "1.0"}, (c, "not_an_integer")) for c in _COLUMNS),
]
