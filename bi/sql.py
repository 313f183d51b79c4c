"""The SQL of a tile. Every name and value in it is quoted."""

from collections.abc import Iterable
from datetime import datetime

from psycopg import sql

from bi.model import Condition, Dashboard, Dimension, Measure, Tile
from minidata.warehouse.views import SCHEMA

_BIN = "date_bin('{every}', {column}, timestamptz '2000-01-01 00:00:00+00')"
_TRUNCATED = "date_trunc('{unit}', {column}, 'UTC')"  # steps of the calendar
_HOW = {
    "sum": "sum({of})",
    "max": "max({of})",
    "min": "min({of})",
    "average": "round(avg({of}), 2)",
    "count": "count(*)",
    "distinct": "count(distinct {of})",
    "p50": "round((percentile_cont(0.5) within group (order by {of}))::numeric, 2)",
    "p95": "round((percentile_cont(0.95) within group (order by {of}))::numeric, 2)",
    "ratio": "round({times} * {of_known} / nullif({to_known}, 0)::numeric, 2)",
    "share": "round({times} * {of_known} / nullif({of_known} + {to_known}, 0)::numeric, 2)",
}


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return sql.Identifier(name).as_string()


def literal(value: str | int | datetime) -> str:
    """Return a value as an SQL literal."""
    return sql.Literal(value).as_string().strip()


def dimension_sql(dimension: Dimension) -> str:
    """Return the expression of a dimension: the column, or the start of its step in time."""
    column = quoted(dimension.column)
    if dimension.every is None:
        return column
    unit = dimension.every.removeprefix("1 ")
    if unit in ("day", "week", "month"):
        return _TRUNCATED.format(unit=unit, column=column)
    return _BIN.format(every=dimension.every, column=column)


def measure_sql(measure: Measure) -> str:
    """Return the expression of a measure; sums of whole numbers stay exact."""
    of, to = (quoted(column) if column else "" for column in (measure.of, measure.to))
    # Both sums are over the rows where both values are known: the others would shift the ratio.
    of_known = f"sum({of}) filter (where {to} is not null)"
    to_known = f"sum({to}) filter (where {of} is not null)"
    return _HOW[measure.how].format(of=of, to=to, of_known=of_known, to_known=to_known, times=measure.times)


def condition_sql(condition: Condition) -> str:
    """Return a fixed filter of a tile as a condition."""
    column = quoted(condition.column)
    if isinstance(condition.value, list):
        return f"{column} in ({', '.join(map(literal, condition.value))})"
    return f"{column} {condition.is_} {literal(condition.value)}"


def select(dashboard: Dashboard, tile: Tile, narrowed: Iterable[str] = ()) -> str:
    """Return a tile's select.

    Args:
        dashboard: of the tile.
        tile: the tile.
        narrowed: lines to add to the conditions, each beginning with `and`; they may hold a template of the tool.
            They are repeated where the greatest series are chosen.
    """
    source = f"{quoted(SCHEMA)}.{quoted(tile.view)}"
    conditions = "\n  ".join(["true", *(f"and {condition_sql(c)}" for c in tile.where), *narrowed])
    columns = [f"{dimension_sql(d)} as {quoted(dashboard.label(tile, d))}" for d in tile.dimensions]
    columns += [f"{measure_sql(m)} as {quoted(m.name)}" for m in tile.measures]
    where = conditions
    if tile.series and tile.series.top:
        series, order = quoted(tile.series.column), series_order(tile.measures[0], tile.series)
        where += (
            f"\n  and {series} in (\n    select {series} from {source} where {conditions}\n"  # noqa: S608  every part is quoted
            f"    group by {series} order by {order} desc limit {tile.series.top})"
        )
    lines = ["select " + ",\n       ".join(columns), f"from {source}", f"where {where}"]
    if tile.dimensions:
        lines.append("group by " + ", ".join(dimension_sql(d) for d in tile.dimensions))
        order, descending = row_order(tile)
        lines.append(f"order by {order} {'desc' if descending else 'asc'}")
    if tile.limit:
        lines.append(f"limit {tile.limit}")
    return "\n".join(lines)


def row_order(tile: Tile) -> tuple[str, bool]:
    """Return what the rows of a tile with dimensions are ordered by, and whether the greatest come first.

    The order is total: equal rows are ordered by the dimensions, so that a limit cuts at the same row in every tool.
    It is one record, because Superset's charts take one expression. Null comes last.
    """
    by_dimension = {d.column: dimension_sql(d) for d in tile.dimensions}
    rest = list(by_dimension.values())
    if tile.time or (tile.sort is None and not tile.measures):
        return _record(rest), False
    by = tile.sort.by if tile.sort else tile.measures[0].name
    first = by_dimension.get(by) or next(measure_sql(m) for m in tile.measures if m.name == by)
    columns = [first, *(column for column in rest if column != first)]
    if tile.sort and not tile.sort.descending:
        return _record(columns), False
    return _greatest_first(columns), True


def series_order(measure: Measure, series: Dimension) -> str:
    """Return what the series of a tile with `top` are ordered by, the greatest first; see `row_order`."""
    return _greatest_first([measure_sql(measure), quoted(series.column)])


def _greatest_first(columns: list[str]) -> str:
    """Return a record whose descending order ends with null, which PostgreSQL sorts as the greatest value."""
    return _record([f"{columns[0]} is not null", *columns])


def _record(columns: list[str]) -> str:
    return f"row({', '.join(columns)})"
