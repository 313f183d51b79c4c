"""The SQL of tiles: names and values are quoted, whatever they hold."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bi.definition import read_dashboards
from bi.model import Condition, Dashboard, Dimension, Measure, Sort, Tile
from bi.sql import condition_sql, dimension_sql, literal, measure_sql, quoted
from tests.fakes.selection import Selection, tile_sql

from .test_definition import GOOD, written


@pytest.fixture
def dashboard(tmp_path: Path) -> Dashboard:
    return read_dashboards(written(tmp_path, GOOD))[0]


def tile(dashboard: Dashboard, name: str) -> Tile:
    return next(tile for tile in dashboard.tiles if tile.name == name)


def squeezed(query: str) -> str:
    return re.sub(r"\s+", " ", query)


A_KNOWN = 'sum("a") filter (where "b" is not null)'
B_KNOWN = 'sum("b") filter (where "a" is not null)'


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ({"how": "sum", "of": "a"}, 'sum("a")'),
        ({"how": "max", "of": "a"}, 'max("a")'),
        ({"how": "min", "of": "a"}, 'min("a")'),
        ({"how": "count"}, "count(*)"),
        ({"how": "distinct", "of": "a"}, 'count(distinct "a")'),
        ({"how": "average", "of": "a"}, 'round(avg("a"), 2)'),
        ({"how": "p95", "of": "a"}, 'round((percentile_cont(0.95) within group (order by "a"))::numeric, 2)'),
        (
            {"how": "ratio", "of": "a", "to": "b", "times": 100},
            f"round(100 * {A_KNOWN} / nullif({B_KNOWN}, 0)::numeric, 2)",
        ),
        (
            {"how": "share", "of": "a", "to": "b"},
            f"round(1 * {A_KNOWN} / nullif({A_KNOWN} + {B_KNOWN}, 0)::numeric, 2)",
        ),
    ],
)
def test_measures(measure: dict[str, object], expected: str) -> None:
    assert measure_sql(Measure.model_validate({"name": "M", **measure})) == expected


def test_an_instant_is_cut_to_its_step() -> None:
    cut = dimension_sql(Dimension(column="date_updated", every="5 minutes"))
    assert cut == "date_bin('5 minutes', \"date_updated\", timestamptz '2000-01-01 00:00:00+00')"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"is": "=", "value": True}, '"c" = true'),
        ({"is": "!=", "value": "it's"}, "\"c\" != 'it''s'"),
        ({"is": ">", "value": 1000}, '"c" > 1000'),
        ({"is": "in", "value": ["a", "b"]}, "\"c\" in ('a', 'b')"),
    ],
)
def test_conditions(condition: dict[str, object], expected: str) -> None:
    assert condition_sql(Condition.model_validate({"column": "c", **condition})) == expected


def test_names_and_values_cannot_break_out() -> None:
    assert quoted('a"; drop table x') == '"a""; drop table x"'
    assert literal("'; drop table x --") == "'''; drop table x --'"
    assert literal("back\\slash") == "E'back\\\\slash'"
    assert literal(2**63 - 1) == "9223372036854775807"


def test_a_number_has_no_group_and_no_order(dashboard: Dashboard) -> None:
    query = squeezed(tile_sql(dashboard, tile(dashboard, "first")))
    assert query == 'select sum("views_gained") as "Views gained" from "mart"."video_growth" where true'


def test_a_choice_narrows_by_period_and_values(dashboard: Dashboard) -> None:
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    chosen = Selection(period=(begin, end), values={"channel": ["O'Malley", "Two"]})
    query = squeezed(tile_sql(dashboard, tile(dashboard, "first"), chosen))
    assert query.endswith(
        "where true and \"date_updated\" >= '2026-01-01 00:00:00+00:00'::timestamptz "
        "and \"date_updated\" < '2026-01-02 00:00:00+00:00'::timestamptz "
        "and \"channel\" in ('O''Malley', 'Two')"
    )


def test_the_greatest_series_are_chosen_among_what_the_visitor_sees(dashboard: Dashboard) -> None:
    chosen = Selection(values={"channel": ["One"]})
    query = squeezed(tile_sql(dashboard, tile(dashboard, "second"), chosen))
    narrowed = 'where true and "minute_over" = true and "channel" in (\'One\')'
    assert query.count(narrowed) == 2, "in the series and in the choice of the series"
    assert 'order by row(sum("views_gained") is not null, sum("views_gained"), "video") desc limit 6' in query


def test_a_choice_without_a_column_in_the_view_does_not_change_the_tile(dashboard: Dashboard) -> None:
    chosen = Selection(period=(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)))
    third = tile(dashboard, "third")
    assert tile_sql(dashboard, third, chosen) == tile_sql(dashboard, third)


VIEWS = 'max("total_views")'


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (None, f'row({VIEWS} is not null, {VIEWS}, "title", "channel") desc'),
        (Sort(by="Seen views"), f'row({VIEWS} is not null, {VIEWS}, "title", "channel") desc'),
        (Sort(by="Seen views", descending=False), f'row({VIEWS}, "title", "channel") asc'),
        (Sort(by="channel"), 'row("channel" is not null, "channel", "title") desc'),
        (Sort(by="channel", descending=False), 'row("channel", "title") asc'),
    ],
)
def test_rows_are_ordered_to_the_last(dashboard: Dashboard, sort: Sort | None, order: str) -> None:
    third = tile(dashboard, "third").model_copy(update={"sort": sort})
    query = squeezed(tile_sql(dashboard, third))
    assert query.endswith(f'group by "title", "channel" order by {order} limit 20')


def test_a_table_without_measures_is_ordered_by_its_dimensions(dashboard: Dashboard) -> None:
    names = tile(dashboard, "third").model_copy(update={"measures": (), "sort": None})
    assert 'order by row("title", "channel") asc limit 20' in squeezed(tile_sql(dashboard, names))


@pytest.mark.parametrize("unit", ["day", "week", "month"])
def test_steps_of_the_calendar_are_cut_in_utc(unit: str) -> None:
    step = Dimension.model_validate({"column": "ordered_on", "every": f"1 {unit}"})
    assert dimension_sql(step) == f"date_trunc('{unit}', \"ordered_on\", 'UTC')"
