"""What a visitor may ask: what a saved chart of a dashboard asks, with that dashboard's filters.

A request is compared with what is stored before any part of it is read as SQL or as a template. Every key and every
value must be known: what is not listed here is refused. Nothing here needs Superset.
"""

from collections.abc import Callable, Container, Mapping
from typing import Any

from operate.embedded.superset.inside.filters import allows_extras, allows_filters, allows_grain, allows_period
from operate.embedded.superset.inside.saved import Json, Saved, among, is_list, values
from operate.embedded.superset.inside.steps import allows_steps

_MOST_QUERIES = 4
_PAGES = range(10**6)


class RefusedError(Exception):
    """A question that no saved chart asks. Its text says what differs."""


def check(asked: Json, saved: Saved) -> None:
    """Compare a request for data with the stored question that it names.

    Args:
        asked: the body of the request, without its `form_data`.
        saved: what is stored.

    Raises:
        RefusedError: if it asks for anything else.
    """
    _compare(asked, saved, _BODY, {"datasource", "queries"})
    for query in asked["queries"]:
        _compare(query, saved, _QUERY, {"filters", "row_limit"})


def _compare(asked: Json, saved: Saved, rules: Mapping[str, "_Rule"], needed: set[str]) -> None:
    for key in sorted(needed - asked.keys()):
        raise RefusedError(f"it lacks {key}")
    for key, value in asked.items():
        if key not in rules or not rules[key](value, saved):
            raise RefusedError(f"it differs in {key[:50]}: {str(value)[:200]}")


_Rule = Callable[[Any, Saved], bool]


def _queries(value: Any, _: Saved) -> bool:
    return is_list(value, Mapping) and 0 < len(value) <= _MOST_QUERIES


def _column(value: Any, saved: Saved) -> bool:
    """Accept a stored column, by itself or as the axis (which may carry the stored time grain)."""
    if not isinstance(value, Mapping):
        return among(value, saved.columns)
    bare = {key: part for key, part in value.items() if key not in {"timeGrain", "columnType"}}
    if value.get("columnType") not in (None, "BASE_AXIS") or not allows_grain(value.get("timeGrain"), saved):
        return False
    name = bare.get("sqlExpression")
    reference = {"sqlExpression": name, "label": name, "expressionType": "SQL", "isColumnReference": True}
    return among(bare, saved.columns) or (bare == reference and among(name, saved.columns))


def _metric(value: Any, saved: Saved) -> bool:
    return among(value, saved.metrics)


def _order(value: Any, saved: Saved) -> bool:
    return is_list(value, list) and all(
        len(pair) == 2 and (_metric(pair[0], saved) or _column(pair[0], saved)) and isinstance(pair[1], bool)
        for pair in value
    )


def _all(rule: _Rule) -> _Rule:
    return lambda value, saved: isinstance(value, list) and all(rule(item, saved) for item in value)


def _one_of(*allowed: str) -> _Rule:
    return lambda value, _: value in allowed


def _number(value: Any, allowed: Container[Any]) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in allowed


def _flag(value: Any, _: Saved) -> bool:
    return isinstance(value, bool)


def _empty(value: Any, _: Saved) -> bool:
    return not value


_BODY: dict[str, _Rule] = {
    "datasource": lambda value, saved: value == {"id": saved.dataset, "type": "table"},
    "force": _flag,
    "queries": _queries,
    "result_format": _one_of("json"),
    "result_type": _one_of("full", "results"),
}
_QUERY: dict[str, _Rule] = {
    "annotation_layers": _empty,
    "applied_time_extras": _empty,
    "columns": _all(_column),
    "custom_form_data": _empty,
    "custom_params": _empty,
    "extras": allows_extras,
    "filters": allows_filters,
    "granularity": lambda value, saved: value in (None, saved.form.get("granularity_sqla")),
    "group_others_when_limit_reached": _flag,
    "is_rowcount": _flag,
    "is_timeseries": _flag,
    "metrics": _all(_metric),
    "order_desc": _flag,
    "orderby": _order,
    "post_processing": allows_steps,
    "row_limit": lambda value, saved: _number(value, range(1, saved.rows + 1)),
    "row_offset": lambda value, saved: _number(value, _PAGES if saved.form.get("server_pagination") else (0,)),
    "series_columns": _all(_column),
    "series_limit": lambda value, saved: _number(value, (0, saved.form.get("limit"), saved.form.get("series_limit"))),
    "series_limit_metric": lambda value, saved: value is None or _metric(value, saved),
    "time_offsets": _all(lambda value, saved: among(value, values(saved.form, "time_compare"))),
    "time_range": allows_period,
    "url_params": lambda value, _: isinstance(value, Mapping),  # only templates read them, and those are off
}
