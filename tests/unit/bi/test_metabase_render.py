"""Definitions as Metabase's requests: what a chart becomes, and that all of them fit the closed schemas."""

import re
from collections.abc import Iterator

import pytest
from jsonschema import Draft202012Validator

from bi.definition import read_dashboards
from bi.metabase.database import needed
from bi.metabase.render import Ids, card, card_name, dashboard
from bi.model import Dashboard, Tile
from tests.fakes.metabase_schemas import BODIES

DASHBOARDS = {dashboard.name: dashboard for dashboard in read_dashboards()}
TILES = [(d, tile) for d in DASHBOARDS.values() for tile in d.tiles]
IDS = Ids(
    database=2,
    collection=5,
    columns={column: 1000 + number for number, column in enumerate(sorted(needed(DASHBOARDS.values())))},
    cards={card_name(d, tile): 100 + number for number, (d, tile) in enumerate(TILES)},
)
SCHEMAS = {(m, p.rstrip("/")): Draft202012Validator(schema) for (m, p), schema in BODIES.items()}


def find(name: str) -> tuple[Dashboard, Tile]:
    return next((d, tile) for d, tile in TILES if card_name(d, tile) == name)


def test_a_key_that_metabase_does_not_know_is_refused_by_the_schemas() -> None:
    body = card(*TILES[0], IDS).body | {"database": 1}
    assert [error.message for error in SCHEMAS["POST", "/api/card"].iter_errors(body)]


@pytest.mark.parametrize(("definition", "tile"), TILES, ids=[card_name(d, t) for d, t in TILES])
def test_a_querys_tags_are_its_filters_on_the_columns_of_its_view(definition: Dashboard, tile: Tile) -> None:
    native = card(definition, tile, IDS).body["dataset_query"]["native"]
    filters = definition.filters_of(tile)
    assert set(re.findall(r"\[\[and \{\{(\w+)\}\}\]\]", native["query"])) == set(filters)
    tags = {name: tag["dimension"] for name, tag in native["template-tags"].items()}
    assert tags == {name: ["field", IDS.columns[tile.view, column], None] for name, column in filters.items()}


@pytest.mark.parametrize(("definition", "tile"), TILES, ids=[card_name(d, t) for d, t in TILES])
def test_what_a_chart_draws_are_columns_of_its_query(definition: Dashboard, tile: Tile) -> None:
    body = card(definition, tile, IDS).body
    columns = set(re.findall(r' as "([^"]+)"', body["dataset_query"]["native"]["query"]))
    assert set(drawn(body["visualization_settings"])) <= columns


def drawn(settings: dict[str, object]) -> Iterator[str]:
    for key, value in settings.items():
        if key in ("graph.dimensions", "graph.metrics", "pie.dimension"):
            assert isinstance(value, list)
            yield from value
        elif key in ("scalar.field", "pie.metric", "scatter.bubble"):
            yield str(value)


def test_charts_become_displays() -> None:
    displays = {tile.chart: card(d, tile, IDS).body["display"] for d, tile in TILES}
    expected = {name: name for name in ("line", "area", "bar", "row", "scatter", "pie", "table")}
    assert displays == {"number": "scalar"} | expected


def test_a_scatter_draws_its_measures_against_each_other_coloured_by_its_second_dimension() -> None:
    settings = card(*find("engagement/likes_against_views"), IDS).body["visualization_settings"]
    assert settings["graph.dimensions"] == ["Views", "Reception"]
    assert settings["graph.metrics"] == ["Likes"]
    assert settings["scatter.bubble"] == "Dislikes"
    assert settings["graph.x_axis.scale"] == settings["graph.y_axis.scale"] == "log"


def test_tiles_lie_on_a_grid_of_24_without_touching() -> None:
    for definition in DASHBOARDS.values():
        taken: set[tuple[int, int]] = set()
        for tile in dashboard(definition, IDS).body["dashcards"]:
            cells = {
                (x, y)
                for x in range(tile["col"], tile["col"] + tile["size_x"])
                for y in range(tile["row"], tile["row"] + tile["size_y"])
            }
            assert not cells & taken
            assert max(x for x, _ in cells) < 24
            taken |= cells


def test_a_tile_that_is_there_keeps_its_id_and_a_new_one_gets_a_negative_one() -> None:
    definition = DASHBOARDS["trending"]
    first, second = (IDS.cards[card_name(definition, tile)] for tile in definition.tiles[:2])
    tiles = dashboard(definition, IDS, {first: 77}).body["dashcards"]
    assert (tiles[0]["card_id"], tiles[0]["id"]) == (first, 77)
    assert (tiles[1]["card_id"], tiles[1]["id"]) == (second, -2)


def test_ids_of_tiles_do_not_make_a_dashboard_another() -> None:
    definition = DASHBOARDS["trending"]
    card_id = IDS.cards[card_name(definition, definition.tiles[0])]
    assert dashboard(definition, IDS).digest == dashboard(definition, IDS, {card_id: 77}).digest


def test_a_dashboard_maps_each_filter_to_the_tiles_that_it_narrows() -> None:
    body = dashboard(DASHBOARDS["trending"], IDS).body
    ids = {parameter["slug"]: parameter["id"] for parameter in body["parameters"]}
    mapped = {tile["card_id"]: {m["parameter_id"] for m in tile["parameter_mappings"]} for tile in body["dashcards"]}
    for tile in DASHBOARDS["trending"].tiles:
        filters = DASHBOARDS["trending"].filters_of(tile)
        assert mapped[IDS.cards[f"trending/{tile.name}"]] == {ids[name] for name in filters}


def test_the_period_starts_with_the_last_hours_and_the_one_under_way() -> None:
    parameters = dashboard(DASHBOARDS["trending"], IDS).body["parameters"]
    assert [p["default"] for p in parameters if p["slug"] == "period"] == ["past3hours~"]


def test_rendering_twice_gives_the_same() -> None:
    again = {d.name: d for d in read_dashboards()}
    for definition, tile in TILES:
        same = next(t for t in again[definition.name].tiles if t.name == tile.name)
        assert card(again[definition.name], same, IDS) == card(definition, tile, IDS)
