"""Every request that an `apply` may send, so that all can be checked before the first one is."""

from collections.abc import Mapping, Sequence
from typing import Any

from bi.metabase import access, warehouse
from bi.metabase.mark import Mark
from bi.metabase.render import Ids, card, card_name, dashboard, empty_dashboard
from bi.metabase.target import Target, login, setup
from bi.model import Dashboard

Request = tuple[str, str, Mapping[str, Any]]
_MARK = Mark("example", "0" * 12)


def requests(target: Target, dashboards: Sequence[Dashboard]) -> list[Request]:
    """Return method, path and body of every request, with 1 for each id and example texts."""
    cards = {card_name(d, tile): 1 for d in dashboards for tile in d.tiles}
    ids = Ids(1, 1, dict.fromkeys(warehouse.needed(dashboards), 1), cards)
    found: list[Request] = [
        ("POST", "/api/setup", setup(target, "token")),
        ("POST", "/api/session", login(target)),
        ("POST", "/api/database", warehouse.body(target)),
        ("PUT", "/api/database/{id}", {**warehouse.body(target), "description": "example"}),
        ("POST", "/api/database/{id}/sync_schema", {}),
        ("POST", "/api/collection", {"name": target.name, "description": "example"}),
        ("PUT", "/api/collection/{id}", {"name": target.name, "description": "example"}),
        ("POST", "/api/permissions/group", {"name": target.viewers}),
        ("PUT", "/api/permissions/graph", access.data_graph(1, 1, 2, 1)),
        ("PUT", "/api/collection/graph", access.collection_graph(1, 1, 2, 1)),
    ]
    for path in ("/api/card/{id}", "/api/dashboard/{id}"):
        found += [("PUT", path, {"archived": True}), ("PUT", path, {"description": "example"})]
    for definition in dashboards:
        for tile in definition.tiles:
            body = card(definition, tile, ids).described(_MARK)
            found += [("POST", "/api/card", body), ("PUT", "/api/card/{id}", body)]
        wanted = dashboard(definition, ids)
        found.append(("POST", "/api/dashboard", empty_dashboard(wanted)))
        found.append(("PUT", "/api/dashboard/{id}", wanted.described(_MARK)))
    return found
