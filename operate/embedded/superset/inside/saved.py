"""A stored question, and how values of a request are compared with it. Nothing here needs Superset."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MOST_ROWS = 50_000
_METRICS = ("metric", "metrics", "percent_metrics", "secondary_metric", "size", "timeseries_limit_metric", "x", "y")
_COLUMNS = ("all_columns", "columns", "entity", "groupby", "groupbyColumns", "groupbyRows", "series", "x_axis")
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Saved:
    """A stored question.

    Attributes:
        dataset: the number of its dataset.
        form: the chart's stored form (`params`).
        filterable: the columns that the filters of the dashboard, and clicks on its charts, may restrict.
        searched: the column whose values are searched by a part of their text, if the question lists those values.
        steps: the post-processing that was stored with the chart, if any was.
    """

    dataset: int
    form: Json
    filterable: frozenset[str] = frozenset()
    searched: str | None = None
    steps: tuple[Json, ...] = ()

    @property
    def columns(self) -> list[Any]:
        """The columns of its form, by name or as expressions."""
        return values(self.form, *_COLUMNS)

    @property
    def metrics(self) -> list[Any]:
        """The metrics of its form, including the one that only orders its rows."""
        order = self.form.get("orderby")
        return values(self.form, *_METRICS) + ([order] if isinstance(order, Mapping) else [])

    @property
    def names(self) -> set[str]:
        """What its metrics are called in an answer."""
        return {label(metric) for metric in self.metrics}

    @property
    def rows(self) -> int:
        """How many rows it may return."""
        limit = self.form.get("row_limit")
        return min(int(limit), MOST_ROWS) if str(limit).isdecimal() and int(limit) > 0 else MOST_ROWS


def values(form: Json, *keys: str) -> list[Any]:
    """Return the names and expressions under some keys of a form."""
    found = []
    for key in keys:
        value = form.get(key)
        found += value if isinstance(value, list) else [value]
    return [value for value in found if isinstance(value, str | Mapping)]


def label(value: Any) -> str:
    """Return what a column or metric is called in an answer."""
    return str(value.get("label")) if isinstance(value, Mapping) else str(value)


def among(value: Any, stored: Iterable[Any]) -> bool:
    """Tell whether a value equals one of the stored ones."""
    return frozen(value) in map(frozen, stored)


def frozen(value: Any) -> str:
    """Return a value of JSON in a form that can be compared: 1, 1.0 and true differ."""
    return json.dumps(value, sort_keys=True)


def is_list(value: Any, of: type) -> bool:
    """Tell whether a value is a list of such items."""
    return isinstance(value, list) and all(isinstance(item, of) for item in value)
