"""Formats of dates and times in a declaration, and patterns of texts."""

import re

EPOCHS = {"epoch_seconds": 1_000_000, "epoch_milliseconds": 1_000}
"""Microseconds of one unit, by format."""

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES = "|".join(f"{month}[a-z]*" for month in MONTHS)
_DIRECTIVES = {
    "Y": "(?P<Y>[0-9]{4})",
    "y": "(?P<y>[0-9]{2})",
    "m": "(?P<m>[0-9]{1,2})",
    "b": f"(?P<b>(?i:{_NAMES}))",
    "d": "(?P<d>[0-9]{1,2})",
    "H": "(?P<H>[0-9]{1,2})",
    "I": "(?P<I>[0-9]{1,2})",
    "M": "(?P<M>[0-5][0-9])",
    "S": "(?P<S>[0-5][0-9])",
    "f": "(?P<f>[0-9]{1,6})",
    "p": "(?P<p>(?i:am|pm))",
    "z": "(?P<z>Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)",
    "%": "%",
}
_DATE = frozenset("Yymbd")


def to_regex(format_: str) -> str:
    r"""Translate a format of `strftime` directives into a regular expression that Python and Polars read alike.

    Raises:
        ValueError: if a directive is unknown or comes twice, or the day, month or year is missing.

    >>> to_regex("%d.%m.%Y")
    '(?P<d>[0-9]{1,2})\\\.(?P<m>[0-9]{1,2})\\\.(?P<Y>[0-9]{4})'
    """
    found: list[str] = re.findall("%(.?)", format_, re.DOTALL)
    for directive in found:
        if directive not in _DIRECTIVES:
            known = " ".join(f"%{name}" for name in _DIRECTIVES)
            raise ValueError(f"`%{directive}` in `{format_}` is unknown; the directives are {known}")
        if found.count(directive) > 1 and directive != "%":
            raise ValueError(f"`%{directive}` comes twice in `{format_}`")
    for need, what in (("Yy", "year (%Y)"), ("mb", "month (%m)"), ("d", "day (%d)")):
        if len(set(need) & set(found)) != 1:
            raise ValueError(f"`{format_}` needs exactly one {what}; a format looks like %d.%m.%Y %H:%M")
    if ("I" in found) != ("p" in found) or ("I" in found and "H" in found):
        raise ValueError(f"`{format_}` needs %I and %p together, or %H alone")
    parts = re.split("(%.)", format_, flags=re.DOTALL)
    return "".join(_DIRECTIVES[part[1]] if re.fullmatch("%.", part) else re.escape(part) for part in parts)


def check_timestamp_format(format_: str) -> str:
    """Return a format of timestamps; raise ValueError if it is wrong."""
    if format_ != "iso" and format_ not in EPOCHS:
        to_regex(format_)
    return format_


def check_date_format(format_: str) -> str:
    """Return a format of dates; raise ValueError if it is wrong."""
    to_regex(format_)
    if extra := set(re.findall("%(.)", format_)) - _DATE - {"%"}:
        raise ValueError(f"`{format_}` has a time (%{min(extra)}); declare the column as a timestamp")
    return format_


def check_pattern(pattern: str) -> str:
    """Return a pattern of texts; raise ValueError if it is no regular expression."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"`{pattern}` is no regular expression: {error}") from None
    return pattern
