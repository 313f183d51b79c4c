"""What a cell may hold, by the type of its column: the exact rule in Python, and its fast counterpart in Polars.

`read` is the one source of a cell's reason code. The expressions type whole columns: what they accept, `read` accepts
with the same value; what they do not accept is left to `read`. Casts and parsers of Polars take more than the contract
does (`+5`, one-digit months, `:60`), so each comes with a guard.
"""

import re
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

import polars as pl

from minidata.dataset import Column, IntegerColumn, TextColumn, TimestampColumn

BLANKS: Final = " \t\r\n\u00a0\u200b\ufeff"
"""What trimming cuts at both ends of a cell: blanks, line ends, no-break and zero-width spaces, byte order marks."""

Value = str | int | datetime | None

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LARGEST = 2**63 - 1
_DIGITS = re.compile(r"[0-9]++")
_NEGATIVE = re.compile(r"-[0-9]++")
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-5][0-9])(?:\.([0-9]{1,6}))?)?"
    r"(?:Z| UTC|([+-])([01][0-9]|2[0-3])(?::?([0-5][0-9]))?)?"
)
_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
_USUAL: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-5][0-9]$"
_HOURS_ALONE: Final = 3  # characters of an offset such as +02
_FIRST: Final = datetime(1, 1, 1)  # noqa: DTZ001  # naive UTC


class BrokenRuleError(Exception):
    """A cell breaks a rule; the argument is the reason code."""


class Typed(NamedTuple):
    """A column of cells, typed: the value, null where there is none, and the guard without which it does not count."""

    value: pl.Expr
    guard: pl.Expr


class CellRule(Protocol):
    """The rule of one column."""

    @property
    def dtype(self) -> pl.DataType:
        """The type of its values in a frame; instants are naive, in UTC."""

    def read(self, cell: str) -> Value:
        """Return the value of a cell without control characters.

        Raises:
            BrokenRuleError: with the one code that holds for the cell by itself.
        """

    def usual(self, cell: pl.Expr) -> Typed:
        """Type cells as most programs write them."""

    def unusual(self, cell: pl.Expr) -> Typed:
        """Type cells in all ways that the contract allows, or nearly."""

    def holds(self, value: pl.Expr) -> pl.Expr:
        """Whether a value is within the limits of the column; null where it is null."""


class _Text:
    """Text between two lengths, in code points."""

    dtype = pl.String()

    def __init__(self, column: TextColumn) -> None:
        self._trimmed = column.trimmed
        self._lengths = column.min_length, column.max_length

    def read(self, cell: str) -> str:
        text = cell.strip(BLANKS) if self._trimmed else cell
        if len(text) < self._lengths[0]:
            raise BrokenRuleError("missing_value")
        if len(text) > self._lengths[1]:
            raise BrokenRuleError("too_long")
        return text

    def usual(self, cell: pl.Expr) -> Typed:
        return Typed(cell.str.strip_chars(BLANKS) if self._trimmed else cell, pl.lit(value=True))

    unusual = usual

    def holds(self, value: pl.Expr) -> pl.Expr:
        return value.str.len_chars().is_between(*self._lengths)


class _Integer:
    """A whole number from 0 to 2^63-1."""

    dtype = pl.Int64()

    def read(self, cell: str) -> int:
        text = _trimmed(cell)
        if _NEGATIVE.fullmatch(text):
            raise BrokenRuleError("negative")
        if not _DIGITS.fullmatch(text):
            raise BrokenRuleError("not_an_integer")
        digits = text.lstrip("0") or "0"
        # The length first: Python refuses to convert thousands of digits.
        if len(digits) > len(str(_LARGEST)) or int(digits) > _LARGEST:
            raise BrokenRuleError("out_of_range")
        return int(digits)

    def usual(self, cell: pl.Expr) -> Typed:
        # The cast takes a sign before the digits, and both signs sort before them.
        return Typed(cell.cast(pl.Int64, strict=False), cell >= "0")

    def unusual(self, cell: pl.Expr) -> Typed:
        return self.usual(cell.str.strip_chars(BLANKS))

    def holds(self, value: pl.Expr) -> pl.Expr:
        return value >= 0


class _Timestamp:
    """An instant in UTC, of the years 1 to 9999, not after `latest`."""

    dtype = pl.Datetime("us")

    def __init__(self, latest: datetime | None) -> None:
        self._latest = latest or datetime.max  # noqa: DTZ901  # naive UTC

    def read(self, cell: str) -> datetime:
        found = _TIMESTAMP.fullmatch(_trimmed(cell))
        if found is None:
            raise BrokenRuleError("not_a_timestamp")
        year, month, day, hour, minute, second, fraction, sign, hours, minutes = found.groups(default="0")
        date, time = (int(year), int(month), int(day)), (int(hour), int(minute), int(second))
        try:
            local = datetime(*date, *time, int(fraction.ljust(6, "0")))  # noqa: DTZ001
            east = timedelta(hours=int(hours), minutes=int(minutes))
            return local + east if sign == "-" else local - east
        except (ValueError, OverflowError):
            raise BrokenRuleError("not_a_timestamp") from None

    def usual(self, cell: pl.Expr) -> Typed:
        return Typed(cell.str.to_datetime(_FORMAT, time_unit="us", strict=False), cell.str.contains(_USUAL))

    def unusual(self, cell: pl.Expr) -> Typed:
        text = cell.str.strip_chars(BLANKS)
        last = text.str.slice(16)  # what follows the minute
        zone = last.str.extract(r"([+-].*)$").fill_null("")
        minutes = _number(zone.str.slice(1, 2)).fill_null(0) * 60
        minutes += pl.when(zone.str.len_bytes() > _HOURS_ALONE).then(_number(zone.str.tail(2))).otherwise(0)
        east = pl.when(zone.str.head(1) == "-").then(-minutes).otherwise(minutes)
        length = text.str.len_bytes().cast(pl.Int64) - zone.str.len_bytes()
        local = text.str.slice(0, length).str.strip_suffix("Z").str.strip_suffix(" UTC")
        second, fraction = local.str.slice(17, 2).str.pad_start(2, "0"), local.str.slice(20).str.pad_end(6, "0")
        parts = (local.str.head(10), pl.lit(" "), local.str.slice(11, 5), pl.lit(":"), second)
        start = pl.concat_str(*parts).str.to_datetime(_FORMAT, time_unit="us", strict=False)
        value = start + pl.duration(microseconds=_number(fraction), minutes=-east)
        return Typed(value, text.str.contains(f"^{_TIMESTAMP.pattern}$") & (start >= _FIRST))

    def holds(self, value: pl.Expr) -> pl.Expr:
        return value.is_between(_FIRST, self._latest)


class _Optional:
    """Another rule, but an empty cell is null."""

    def __init__(self, rule: CellRule) -> None:
        self._rule = rule
        self.dtype = rule.dtype

    def read(self, cell: str) -> Value:
        return self._rule.read(cell) if cell.strip(BLANKS) else None

    def usual(self, cell: pl.Expr) -> Typed:
        return self._or_null(self._rule.usual(cell), cell)

    def unusual(self, cell: pl.Expr) -> Typed:
        return self._or_null(self._rule.unusual(cell), cell.str.strip_chars(BLANKS))

    def _or_null(self, typed: Typed, cell: pl.Expr) -> Typed:
        return Typed(typed.value, (cell == "") | (typed.guard & typed.value.is_not_null()))

    def holds(self, value: pl.Expr) -> pl.Expr:
        return self._rule.holds(value).fill_null(value=True)  # the guard has told a null from a wrong cell


def rule_of(column: Column, latest: datetime | None = None) -> CellRule:
    """Return the rule of a column; `latest` is the greatest instant that it may hold, naive, in UTC."""
    rule = _rule_of_value(column, latest)
    return _Optional(rule) if column.optional else rule


def _rule_of_value(column: Column, latest: datetime | None) -> CellRule:
    match column:
        case TextColumn():
            return _Text(column)
        case IntegerColumn():
            return _Integer()
        case TimestampColumn():
            return _Timestamp(latest)


def read_cell(rule: CellRule, cell: str) -> Value:
    """Return the typed value of a cell.

    Raises:
        BrokenRuleError: with the one code that holds for the cell by itself.
    """
    if _CONTROL.search(cell):
        raise BrokenRuleError("control_character")
    return rule.read(cell)


def _trimmed(cell: str) -> str:
    """Return the text of a cell that must not be empty."""
    text = cell.strip(BLANKS)
    if not text:
        raise BrokenRuleError("missing_value")
    return text


def _number(digits: pl.Expr) -> pl.Expr:
    return digits.cast(pl.Int64, strict=False)
