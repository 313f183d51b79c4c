"""The filters that a visitor may set: periods and values, always as data. Nothing here needs Superset."""

from collections.abc import Mapping
from typing import Any

from operate.embedded.superset.inside.saved import Json, Saved, among, frozen, is_list

_MOST_VALUES = 1_000  # of one filter
_LONGEST = 1_000  # characters of one value
_OPERATORS = {"==", "IN", "NOT IN", ">=", "<=", "IS NULL", "IS NOT NULL"}
_TIME = "TEMPORAL_RANGE"


def allows_filters(value: Any, saved: Saved) -> bool:
    """Accept the stored filters, all of which must be there, and values of what the dashboard filters."""
    if not is_list(value, Mapping) or not all(_filter(given, saved) for given in value):
        return False
    given = {frozen(_bare(filter_)) for filter_ in value}
    return all(frozen(stored) in given for stored in _stored(saved))


def _filter(given: Json, saved: Saved) -> bool:
    if not given.keys() <= {"col", "op", "val", "isExtra", "formattedVal", "grain"} or not allows_grain(
        given.get("grain"), saved
    ):
        return False
    if among(_bare(given), _stored(saved)):
        return True
    column, operator, value = given.get("col"), given.get("op"), given.get("val")
    if not isinstance(column, str) or not isinstance(operator, str):
        return False
    if operator == _TIME:
        return column in _time_columns(saved) and allows_period(value, saved)
    if operator == "ILIKE":
        return column == saved.searched and isinstance(value, str) and _is_data(value)
    return column in saved.filterable and operator in _OPERATORS and _is_data(value)


def allows_extras(value: Any, saved: Saved) -> bool:
    """Accept the stored time grain, and conditions in SQL only as they are stored."""
    if not isinstance(value, Mapping) or not value.keys() <= {"where", "having", "time_grain_sqla"}:
        return False
    conditions = all(value.get(key, "") in ("", _condition(saved, key)) for key in ("where", "having"))
    return conditions and allows_grain(value.get("time_grain_sqla"), saved)


def allows_grain(value: Any, saved: Saved) -> bool:
    """Accept the stored time grain, or none."""
    return value in (None, saved.form.get("time_grain_sqla"))


def allows_period(value: Any, _: Saved) -> bool:
    """Accept a period in Superset's own words for it: they are parsed, and never part of the SQL."""
    return value is None or (isinstance(value, str) and len(value) <= 200)


def _bare(given: Json) -> Json:
    return {"col": given.get("col"), "op": given.get("op"), "val": given.get("val")}


def _stored(saved: Saved) -> list[Json]:
    return [
        {"col": stored.get("subject"), "op": stored.get("operator"), "val": stored.get("comparator")}
        for stored in saved.form.get("adhoc_filters") or ()
        if stored.get("expressionType") == "SIMPLE" and stored.get("operator") != _TIME
    ]


def _time_columns(saved: Saved) -> set[Any]:
    stored = saved.form.get("adhoc_filters") or ()
    return {filter_.get("subject") for filter_ in stored if filter_.get("operator") == _TIME}


def _condition(saved: Saved, clause: str) -> str:
    return " AND ".join(
        f"({stored.get('sqlExpression')})"
        for stored in saved.form.get("adhoc_filters") or ()
        if stored.get("expressionType") == "SQL" and str(stored.get("clause", "")).lower() == clause
    )


def _is_data(value: Any) -> bool:
    items = value if isinstance(value, list) else [value]
    return len(items) <= _MOST_VALUES and all(
        item is None or isinstance(item, bool | int | float) or (isinstance(item, str) and len(item) <= _LONGEST)
        for item in items
    )
