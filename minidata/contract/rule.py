"""The rule of a column: the exact one in Python, and its fast counterpart in Polars.

`read` is the one source of a cell's reason code. The expressions type whole columns: what they accept, `read` accepts
with the same value; what they do not accept is left to `read`. Casts and parsers of Polars take more than the contract
does (`+5`, one-digit months, `:60`), so each comes with a guard.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple, Protocol

import polars as pl

BLANKS: Final = " \t\r\n\u00a0\u200b\ufeff"
"""What trimming cuts at both ends of a cell: blanks, line ends, no-break and zero-width spaces, byte order marks."""

Value = str | int | bool | Decimal | date | datetime | None


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


def trimmed(cell: str) -> str:
    """Return the text of a cell that must not be empty.

    Raises:
        BrokenRuleError: `missing_value`.
    """
    text = cell.strip(BLANKS)
    if not text:
        raise BrokenRuleError("missing_value")
    return text


def stripped(cell: pl.Expr) -> pl.Expr:
    """Trim cells."""
    return cell.str.strip_chars(BLANKS)


def whole(digits: pl.Expr) -> pl.Expr:
    """Read digits as integers; null where there are none."""
    return digits.cast(pl.Int64, strict=False)
