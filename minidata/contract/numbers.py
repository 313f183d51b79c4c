"""The rules of numbers: integers, decimals and booleans."""

import re
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from minidata.contract.rule import BrokenRuleError, CellRule, Typed, stripped, trimmed
from minidata.dataset import BooleanColumn, DecimalColumn, IntegerColumn

_DIGITS = re.compile(r"-?[0-9]++")
_BLANKS_BETWEEN = " \u00a0\u202f"
_LARGEST_DIGITS = 19  # of an integer of 64 bits


@dataclass(frozen=True)
class NumberFormat:
    """How a file writes numbers.

    Attributes:
        decimal: what separates the fraction.
        thousands: what separates groups of three digits, or nothing; a blank is any blank that does not break.
    """

    decimal: str = "."
    thousands: str = ""

    @property
    def _separators(self) -> str:
        return _BLANKS_BETWEEN if self.thousands == " " else self.thousands

    @property
    def integer(self) -> str:
        """A pattern of integers without sign."""
        groups = f"|[0-9]{{1,3}}(?:[{re.escape(self._separators)}][0-9]{{3}})+" if self.thousands else ""
        return f"(?:[0-9]+{groups})"

    def fraction(self, digits: str) -> str:
        """Return a pattern of the fraction with these digits."""
        return f"{re.escape(self.decimal)}{digits}"

    def plain(self, text: str) -> str:
        """Return a number without separators of thousands, and with a point."""
        for separator in self._separators:
            text = text.replace(separator, "")
        return text.replace(self.decimal, ".")

    def plain_of(self, cell: pl.Expr) -> pl.Expr:
        """Do the same for a column of cells."""
        for separator in self._separators:
            cell = cell.str.replace_all(separator, "", literal=True)
        return cell if self.decimal == "." else cell.str.replace(self.decimal, ".", literal=True)


class _Integer:
    """A whole number within the limits of its column."""

    dtype = pl.Int64()

    def __init__(self, column: IntegerColumn, numbers: NumberFormat) -> None:
        self._column, self._numbers = column, numbers
        self._grouped = re.compile(f"-?{numbers.integer}")

    def read(self, cell: str) -> int:
        text = trimmed(cell)
        if self._grouped.fullmatch(text):
            text = self._numbers.plain(text)
        if not _DIGITS.fullmatch(text):
            raise BrokenRuleError("not_an_integer")
        if text.startswith("-") and self._column.min >= 0:
            raise BrokenRuleError("negative")
        # The length first: Python refuses to convert thousands of digits.
        digits = text.lstrip("-").lstrip("0") or "0"
        if len(digits) > _LARGEST_DIGITS:
            raise BrokenRuleError("out_of_range")
        value = -int(digits) if text.startswith("-") else int(digits)
        if not self._column.min <= value <= self._column.max:
            raise BrokenRuleError("out_of_range")
        if self._column.one_of and value not in self._column.one_of:
            raise BrokenRuleError("not_allowed")
        return value

    def usual(self, cell: pl.Expr) -> Typed:
        # The cast takes a sign before the digits, and both signs sort before them.
        guard = cell >= "0"
        return Typed(
            cell.cast(pl.Int64, strict=False), guard if self._column.min >= 0 else guard | cell.str.starts_with("-")
        )

    def unusual(self, cell: pl.Expr) -> Typed:
        text = stripped(cell)
        if not self._numbers.thousands:
            return self.usual(text)
        typed = self.usual(self._numbers.plain_of(text))
        return Typed(typed.value, typed.guard & text.str.contains(f"^-?{self._numbers.integer}$"))

    def holds(self, value: pl.Expr) -> pl.Expr:
        within = value.is_between(self._column.min, self._column.max)
        return within & value.is_in(self._column.one_of) if self._column.one_of else within


class _Decimal:
    """An exact number with so many digits."""

    def __init__(self, column: DecimalColumn, numbers: NumberFormat) -> None:
        self.dtype = pl.Decimal(column.precision, column.scale)
        self._column, self._numbers = column, numbers
        integer, fraction = numbers.integer, numbers.fraction("[0-9]+")
        self._number = re.compile(
            f"-?(?:{integer}(?:{numbers.fraction('[0-9]*')})?|{fraction})(?:[eE][-+]?[0-9]{{1,3}})?"
        )
        digits = f"(?:{numbers.fraction(f'[0-9]{{1,{column.scale}}}0*')})?" if column.scale else ""
        sign = "" if column.min is not None and column.min >= 0 else "-?"
        self._guard = f"^{sign}{integer}{digits}$"

    def read(self, cell: str) -> Decimal:
        text = trimmed(cell)
        if not self._number.fullmatch(text):
            raise BrokenRuleError("not_a_decimal")
        column = self._column
        if text.startswith("-") and column.min is not None and column.min >= 0:
            raise BrokenRuleError("negative")
        plain = self._numbers.plain(text)
        if "e" in plain.lower():
            plain = f"{Decimal(plain):f}"
        whole, _, fraction = plain.lstrip("-").partition(".")
        whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
        if len(fraction) > column.scale:
            raise BrokenRuleError("too_precise")
        if len(whole) > column.precision - column.scale:
            raise BrokenRuleError("out_of_range")
        digits = tuple(map(int, whole + fraction.ljust(column.scale, "0"))) or (0,)
        value = Decimal((int(text.startswith("-")), digits, -column.scale))
        if (column.min is not None and value < column.min) or (column.max is not None and value > column.max):
            raise BrokenRuleError("out_of_range")
        return value

    def usual(self, cell: pl.Expr) -> Typed:
        return Typed(self._numbers.plain_of(cell).cast(self.dtype, strict=False), cell.str.contains(self._guard))

    def unusual(self, cell: pl.Expr) -> Typed:
        return self.usual(stripped(cell))

    def holds(self, value: pl.Expr) -> pl.Expr:
        column = self._column
        rules = [value.is_not_null()]
        rules += [value >= pl.lit(column.min)] if column.min is not None else []
        rules += [value <= pl.lit(column.max)] if column.max is not None else []
        return pl.all_horizontal(rules)


class _Boolean:
    """True or false, in some words."""

    dtype = pl.Boolean()

    def __init__(self, column: BooleanColumn) -> None:
        self._words = {
            **{word.lower(): False for word in column.false_words},
            **{word.lower(): True for word in column.true_words},
        }

    def read(self, cell: str) -> bool:
        value = self._words.get(trimmed(cell).lower())
        if value is None:
            raise BrokenRuleError("not_a_boolean")
        return value

    def usual(self, cell: pl.Expr) -> Typed:
        words = stripped(cell).str.to_lowercase()
        value = words.replace_strict(
            list(self._words), list(self._words.values()), default=None, return_dtype=pl.Boolean
        )
        return Typed(value, pl.lit(value=True))

    unusual = usual

    def holds(self, value: pl.Expr) -> pl.Expr:
        return value.is_not_null()


def rule_of_number(column: IntegerColumn | DecimalColumn | BooleanColumn, numbers: NumberFormat) -> CellRule:
    """Return the rule of a column of numbers, or of truth values."""
    match column:
        case IntegerColumn():
            return _Integer(column, numbers)
        case DecimalColumn():
            return _Decimal(column, numbers)
        case BooleanColumn():
            return _Boolean(column)
