"""Definitions as Superset's objects: what a chart becomes, what filters reach, whose an object is."""

from typing import Any

import pytest

from bi.definition import read_dashboards
from bi.model import Condition, Dashboard, PeriodFilter, Sort, Tile
from bi.sql import measure_sql, row_order, series_order
from bi.superset.bundle import Asset, render
from bi.superset.charts import form
from bi.superset.compare import digest_of
from bi.superset.identity import is_ours, uuid_of
from bi.target import Target, Warehouse
from minidata.warehouse.views import read_views

DASHBOARDS = read_dashboards()
TILES = [(d, tile) for d in DASHBOARDS for tile in d.tiles]
IDS = [f"{d.name}/{tile.name}" for d, tile in TILES]
WAREHOUSE = Warehouse("db", 5432, "warehouse", "bi-secret")
TARGET = Target("http://superset.test", "admin", "admin-secret", WAREHOUSE)
ASSETS = render(DASHBOARDS, read_views(), WAREHOUSE)
each_tile = pytest.mark.parametrize(("dashboard", "tile"), TILES, ids=IDS)


def asset(name: str) -> Asset:
    return next(a for a in ASSETS if a.name == name)


def metrics(chart: dict[str, Any]) -> list[dict[str, Any]]:
    named = [chart.get(key) for key in ("metric", "x", "y", "size")]
    return [*chart.get("metrics", []), *(metric for metric in named if metric)]


def dimensions(chart: dict[str, Any]) -> list[str]:
    return [d for d in (chart.get("x_axis"), chart.get("entity"), chart.get("series"), *chart.get("groupby", [])) if d]


@each_tile
def test_a_chart_asks_what_its_tile_asks(dashboard: Dashboard, tile: Tile) -> None:
    chart = form(dashboard, tile)
    asked = {metric["label"]: metric["sqlExpression"] for metric in metrics(chart)}
    assert asked == {measure.name: measure_sql(measure) for measure in tile.measures}
    assert dimensions(chart) == [dimension.column for dimension in tile.dimensions]
    assert asset(f"{dashboard.name}/{tile.name}").content["dataset_uuid"] == asset(f"mart.{tile.view}").uuid


@each_tile
def test_the_period_reaches_a_tile_whose_view_has_a_time_and_no_other(dashboard: Dashboard, tile: Tile) -> None:
    period = next(name for name, f in dashboard.filters.items() if isinstance(f, PeriodFilter))
    opening = [f["subject"] for f in form(dashboard, tile)["adhoc_filters"] if f["operator"] == "TEMPORAL_RANGE"]
    wanted = dashboard.filters_of(tile).get(period)
    assert opening == ([wanted] if wanted else [])


@each_tile
def test_a_filter_excludes_the_tiles_that_it_cannot_narrow(dashboard: Dashboard, tile: Tile) -> None:
    content = asset(dashboard.name).content
    number = content["position"][f"CHART-{tile.name}"]["meta"]["chartId"]
    spared = {
        f["id"].removeprefix("NATIVE_FILTER-")
        for f in content["metadata"]["native_filter_configuration"]
        if number in f["scope"]["excluded"]
    }
    assert spared == set(dashboard.filters) - set(dashboard.filters_of(tile))


@each_tile
def test_a_tile_is_a_chart_above_the_line_that_says_what_it_means(dashboard: Dashboard, tile: Tile) -> None:
    position = asset(dashboard.name).content["position"]
    chart, note = (position[part] for part in position[f"COLUMN-{tile.name}"]["children"])
    assert chart["meta"]["uuid"] == asset(f"{dashboard.name}/{tile.name}").uuid
    assert note["meta"]["code"] == tile.means
    assert chart["parents"] == note["parents"] == ["ROOT_ID", "GRID_ID", chart["parents"][2], f"COLUMN-{tile.name}"]
    assert asset(f"{dashboard.name}/{tile.name}").content["description"] == tile.means


@each_tile
def test_rows_and_series_have_the_order_of_the_tile(dashboard: Dashboard, tile: Tile) -> None:
    chart = form(dashboard, tile)
    order = chart.get("timeseries_limit_metric") or chart.get("orderby")
    found = (order["sqlExpression"], chart["order_desc"]) if order else None
    if tile.limit:
        assert found == row_order(tile)
    elif tile.series and tile.series.top:
        assert found == (series_order(tile.measures[0], tile.series), True)
    else:
        assert found is None, "it shows everything"


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("name", ["channels/gainers", "channels/reach", "channels/league"])
def test_a_sort_turns_every_kind_of_chart(name: str, descending: bool) -> None:
    dashboard, tile = next(found for found, id_ in zip(TILES, IDS, strict=True) if id_ == name)
    turned = tile.model_copy(update={"sort": Sort(by="channel", descending=descending)})
    chart = form(dashboard, turned)
    order = chart.get("timeseries_limit_metric") or chart["orderby"]
    assert (order["sqlExpression"], chart["order_desc"]) == row_order(turned)
    if tile.chart == "row":  # drawn from the bottom up
        assert (chart["x_axis_sort"], chart["x_axis_sort_asc"]) == ("channel", descending)


@pytest.mark.parametrize(
    ("condition", "operator", "value"),
    [
        ({"column": "a", "is": "=", "value": "o'clock"}, "==", "o'clock"),
        ({"column": "a", "is": "!=", "value": 3}, "!=", 3),
        ({"column": "a", "is": "in", "value": ["x", "y"]}, "IN", ["x", "y"]),
        ({"column": "a", "is": "=", "value": True}, "IS TRUE", None),
        ({"column": "a", "is": "!=", "value": True}, "IS FALSE", None),
        ({"column": "a", "is": "=", "value": False}, "IS FALSE", None),
    ],
)
def test_a_fixed_filter_keeps_its_sense(condition: dict[str, Any], operator: str, value: object) -> None:
    dashboard, tile = TILES[0]
    tile = tile.model_copy(update={"where": (Condition.model_validate(condition),)})
    fixed = form(dashboard, tile)["adhoc_filters"][0]
    assert (fixed["subject"], fixed["operator"], fixed["comparator"]) == ("a", operator, value)


def test_identities_are_ours_and_never_change() -> None:
    assert uuid_of("charts", "trending/over_time") == "6d6470aa-7984-86a8-b173-ed28110df4b1"
    assert len({a.uuid for a in ASSETS}) == len(ASSETS)
    assert all(is_ours(a.uuid) for a in ASSETS)
    assert not is_ours("6d6470aa-7984-46a8-b173-ed28110df4b1")  # of another version
    assert not is_ours("7d6470aa-7984-86a8-b173-ed28110df4b1")


def test_the_password_is_in_no_file_and_no_text() -> None:
    assert "bi-secret" not in repr([TARGET, *ASSETS])
    assert "admin-secret" not in repr(TARGET)
    assert digest_of(ASSETS[0], "bi-secret") != digest_of(ASSETS[0], "another")
