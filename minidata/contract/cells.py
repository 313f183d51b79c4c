"""What a cell may hold, by the column's declaration: texts, empty cells, and which rule a column has."""

import re
from datetime import datetime

import polars as pl

from minidata.contract.numbers import NumberFormat, rule_of_number
from minidata.contract.rule import BLANKS, BrokenRuleError, CellRule, Typed, Value, stripped
from minidata.contract.times import rule_of_time
from minidata.dataset import (
    Column,
    DateColumn,
    TextColumn,
    TimestampColumn,
)

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class _Text:
    """Text between two lengths, in code points, perhaps one of some words or of a pattern."""

    dtype = pl.String()

    def __init__(self, column: TextColumn) -> None:
        self._column = column
        self._pattern = f"^(?:{column.pattern})$" if column.pattern is not None else None

    def read(self, cell: str) -> str:
        column = self._column
        text = cell.strip(BLANKS) if column.trimmed else cell
        if len(text) < column.min_length:
            raise BrokenRuleError("too_short" if text else "missing_value")
        if column.max_length is not None and len(text) > column.max_length:
            raise BrokenRuleError("too_long")
        if column.one_of and text not in column.one_of:
            raise BrokenRuleError("not_allowed")
        # Asked of Polars: its patterns and Python's differ in details, and a cell must not depend on the way it took.
        if self._pattern is not None and not pl.Series([text]).str.contains(self._pattern).item():
            raise BrokenRuleError("wrong_pattern")
        return text

    def usual(self, cell: pl.Expr) -> Typed:
        return Typed(stripped(cell) if self._column.trimmed else cell, pl.lit(value=True))

    unusual = usual

    def holds(self, value: pl.Expr) -> pl.Expr:
        column = self._column
        rules = [value.str.len_chars().is_between(column.min_length, column.max_length or 2**32 - 1)]
        if column.one_of:
            rules.append(value.is_in(column.one_of))
        if self._pattern is not None:
            rules.append(value.str.contains(self._pattern))
        return pl.all_horizontal(rules)


class _NullWords:
    """Another rule, but some words count as an empty cell."""

    def __init__(self, rule: CellRule, words: list[str]) -> None:
        self._rule, self._words = rule, words
        self.dtype = rule.dtype
        self.holds = rule.holds

    def read(self, cell: str) -> Value:
        return self._rule.read("" if cell.strip(BLANKS) in self._words else cell)

    def usual(self, cell: pl.Expr) -> Typed:
        return self._rule.usual(pl.when(cell.is_in(self._words)).then(pl.lit("")).otherwise(cell))

    def unusual(self, cell: pl.Expr) -> Typed:
        return self._rule.unusual(pl.when(stripped(cell).is_in(self._words)).then(pl.lit("")).otherwise(cell))


class _Optional:
    """Another rule, but an empty cell is null."""

    def __init__(self, rule: CellRule) -> None:
        self._rule = rule
        self.dtype = rule.dtype

    def read(self, cell: str) -> Value:
        return self._rule.read(cell) if cell.strip(BLANKS) else None

    def usual(self, cell: pl.Expr) -> Typed:
        if self.dtype == pl.String:  # blanks and nothing else are null too
            return self.unusual(cell)
        return self._or_null(self._rule.usual(cell), cell == "")

    def unusual(self, cell: pl.Expr) -> Typed:
        return self._or_null(self._rule.unusual(cell), stripped(cell) == "")

    def _or_null(self, typed: Typed, empty: pl.Expr) -> Typed:
        return Typed(pl.when(~empty).then(typed.value), empty | (typed.guard & typed.value.is_not_null()))

    def holds(self, value: pl.Expr) -> pl.Expr:
        return value.is_null() | self._rule.holds(value)  # the guard has told a null from a wrong cell


def rule_of(
    column: Column,
    latest: datetime | None = None,
    numbers: NumberFormat = NumberFormat(),  # noqa: B008  # frozen
) -> CellRule:
    """Return the rule of a column.

    Args:
        column: its declaration.
        latest: the greatest instant that it may hold, naive, in UTC.
        numbers: how the file writes numbers.
    """
    rule = _rule_of_value(column, latest, numbers)
    if column.optional:
        rule = _Optional(rule)
    return _NullWords(rule, column.null_words) if column.null_words else rule


def _rule_of_value(column: Column, latest: datetime | None, numbers: NumberFormat) -> CellRule:
    match column:
        case TextColumn():
            return _Text(column)
        case DateColumn() | TimestampColumn():
            return rule_of_time(column, latest)
        case _:
            return rule_of_number(column, numbers)


def read_cell(rule: CellRule, cell: str) -> Value:
    """Return the typed value of a cell.

    Raises:
        BrokenRuleError: with the one code that holds for the cell by itself.
    """
    if _CONTROL.search(cell):
        raise BrokenRuleError("control_character")
    return rule.read(cell)
