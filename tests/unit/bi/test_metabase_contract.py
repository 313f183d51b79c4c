"""A server's description of itself: what fits passes, what does not is named, quirks do not matter."""

from typing import Any

from bi.definition import read_dashboards
from bi.metabase.contract import Contract
from bi.metabase.requests import requests
from tests.fakes.metabase_schemas import described

from .test_metabase_render import TARGET


def contract(schema: dict[str, Any], components: dict[str, Any] | None = None) -> Contract:
    content = {"application/json": {"schema": schema}}
    return Contract(
        {
            "components": {"schemas": components or {}},
            "paths": {"/api/thing/{thing-id}": {"put": {"requestBody": {"content": content}}}},
        }
    )


def test_all_that_we_send_fits_the_fakes_description() -> None:
    server = Contract(described())
    assert [p for r in requests(TARGET, read_dashboards()) for p in server.problems(*r)] == []


def test_an_unknown_key_is_named_with_its_path() -> None:
    server = contract({"type": "object", "properties": {"name": {"type": "string"}}})
    assert server.problems("PUT", "/api/thing/{id}", {"name": "a", "color": "red"}) == [
        "PUT /api/thing/{id}: key `color`: this server does not know it"
    ]


def test_a_wrong_value_is_named_with_its_key() -> None:
    server = contract(
        {"type": "object", "properties": {"a": {"type": "array", "items": {"properties": {"b": {"type": "integer"}}}}}}
    )
    (problem,) = server.problems("PUT", "/api/thing/{id}", {"a": [{"b": 1}, {"b": "x"}]})
    assert problem == "PUT /api/thing/{id}: key `a[1].b`: 'x' is not of type 'integer'"


def test_a_missing_key_is_named() -> None:
    server = contract({"type": "object", "properties": {"name": {}}, "required": ["name"]})
    (problem,) = server.problems("PUT", "/api/thing/{id}", {})
    assert "'name' is a required property" in problem


def test_a_request_that_the_server_does_not_have_is_named() -> None:
    assert contract({}).problems("POST", "/api/other", {}) == ["POST /api/other: this server has no such request"]


def test_a_key_with_a_default_is_not_required() -> None:
    schema = {"type": "object", "properties": {"full": {"default": True}}, "required": ["full"]}
    assert contract(schema).problems("PUT", "/api/thing/{id}/", {}) == []


def test_alternatives_may_overlap() -> None:
    schema = {"type": "object", "properties": {"a": {"oneOf": [{"type": "integer"}, {"type": "number"}]}}}
    assert contract(schema).problems("PUT", "/api/thing/{id}", {"a": 1}) == []


def test_references_are_followed() -> None:
    schema = {"$ref": "#/components/schemas/a.b"}
    parts = {"a.b": {"type": "object", "properties": {"n": {"$ref": "#/components/schemas/n"}}}, "n": {"minimum": 1}}
    server = contract(schema, parts)
    assert server.problems("PUT", "/api/thing/{id}", {"n": 1}) == []
    assert len(server.problems("PUT", "/api/thing/{id}", {"n": 0, "m": 1})) == 2


def test_a_reference_to_nowhere_or_a_foreign_pattern_hides_no_unknown_key() -> None:
    for part in ({"$ref": "#/components/schemas/gone"}, {"pattern": "(?<name>[a&&b]"}):
        server = contract({"type": "object", "properties": {"a": part}})
        (problem,) = server.problems("PUT", "/api/thing/{id}", {"a": "x", "b": 1})
        assert "key `b`" in problem


def test_open_objects_stay_open() -> None:
    schema = {"type": "object", "properties": {"details": {"type": "object", "properties": {}}}}
    assert contract(schema).problems("PUT", "/api/thing/{id}", {"details": {"host": "h"}}) == []
