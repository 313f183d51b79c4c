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
    r"^(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?<time>[0-9]{2}:[0-9]{2})"
    r"(?::(?<second>[0-5][0-9])(?:\.(?<fraction>[0-9]{1,6}))?)?"
    r"(?:Z|(?<sign>[+-])(?<hours>[01][0-9]|2[0-3]):(?<minutes>[0-5][0-9]))?$"
)
_FIRST: Final = datetime(1, 1, 1)  # noqa: DTZ001  # naive UTC
_LAST: Final = datetime.max  # noqa: DTZ901  # naive UTC

# The value of a cell, null if it has none, and a guard without which the value does not count.
_Reading = tuple[pl.Expr, pl.Expr | None]


class Mask:
    """The vectorised rules of a dataset.

    Args:
        columns: the declared columns.
        latest: the greatest instant that each timestamp column with a limit may hold; naive, in UTC.
    """

    def __init__(self, columns: Mapping[str, Column], latest: Mapping[str, datetime]) -> None:
        self._columns = columns
        self._latest = latest

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
        usual, doubtful = self._try(text, _usual)
        if not doubtful.size:
            return [usual], doubtful
        unusual, still_doubtful = self._try(text[doubtful], _unusual)
        return [usual, unusual], doubtful[still_doubtful]

    def _try(
        self, text: pl.DataFrame, read: Callable[[str, Column], _Reading]
    ) -> tuple[pl.DataFrame, Positions]:
        expressions = [read(name, column) for name, column in self._columns.items()]
        typed = text.select(
            *(value.alias(name) for name, (value, _) in zip(self._columns, expressions, strict=True)),
            pl.all_horizontal(
                [guard for _, guard in expressions if guard is not None] or [pl.lit(True)]
            ).alias(""),  # noqa: FBT003
        )
        good = typed.select(pl.all_horizontal("", *self._rules()).fill_null(False)).to_series()  # noqa: FBT003
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


def _usual(name: str, column: Column) -> _Reading:
    """Read a cell as most programs write it."""
    cell = pl.col(name)
    match column:
        case TextColumn():
            return (cell.str.strip_chars(BLANKS) if column.trimmed else cell), None
        case IntegerColumn():
            # The cast takes a sign before the digits, and both signs sort before them.
            return cell.cast(pl.Int64, strict=False), cell >= "0"
        case TimestampColumn():
            return cell.str.to_datetime(_FORMAT, time_unit="us", strict=False), cell.str.contains(_USUAL)


def _unusual(name: str, column: Column) -> _Reading:
    """Read a cell in any way that the contract allows, or nearly: one that gets null is left to the judge."""
    trimmed = pl.col(name).str.strip_chars(BLANKS)
    match column:
        case TextColumn():
            return _usual(name, column)
        case IntegerColumn():
            return trimmed.cast(pl.Int64, strict=False), trimmed >= "0"
        case TimestampColumn():
            part = trimmed.str.extract_groups(_UNUSUAL).struct
            second, fraction = part["second"].fill_null("00"), part["fraction"].fill_null("0")
            local = pl.concat_str(part["date"], pl.lit(" "), part["time"], pl.lit(":"), second)
            local = local.str.to_datetime(_FORMAT, time_unit="us", strict=False)
            minutes = part["hours"].cast(pl.Int64) * 60 + part["minutes"].cast(pl.Int64)
            east = pl.when(part["sign"] == "-").then(-minutes).otherwise(minutes).fill_null(0)
            value = local + pl.duration(
                microseconds=fraction.str.pad_end(6, "0").cast(pl.Int64), minutes=-east
            )
            return value, local >= _FIRST
