"""A tile's query as a tool would send it for what a visitor has chosen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bi.model import Dashboard, PeriodFilter, Tile
from bi.sql import literal, quoted, select


@dataclass(frozen=True)
class Selection:
    """What a visitor chose.

    Attributes:
        period: from (included) and to (excluded); None is all time.
        values: chosen values by filter; a filter that is not named is open.
    """

    period: tuple[datetime, datetime] | None = None
    values: Mapping[str, Iterable[str]] = field(default_factory=dict)


def tile_sql(dashboard: Dashboard, tile: Tile, selection: Selection | None = None) -> str:
    """Return the query of a tile, narrowed by what a visitor has chosen."""
    chosen = selection or Selection()
    narrowed = []
    for name, column in dashboard.filters_of(tile).items():
        if isinstance(dashboard.filters[name], PeriodFilter):
            if chosen.period:
                begin, end = map(literal, chosen.period)
                narrowed.append(f"and {quoted(column)} >= {begin} and {quoted(column)} < {end}")
        elif name in chosen.values:
            values = ", ".join(map(literal, chosen.values[name]))
            narrowed.append(f"and {quoted(column)} in ({values})")
    return select(dashboard, tile, narrowed)
