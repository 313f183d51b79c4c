"""Finds the rows that are good beyond doubt, a slice at a time, and types them.

What the mask calls good is good by the exact rules; what it does not may still be, and goes to the judge. Casts and
parsers of Polars take more than the contract does (`+5`, one-digit months, `:60`), so each has a guard beside it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import numpy as np
import polars as pl

from minidata.contract.cells import BLANKS
from minidata.contract.scan import Positions
from minidata.dataset import Column, IntegerColumn, TextColumn, TimestampColumn

_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
_USUAL: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-5][0-9]$"
_UNUSUAL: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?$"
)
_FIRST: Final = datetime(1, 1, 1)  # noqa: DTZ001  # naive UTC
_LAST: Final = datetime.max  # noqa: DTZ901  # naive UTC

# The value of a cell, null if it has none, and a guard without which the value does not count.
_Read = tuple[pl.Expr, pl.Expr]


class Mask:
    """The vectorised rules of a dataset.

    Args:
        columns: the declared columns.
        latest: the greatest instant that each timestamp column with a limit may hold; naive, in UTC.
    """

    def __init__(self, columns: Mapping[str, Column], latest: Mapping[str, datetime]) -> None:
        self._columns = columns
        self._latest = latest
        self._mostly_unusual = False  # as the slices before were; the next will hardly be otherwise

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """The types of a typed frame, by column."""
        types = {"text": pl.String(), "integer": pl.Int64(), "timestamp": pl.Datetime("us")}
        return {name: types[column.type] for name, column in self._columns.items()}

    def split(self, text: pl.DataFrame) -> tuple[list[pl.DataFrame], Positions]:
        """Type the rows that are good beyond doubt.

        Args:
            text: the declared columns as text, without null.

        Returns:
            Typed frames of these rows, and the numbers of all other rows, ascending.
        """
        if self._mostly_unusual:
            good, doubtful = self._try(text, _unusual)
            return [good], doubtful
        usual, doubtful = self._try(text, _usual)
        if not doubtful.size:
            return [usual], doubtful
        unusual, still_doubtful = self._try(text[doubtful], _unusual)
        self._mostly_unusual = len(unusual) > len(usual)
        return [usual, unusual], doubtful[still_doubtful]

    def _try(self, text: pl.DataFrame, read: Callable[[str, Column], _Read]) -> tuple[pl.DataFrame, Positions]:
        expressions = [read(name, column) for name, column in self._columns.items()]
        query = text.lazy().select(
            *(value.alias(name) for name, (value, _) in zip(self._columns, expressions, strict=True)),
            pl.all_horizontal(guard for _, guard in expressions).alias(""),
        )
        typed = query.collect()  # not eager at once: what the expressions share is computed once
        good = typed.select(pl.all_horizontal("", *self._rules()).fill_null(value=False)).to_series()
        typed = typed.drop("")
        return (typed if good.all() else typed.filter(good)), np.flatnonzero(~good.to_numpy())

    def _rules(self) -> list[pl.Expr]:
        """Return what a typed row must keep; null where a value is null."""
        rules = []
        for name, column in self._columns.items():
            value = pl.col(name)
            match column:
                case TextColumn():
                    rules.append(value.str.len_chars().is_between(column.min_length, column.max_length))
                case IntegerColumn():
                    rules.append(value >= 0)
                case TimestampColumn():
                    rules.append(value.is_between(_FIRST, self._latest.get(name, _LAST)))
                    if column.not_before:
                        rules.append(value >= pl.col(column.not_before))
        return rules


def _usual(name: str, column: Column) -> _Read:
    """Read a cell as most programs write it."""
    cell = pl.col(name)
    match column:
        case TextColumn():
            return (cell.str.strip_chars(BLANKS) if column.trimmed else cell), pl.lit(value=True)
        case IntegerColumn():
            # The cast takes a sign before the digits, and both signs sort before them.
            return cell.cast(pl.Int64, strict=False), cell >= "0"
        case TimestampColumn():
            return cell.str.to_datetime(_FORMAT, time_unit="us", strict=False), cell.str.contains(_USUAL)


def _unusual(name: str, column: Column) -> _Read:
    """Read a cell in any way that the contract allows, or nearly: one that gets null is left to the judge."""
    trimmed = pl.col(name).str.strip_chars(BLANKS)
    match column:
        case TextColumn():
            return _usual(name, column)
        case IntegerColumn():
            return trimmed.cast(pl.Int64, strict=False), trimmed >= "0"
        case TimestampColumn():
            start, value = _instant(trimmed)
            return value, trimmed.str.contains(_UNUSUAL) & (start >= _FIRST)


def _instant(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return a date and time of the shape `_UNUSUAL` to the second as it stands there, and the instant in UTC."""
    zone = text.str.tail(6)
    sign = zone.str.head(1)
    has_zone = sign.is_in(["+", "-"])
    minutes = _number(zone.str.slice(1, 2)) * 60 + _number(zone.str.slice(4, 2))
    east = pl.when(sign == "-").then(-minutes).when(has_zone).then(minutes).otherwise(0)
    local = pl.when(has_zone).then(text.str.head(-6)).otherwise(text.str.strip_suffix("Z"))
    second, fraction = local.str.slice(17, 2).str.pad_start(2, "0"), local.str.slice(20).str.pad_end(6, "0")
    parts = (local.str.head(10), pl.lit(" "), local.str.slice(11, 5), pl.lit(":"), second)
    start = pl.concat_str(*parts).str.to_datetime(_FORMAT, time_unit="us", strict=False)
    return start, start + pl.duration(microseconds=_number(fraction), minutes=-east)


def _number(digits: pl.Expr) -> pl.Expr:
    return digits.cast(pl.Int64, strict=False)
