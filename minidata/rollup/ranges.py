"""Ranges: the least and the greatest value of each column of a file, which tell whether it can hold some keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import polars as pl

from minidata.dataset import FILE, Column, Dataset, Every, IntegerColumn, TextColumn, TimestampColumn, Window

Ranges = dict[str, list[str | int]]
"""Least and greatest value by column, as JSON carries them: in the order of the values."""

_LONGEST = 100  # characters of a text
_ORDERED = (TextColumn, IntegerColumn, TimestampColumn)


class RangeBuilder:
    """Finds the ranges of some rows.

    Args:
        columns: of the dataset; optional ones, and those whose JSON has another order, get no range.
    """

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._columns = [c for c, column in columns.items() if isinstance(column, _ORDERED) and not column.optional]
        self._found: pl.DataFrame | None = None

    def add(self, rows: pl.DataFrame) -> None:
        """Add some rows with these columns."""
        both = (
            rows.select(self._columns) if self._found is None else pl.concat([self._found, rows.select(self._columns)])
        )
        self._found = pl.concat([both.min(), both.max()])

    def finish(self) -> Ranges:
        """Return the ranges; none without a row."""
        return {} if self._found is None else _ranges(self._columns, *self._found.rows())

    def by_file(self, rows: pl.DataFrame) -> dict[int, Ranges]:
        """Return the ranges of the rows of each file, which the column `dataset.FILE` names."""
        files = rows.lazy().group_by(FILE, maintain_order=True)
        ends = (files.agg(pl.col(self._columns).min()), files.agg(pl.col(self._columns).max()))
        least, greatest = (frame.rows() for frame in pl.collect_all(ends))
        return {
            int(low[0]): _ranges(self._columns, low[1:], high[1:]) for low, high in zip(least, greatest, strict=True)
        }


def ranges_of_keys(dataset: Dataset, name: str, partial: pl.DataFrame) -> Ranges:
    """Return the ranges of the columns of the file that the keys of a partial can be made from."""
    table = dataset.merged[name]
    if isinstance(table, Every):
        builder = RangeBuilder(dataset.columns)
        builder.add(partial)
        return builder.finish()
    ranges: Ranges = {}
    for key, source in table.keys.items():
        column = table.source_of(key)
        values = partial[key]
        if isinstance(source, Window):
            values = pl.concat([values, values.dt.offset_by(f"{source.seconds}s")])
        builder = RangeBuilder({column: dataset.columns[column]})
        if isinstance(dataset.columns[column], _ORDERED) and values.len():
            builder.add(pl.DataFrame({column: values}))
            ranges |= builder.finish()
    return ranges


def overlap(one: Ranges, other: Ranges) -> bool:
    """Return whether a row can be in both ranges."""
    return all(
        other[column][0] <= greatest and least <= other[column][1]  # type: ignore[operator]  # of one type
        for column, (least, greatest) in one.items()
        if column in other
    )


def _ranges(columns: list[str], least: Sequence[object], greatest: Sequence[object]) -> Ranges:
    ranges = {name: [_json(low), _json(high)] for name, low, high in zip(columns, least, greatest, strict=True)}
    return {
        name: both for name, both in ranges.items() if all(not isinstance(v, str) or len(v) <= _LONGEST for v in both)
    }


def _json(value: object) -> str | int:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return value if isinstance(value, int) else str(value)
