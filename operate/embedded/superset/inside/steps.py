"""The steps that only reshape the answer of a saved chart, over its own names. Nothing here needs Superset."""

from collections.abc import Callable, Mapping
from typing import Any

from operate.embedded.superset.inside.saved import Json, Saved, among, is_list, label, values


def allows_steps(value: Any, saved: Saved) -> bool:
    """Accept the stored steps and the ones below; others can be made to need any amount of memory."""
    return isinstance(value, list) and all(
        step is None or among(step, saved.steps) or _step(step, saved) for step in value
    )


def _step(step: Any, saved: Saved) -> bool:
    if not isinstance(step, Mapping) or not step.keys() <= {"operation", "options"}:
        return False
    options, rule = step.get("options", {}), _RULES.get(str(step.get("operation")))
    return rule is not None and isinstance(options, Mapping) and rule(options, saved)


def _pivot(options: Json, saved: Saved) -> bool:
    series = {label(value) for value in values(saved.form, "groupby")}
    aggregates = options.get("aggregates")
    return (
        options.keys() <= {"index", "columns", "aggregates", "drop_missing_columns"}
        and options.get("index") == [label(value) for value in values(saved.form, "x_axis")]
        and is_list(options.get("columns"), str)
        and set(options["columns"]) <= series
        and isinstance(aggregates, Mapping)
        and aggregates.keys() <= saved.names
        and all(aggregate == {"operator": "mean"} for aggregate in aggregates.values())
        and isinstance(options.get("drop_missing_columns", False), bool)
    )


def _rename(options: Json, saved: Saved) -> bool:
    names = options.get("columns")
    return (
        options.keys() <= {"columns", "level", "inplace"}
        and isinstance(names, Mapping)
        and names.keys() <= saved.names
        and all(name is None for name in names.values())
        and options.get("level", 0) == 0
        and options.get("inplace", True) is True
    )


def _sort(options: Json, saved: Saved) -> bool:
    by = options.get("by")
    return options.keys() <= {"by", "ascending"} and isinstance(by, str) and by in saved.names


def _contribution(options: Json, saved: Saved) -> bool:
    columns = options.get("columns")
    return (
        options.keys() <= {"columns", "rename_columns"}
        and is_list(columns, str)
        and set(columns) <= saved.names
        and options.get("rename_columns") == [f"{column}__contribution" for column in columns]
    )


_RULES: dict[str, Callable[[Json, Saved], bool]] = {
    "pivot": _pivot,
    "rename": _rename,
    "sort": _sort,
    "contribution": _contribution,
    "flatten": lambda options, _: not options,
}
