"""The rules of single cells: what a trimmed text, a count or a timestamp must be, and the reason codes."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

BLANKS: Final = " \t\r\n\u00a0\u200b\ufeff"
LARGEST_COUNT: Final = 2**63 - 1

Value = str | int | datetime | None

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_DIGITS = re.compile(r"[0-9]+")
_NEGATIVE = re.compile(r"-[0-9]+")
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?"
    r"(?:Z| UTC|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
)


class RejectedError(Exception):
    """The cell breaks a rule; the argument is its reason code."""

    @property
    def code(self) -> str:
        return str(self.args[0])


def _name(cell: str) -> str:
    """Text of 1 to 255 characters, trimmed."""
    text = cell.strip(BLANKS)
    if not text:
        raise RejectedError("missing_value")
    if len(text) > 255:
        raise RejectedError("too_long")
    return text


def _description(cell: str) -> str:
    """Text of 0 to 10,000 characters, as it stands."""
    if len(cell) > 10_000:
        raise RejectedError("too_long")
    return cell


def _count(cell: str) -> int:
    """An integer from 0 to 2^63-1."""
    text = cell.strip(BLANKS)
    if not text:
        raise RejectedError("missing_value")
    if _NEGATIVE.fullmatch(text):
        raise RejectedError("negative")
    if not _DIGITS.fullmatch(text):
        raise RejectedError("not_an_integer")
    text = text.lstrip("0") or "0"  # Python's int() refuses some thousands of digits, even if all are zeros
    if len(text) > 19 or int(text) > LARGEST_COUNT:
        raise RejectedError("out_of_range")
    return int(text)


def _known_count(cell: str) -> int | None:
    """A count, or nothing where the cell says nothing."""
    return _count(cell) if cell.strip(BLANKS) else None


def _timestamp(cell: str) -> datetime:
    """A moment in UTC, naive, with microseconds."""
    text = cell.strip(BLANKS)
    if not text:
        raise RejectedError("missing_value")
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        raise RejectedError("not_a_timestamp")
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = found.groups(default="0")
    if int(hours) > 23 or int(minutes) > 59:
        raise RejectedError("not_a_timestamp")
    east = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    try:
        wall = datetime(  # UTC throughout, and naive as the contract of the oracle says
            int(year), int(month), int(day), int(hour), int(minute), int(second), int(fraction.ljust(6, "0"))
        )
        return wall - east
    except (ValueError, OverflowError) as error:
        raise RejectedError("not_a_timestamp") from error


RULES: Final[dict[str, Callable[[str], Value]]] = {
    "video_id": _name,
    "channel_id": _name,
    "channel_name": _name,
    "description": _description,
    "channel_subscribers": _count,
    "total_views": _count,
    "total_likes": _known_count,
    "total_dislikes": _known_count,
    "date_created": _timestamp,
    "date_updated": _timestamp,
}
"""The columns in the order of the contract's table; entries of a record and missing columns keep it."""


OPTIONAL: Final = ("total_likes", "total_dislikes")
"""The columns that a header may lack."""


def read(column: str, cell: str) -> Value:
    """The value of a cell of one of our columns.

    Raises:
        RejectedError: with the one reason code that holds for this cell by itself.
    """
    if _CONTROL.search(cell):
        raise RejectedError("control_character")
    return RULES[column](cell)
