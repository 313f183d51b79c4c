"""Marks and digests of what a server shows."""

from typing import Any

import pytest

from bi.metabase.objects import Json, Mark, read, read_mark
from bi.plan import digest

MARK = Mark("trending/pace", "0123456789ab", 12, "ba9876543210")


def test_a_mark_is_read_back_from_below_its_text() -> None:
    assert read_mark(MARK.below("Two\nlines. mdp:not/a#mark"), 12) == ("Two\nlines. mdp:not/a#mark", MARK)


def test_a_copy_has_no_mark_of_its_own() -> None:
    text, mark = read_mark(MARK.below("Text"), 13)
    assert (text, mark) == ("Text", None)


def test_a_mark_of_a_creation_under_way_fits_any_id() -> None:
    fresh = Mark("trending/pace", "0123456789ab")
    assert read_mark(fresh.below("Text"), 13) == ("Text", fresh)


@pytest.mark.parametrize("description", [None, "", "Mine", "mdp:trending/pace", "mdp:a#1:zz:zz"])
def test_an_object_without_a_mark_is_not_ours(description: str | None) -> None:
    assert read_mark(description, 12) == (description or "", None)


def test_digests_do_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1, "b": [3]})


OLD: dict[str, Any] = {
    "name": "N",
    "display": "line",
    "dataset_query": {
        "type": "native",
        "database": 2,
        "native": {
            "query": "select 1",
            "template-tags": {"p": {"type": "dimension", "dimension": ["field", 7, None]}},
        },
    },
}


def new_form(uuid: str) -> dict[str, Any]:
    tags = {"p": {"type": "dimension", "dimension": ["field", {"lib/uuid": uuid}, 7]}}
    stage = {"lib/type": "mbql.stage/native", "native": "select 1", "template-tags": tags}
    return OLD | {"dataset_query": {"lib/type": "mbql/query", "database": 2, "stages": [stage]}}


def card_look(raw: Json, text: str) -> str:
    return read("card", {"id": 1, **raw, "description": text}).look


def dashboard_look(raw: Json, text: str, cards: set[int]) -> str:
    return read("dashboard", {"id": 1, **raw, "description": text}, cards).look


def test_a_card_looks_the_same_in_the_old_and_the_new_form_of_its_query() -> None:
    assert card_look(OLD, "T") == card_look(new_form("a"), "T") == card_look(new_form("b"), "T")


@pytest.mark.parametrize("change", [{"name": "M"}, {"display": "bar"}, {"visualization_settings": {"a": 1}}])
def test_a_card_that_was_changed_looks_different(change: dict[str, Any]) -> None:
    assert card_look(OLD | change, "T") != card_look(OLD, "T") != card_look(OLD, "other text")


def test_another_field_or_query_looks_different() -> None:
    query = OLD["dataset_query"]["native"]
    other_field = query | {"template-tags": {"p": {"type": "dimension", "dimension": ["field", 8, None]}}}
    looks = {
        card_look(OLD | {"dataset_query": {"database": 2, "native": native}}, "T")
        for native in (query, query | {"query": "select 2"}, other_field)
    }
    assert len(looks) == 3


def test_other_peoples_tiles_do_not_change_a_dashboards_look_and_ours_do() -> None:
    board = {"name": "B", "dashcards": [{"id": 1, "card_id": 10, "row": 0, "col": 0}]}
    other = {"id": 2, "card_id": 99, "row": 5, "col": 0}
    with_others = board | {"dashcards": [*board["dashcards"], other, {"id": 3, "card_id": None}]}
    moved = board | {"dashcards": [{"id": 1, "card_id": 10, "row": 4, "col": 0}]}
    assert dashboard_look(board, "T", {10}) == dashboard_look(with_others, "T", {10})
    assert dashboard_look(board, "T", {10}) != dashboard_look(moved, "T", {10})
