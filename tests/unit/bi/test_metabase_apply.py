"""Plan and apply: once is enough, and what others made stays."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from bi.definition import read_dashboards
from bi.metabase import addresses
from bi.metabase.objects import read_mark
from bi.target import Warehouse
from tests.fakes.metabase import ALL_USERS, FakeMetabase
from tests.fakes.metabase_server import serve

from .metabase_world import COLUMNS, EVERYTHING, World


def test_a_fresh_server_is_set_up_and_shows_the_dashboard(world: World) -> None:
    done = world.apply()
    assert set(done.create) == EVERYTHING | {"administrator"}
    assert list(world.fake.administrators) == ["admin@example.org"]
    (database,) = world.fake.databases.values()
    assert database["details"]["user"] == "mdp_bi"
    assert database["details"]["schema-filters-patterns"] == "mart"
    cards = [tile["card_id"] for tile in world.board()["dashcards"]]
    assert cards == [world.card(f"example/{name}")["id"] for name in ("first", "second", "third")]


@pytest.mark.parametrize("form", ["mbql5", "legacy"])
def test_a_second_plan_is_empty_and_a_second_apply_sends_nothing(world: World, form: str) -> None:
    world.fake.form = form
    world.apply()
    world.fake.requests.clear()
    assert world.plan().empty
    assert set(world.plan().unchanged) == EVERYTHING
    assert world.apply().empty
    assert world.fake.writes() == []


def test_an_upgrade_that_shows_queries_in_another_form_is_no_change(world: World) -> None:
    world.fake.form = "legacy"
    world.apply()
    world.fake.form = "mbql5"
    assert world.plan().empty


def test_the_projects_own_dashboards_apply_and_then_are_unchanged() -> None:
    with serve(FakeMetabase(COLUMNS)) as fake:
        world = World(fake, read_dashboards())
        done = world.apply()
        assert len([name for name in done.create if name.startswith("dashboard ")]) == 4
        assert world.plan().empty


def test_a_dashboard_has_an_address_that_refreshes_itself(world: World) -> None:
    assert addresses(world.target, world.dashboards) == {}
    world.apply()
    expected = f"{world.fake.url}/dashboard/{world.board()['id']}#refresh=60"
    assert addresses(world.target, world.dashboards) == {"example": expected}
    world.fake.collections.clear()
    assert addresses(world.target, world.dashboards) == {}


def test_a_plan_changes_nothing(world: World) -> None:
    assert set(world.plan().create) == EVERYTHING | {"administrator"}
    world.apply()
    world.fake.requests.clear()
    world.fake.cards[world.card("example/first")["id"]]["name"] = "Mine"
    world.plan()
    assert world.fake.writes() == []


def test_a_tile_that_is_no_longer_defined_disappears_and_the_others_stay_the_same(applied: World) -> None:
    gone = applied.card("example/second")["id"]
    before = {tile["card_id"]: tile["id"] for tile in applied.board()["dashcards"]}
    done = applied.apply(applied.without("second"))
    assert done.delete == ["card example/second"]
    assert applied.fake.cards[gone]["archived"], "in the trash, from where a person can take it back"
    after = {tile["card_id"]: tile["id"] for tile in applied.board()["dashcards"]}
    assert after == {card: tile for card, tile in before.items() if card != gone}
    assert applied.apply(applied.without("second")).empty


def test_a_dashboard_that_is_no_longer_defined_goes_with_its_cards(applied: World) -> None:
    done = applied.apply([])
    assert set(done.delete) == {name for name in EVERYTHING if name.startswith(("card", "dashboard"))}
    assert all(thing["archived"] for thing in [*applied.fake.cards.values(), *applied.fake.dashboards.values()])


def test_a_changed_definition_updates_what_it_changed_and_is_no_drift(applied: World) -> None:
    (dashboard,) = applied.dashboards
    row = dashboard.rows[1]
    tile = row.tiles[0].model_copy(update={"title": "Renamed"})
    rows = (dashboard.rows[0], row.model_copy(update={"tiles": (tile,)}))
    done = applied.apply([dashboard.model_copy(update={"rows": rows})])
    assert (done.update, done.by_hand) == (["card example/third"], [])
    assert applied.card("example/third")["name"] == "Renamed"


def test_a_card_made_by_hand_survives(applied: World) -> None:
    mine = copy.deepcopy(applied.card("example/first")) | {"id": 900, "name": "Mine", "description": "My own"}
    applied.fake.cards[900] = copy.deepcopy(mine)
    assert applied.plan().empty
    applied.apply(applied.without("second"))
    assert applied.fake.cards[900] == mine


def test_a_copy_of_our_card_is_left_alone(applied: World) -> None:
    copied = copy.deepcopy(applied.card("example/second")) | {"id": 900, "name": "Second - Duplicate"}
    applied.fake.cards[900] = copy.deepcopy(copied)
    assert applied.plan().empty
    applied.apply(applied.without("second"))
    assert applied.fake.cards[900] == copied


def test_tiles_and_texts_that_others_put_on_our_dashboard_stay(applied: World) -> None:
    applied.fake.cards[900] = copy.deepcopy(applied.card("example/first")) | {"id": 900, "description": None}
    board = applied.fake.dashboards[applied.board()["id"]]
    place = {"row": 20, "col": 0, "size_x": 6, "size_y": 4, "parameter_mappings": [], "visualization_settings": {}}
    theirs = {"id": 901, "card_id": 900, "series": [{"id": 900, "name": "whole card"}], **place}
    theirs["inline_parameters"] = ["a1b2c3d4"]
    text = {"id": 902, "card_id": None, **place, "row": 30, "visualization_settings": {"text": "Read this"}}
    board["dashcards"] += [theirs, text]
    assert applied.plan().empty
    applied.apply(applied.without("second"))
    tiles = {tile["id"]: tile for tile in applied.board()["dashcards"]}
    assert tiles[901]["card_id"] == 900
    assert tiles[901]["inline_parameters"] == ["a1b2c3d4"]
    assert tiles[902]["visualization_settings"] == {"text": "Read this"}


def test_tabs_that_others_made_stay(applied: World) -> None:
    board = applied.fake.dashboards[applied.board()["id"]]
    board["tabs"] = [{"id": 7, "name": "One"}, {"id": 8, "name": "Two"}]
    for tile, tab in zip(board["dashcards"], (7, 8, 8), strict=True):
        tile["dashboard_tab_id"] = tab
    applied.apply(applied.without("second"))
    assert [tab["name"] for tab in applied.board()["tabs"]] == ["One", "Two"]
    assert [tile["dashboard_tab_id"] for tile in applied.board()["dashcards"]] == [7, 8]


def test_an_object_without_its_mark_is_not_ours_and_a_new_one_is_made(applied: World) -> None:
    taken = applied.card("example/first")["id"]
    applied.fake.cards[taken]["description"] = "Now mine"
    assert applied.plan().create == ["card example/first"]
    applied.apply()
    assert applied.fake.cards[taken]["description"] == "Now mine"
    assert applied.card("example/first")["id"] != taken


def tile_moved(world: World) -> None:
    world.fake.dashboards[world.board()["id"]]["dashcards"][0]["row"] = 9


def tile_taken_off(world: World) -> None:
    world.fake.dashboards[world.board()["id"]]["dashcards"].pop()


def filter_removed(world: World) -> None:
    board = world.fake.dashboards[world.board()["id"]]
    board["parameters"].pop()


def query_changed(world: World) -> None:
    query = world.fake.cards[world.card("example/first")["id"]]["dataset_query"]
    query["native"]["query"] = query["native"]["query"].replace("sum", "max")


def changed(kind: str, key: str, value: Any) -> Callable[[World], None]:
    def change(world: World) -> None:
        thing = world.card("example/first") if kind == "card" else world.board()
        things = world.fake.cards if kind == "card" else world.fake.dashboards
        text = thing["description"]
        things[thing["id"]][key] = text.replace("One line", "My line") if key == "description" else value

    return change


BY_HAND = [
    (changed("card", "name", "Mine"), "card example/first"),
    (changed("card", "display", "table"), "card example/first"),
    (changed("card", "visualization_settings", {"scalar.field": "x"}), "card example/first"),
    (changed("card", "description", None), "card example/first"),
    (query_changed, "card example/first"),
    (changed("dashboard", "name", "Mine"), "dashboard example"),
    (changed("dashboard", "width", "fixed"), "dashboard example"),
    (tile_moved, "dashboard example"),
    (tile_taken_off, "dashboard example"),
    (filter_removed, "dashboard example"),
]


@pytest.mark.parametrize(("by_hand", "name"), BY_HAND)
def test_a_change_by_hand_is_drift_and_apply_restores_it(
    applied: World, by_hand: Callable[[World], None], name: str
) -> None:
    before = copy.deepcopy([applied.card("example/first"), applied.board()])
    by_hand(applied)
    found = applied.plan()
    assert (found.update, found.by_hand) == ([name], [name])
    applied.apply()
    assert applied.plan().empty
    after = [applied.card("example/first"), applied.board()]
    for was, now in zip(before, after, strict=True):
        tiles = [{**tile, "id": 0} for tile in was.pop("dashcards", [])]
        assert [{**tile, "id": 0} for tile in now.pop("dashcards", [])] == tiles
        assert now == was


def test_an_object_that_was_deleted_by_hand_comes_back(applied: World) -> None:
    applied.fake.cards[applied.card("example/first")["id"]]["archived"] = True
    found = applied.plan()
    assert (found.create, found.update) == (["card example/first"], ["dashboard example"])
    applied.apply()
    assert applied.plan().empty


def test_viewers_and_no_other_users_read_our_collection(applied: World) -> None:
    fake = applied.fake
    (collection,) = fake.collections
    (viewers,) = (id_ for id_, name in fake.groups.items() if name == "Mini Data Platform viewers")
    assert fake.collection_graph == {
        str(ALL_USERS): {str(collection): "none"},
        str(viewers): {str(collection): "read"},
    }
    asks = [group[str(database)]["create-queries"] for group in fake.data_graph.values() for database in fake.databases]
    assert asks == ["no", "no"]


def test_changed_permissions_of_ours_are_drift_and_others_are_left_alone(applied: World) -> None:
    (collection,) = applied.fake.collections
    applied.fake.groups[50] = "Analysts"
    applied.fake.collection_graph["50"] = {str(collection): "write", "3": "read"}
    assert applied.plan().empty
    applied.fake.collection_graph[str(ALL_USERS)][str(collection)] = "write"
    assert applied.plan().by_hand == ["permissions"]
    applied.apply()
    assert applied.plan().empty
    assert applied.fake.collection_graph["50"] == {str(collection): "write", "3": "read"}


def test_a_new_password_of_the_warehouse_is_sent_and_is_no_drift(applied: World) -> None:
    other = Warehouse("postgres", 5432, "warehouse", "new-secret")
    found = applied.plan(warehouse=other)
    assert (found.update, found.by_hand) == (["database"], [])
    applied.apply(warehouse=other)
    (database,) = applied.fake.databases.values()
    assert database["details"]["password"] == "new-secret"
    assert applied.plan(warehouse=other).empty


def test_a_database_that_was_pointed_elsewhere_by_hand_is_drift(applied: World) -> None:
    (database,) = applied.fake.databases.values()
    database["details"]["host"] = "elsewhere"
    assert applied.plan().by_hand == ["database"]
    applied.apply()
    assert database["details"]["host"] == "postgres"


def test_a_database_that_is_gone_is_made_again_and_the_cards_ask_it(applied: World) -> None:
    applied.fake.databases.clear()
    found = applied.plan()
    assert "database" in found.create
    applied.apply()
    (database,) = applied.fake.databases
    assert applied.card("example/first")["dataset_query"]["database"] == database
    assert applied.plan().empty


def test_the_mark_is_below_the_text_that_people_read(applied: World) -> None:
    card = applied.card("example/first")
    text, mark = read_mark(card["description"], card["id"])
    assert text == "One line."
    assert mark is not None
    assert card["description"].endswith(f"mdp:example/first#{card['id']}:{mark.sent}:{mark.seen}")
