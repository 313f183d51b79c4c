"""What a visitor may ask of Superset: each attack is a change to a request that the page itself sends."""

import copy
from typing import Any

import pytest

from operate.embedded.superset.inside.questions import RefusedError, check
from operate.embedded.superset.inside.saved import Saved

GAINED = {"expressionType": "SQL", "label": "Gained", "hasCustomLabel": True, "sqlExpression": 'sum("gained")'}
EVIL = "ts_stat('select title from mart.videos')"
ORDER = {"expressionType": "SQL", "label": "Order", "sqlExpression": 'row(sum("gained"))'}
SAVED = Saved(
    dataset=7,
    form={
        "viz_type": "echarts_timeseries_line",
        "x_axis": "at",
        "time_grain_sqla": "PT5M",
        "groupby": ["channel"],
        "metrics": [GAINED],
        "timeseries_limit_metric": ORDER,
        "limit": 8,
        "row_limit": 500,
        "adhoc_filters": [
            {"expressionType": "SIMPLE", "subject": "over", "operator": "IS TRUE", "comparator": None},
            {"expressionType": "SIMPLE", "subject": "at", "operator": "TEMPORAL_RANGE", "comparator": "No filter"},
        ],
    },
    filterable=frozenset({"channel"}),
)
AXIS = {"sqlExpression": "at", "label": "at", "expressionType": "SQL", "isColumnReference": True}
QUERY: dict[str, Any] = {
    "time_range": 'DATEADD(DATETIME("now"), -3, HOUR) : now',
    "filters": [{"col": "over", "op": "IS TRUE", "val": None}, {"col": "at", "op": "TEMPORAL_RANGE", "val": "x : y"}],
    "extras": {"time_grain_sqla": "PT5M", "having": "", "where": ""},
    "applied_time_extras": {},
    "columns": [{**AXIS, "timeGrain": "PT5M", "columnType": "BASE_AXIS"}, "channel"],
    "metrics": [GAINED],
    "orderby": [[ORDER, False]],
    "annotation_layers": [],
    "row_limit": 500,
    "series_columns": ["channel"],
    "series_limit": 8,
    "series_limit_metric": ORDER,
    "group_others_when_limit_reached": False,
    "order_desc": True,
    "url_params": {},
    "custom_params": {},
    "custom_form_data": {},
    "time_offsets": [],
    "post_processing": [
        {
            "operation": "pivot",
            "options": {"index": ["at"], "columns": ["channel"], "aggregates": {"Gained": {"operator": "mean"}},
                        "drop_missing_columns": False},
        },
        {"operation": "rename", "options": {"columns": {"Gained": None}, "level": 0, "inplace": True}},
        {"operation": "flatten"},
    ],
}  # fmt: skip
BODY: dict[str, Any] = {
    "datasource": {"id": 7, "type": "table"},
    "force": False,
    "queries": [QUERY],
    "result_format": "json",
    "result_type": "full",
}


def body(**changes: Any) -> dict[str, Any]:
    """The page's request with other values in its query."""
    return copy.deepcopy({**BODY, "queries": [QUERY | changes]})


def more(key: str, *items: Any) -> dict[str, Any]:
    return {key: [*QUERY[key], *items]}


def where(column: Any, operator: Any = "IN", value: Any = ("x",)) -> dict[str, Any]:
    return more("filters", {"col": column, "op": operator, "val": list(value) if isinstance(value, tuple) else value})


def test_what_the_page_sends_is_let_in() -> None:
    check(BODY, SAVED)


@pytest.mark.parametrize(
    "changes",
    [
        where("channel", "IN", ("A'; drop table x --", "<b>", None, 3)),
        where("channel", "NOT IN", ("A",)),
        where("channel", "==", "A"),
        {"time_range": "2026-01-01 : 2026-02-01"},
        {"row_limit": 1},
        {"columns": ["channel"], "series_columns": []},
    ],
)
def test_a_filter_of_the_dashboard_and_a_part_of_the_chart_are_let_in(changes: dict[str, Any]) -> None:
    check(body(**changes), SAVED)


def test_the_values_of_a_filter_are_listed_and_searched() -> None:
    options = Saved(7, {"groupby": ["channel"], "row_limit": 1000}, frozenset({"channel"}), searched="channel")
    query = {
        "columns": ["channel"], "metrics": [], "orderby": [["channel", True]], "row_limit": 1000,
        "filters": [{"col": "channel", "op": "ILIKE", "val": "%a'b%"}],
    }  # fmt: skip
    check(BODY | {"queries": [query]}, options)
    with pytest.raises(RefusedError):
        check(BODY | {"queries": [query | {"filters": [{"col": "title", "op": "ILIKE", "val": "%"}]}]}, options)


@pytest.mark.parametrize(
    "changes",
    [
        # SQL of their own, wherever a query has room for it
        more("columns", EVIL),
        more("columns", {"expressionType": "SQL", "label": "x", "sqlExpression": EVIL}),
        more("columns", {**AXIS, "sqlExpression": EVIL, "columnType": "BASE_AXIS"}),
        more("columns", {**AXIS, "sqlExpression": EVIL, "label": EVIL}),
        more("columns", {**AXIS, "timeGrain": EVIL}),
        more("metrics", {**GAINED, "sqlExpression": EVIL}),
        more("metrics", {**GAINED, "aggregate": "SUM"}),
        more("metrics", "count"),
        more("orderby", [{**ORDER, "sqlExpression": EVIL}, True]),
        more("orderby", [EVIL, True]),
        more("orderby", [GAINED, EVIL]),
        {"series_limit_metric": {**ORDER, "sqlExpression": EVIL}},
        more("series_columns", {"expressionType": "SQL", "label": "x", "sqlExpression": EVIL}),
        {"extras": {"where": f"1 = (select 1 from {EVIL})"}},
        {"extras": {"having": "pg_sleep(9) is null"}},
        {"extras": {"where": "{{ range(10**9) }}"}},
        {"extras": {"transpile_to_dialect": True}},
        {"extras": {"time_grain_sqla": "PT1S"}},
        {"extras": {"relative_start": "now"}},
        where({"expressionType": "SQL", "sqlExpression": EVIL, "label": "x"}, "==", "y"),
        where("title"),
        where("channel", "IN", ({"sqlExpression": EVIL},)),
        where("channel", "IN", tuple("x" * 1001)),
        where("channel", "==", "x" * 1001),
        where("channel", "LIKE", "%"),
        where("channel", "ILIKE", "%"),
        where("channel", {"$": 1}, "x"),
        where("video", "TEMPORAL_RANGE", "No filter"),
        where("at", "TEMPORAL_RANGE", "x" * 201),
        more("filters", {"col": "channel", "op": "IN", "val": ["x"], "sql": EVIL}),
        # more than the chart shows
        {"filters": []},
        {"filters": QUERY["filters"][1:]},
        {"row_limit": 501},
        {"row_limit": 0},
        {"row_limit": None},
        {"row_limit": True},
        {"row_offset": 1},
        {"series_limit": 10**6},
        {"columns": ["title"]},
        {"granularity": "created"},
        # work that has no bounds
        {"time_offsets": ["1 year ago"]},
        {"annotation_layers": [{"annotationType": "EVENT", "sourceType": "table", "value": 3}]},
        {"post_processing": [{"operation": "resample", "options": {"method": "asfreq", "rule": "1N"}}]},
        {"post_processing": [{"operation": "prophet", "options": {"periods": 10**9}}]},
        {"post_processing": [{"operation": "pivot", "options": {"index": ["channel"], "columns": ["at"],
                                                                "aggregates": {"Gained": {"operator": "mean"}}}}]},
        {"post_processing": [{"operation": "pivot", "options": {"index": ["at"], "columns": [],
                                                                "aggregates": {"Gained": {"operator": "__class__"}}}}]},
        {"post_processing": [{"operation": "flatten", "options": {"sep": "x"}}]},
        {"post_processing": [{"operation": "sort", "options": {"by": ["at"], "key": "x"}}]},
        {"post_processing": [{"operation": ["flatten"]}]},
        # another question within the question
        {"datasource": {"id": 8, "type": "table"}},
        {"result_type": "samples"},
        {"from_dttm": "2020-01-01"},
        {"groupby": ["title"]},
        {"granularity_sqla": "created"},
        {"timeseries_limit_metric": ORDER},
        {"where": "1=1"},
        {"columns": "title"},
        {"filters": "x"},
        {"url_params": EVIL},
    ],
    ids=lambda changes: str(changes)[:60],
)  # fmt: skip
def test_any_other_query_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        check(body(**changes), SAVED)


@pytest.mark.parametrize(
    "changes",
    [
        {"datasource": {"id": 8, "type": "table"}},
        {"datasource": {"id": 7, "type": "query"}},
        {"queries": []},
        {"queries": [QUERY] * 5},
        {"queries": QUERY},
        {"queries": ["x"]},
        {"result_format": "csv"},
        {"result_format": ["json"]},
        {"result_type": "drill_detail"},
        {"result_type": "query"},
        {"force": EVIL},
        {"custom_cache_timeout": -1},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_any_other_request_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        check(BODY | changes, SAVED)


@pytest.mark.parametrize("key", ["datasource", "queries"])
def test_a_request_that_lacks_a_part_is_refused(key: str) -> None:
    with pytest.raises(RefusedError):
        check({name: value for name, value in BODY.items() if name != key}, SAVED)


def test_steps_and_conditions_that_were_stored_with_a_chart_are_let_in_as_they_are() -> None:
    step = {"operation": "resample", "options": {"method": "asfreq", "rule": "1D"}}
    condition = {"expressionType": "SQL", "clause": "WHERE", "sqlExpression": "a > 1"}
    saved = Saved(7, {**SAVED.form, "adhoc_filters": [condition]}, steps=(step,))
    asked = {"filters": [], "post_processing": [step], "extras": {"where": "(a > 1)"}}
    check(body(**asked), saved)
    with pytest.raises(RefusedError):
        check(body(**asked, row_offset=1), saved)
    with pytest.raises(RefusedError):
        check(body(**asked | {"extras": {"where": "(a > 1) OR (1=1)"}}), saved)
