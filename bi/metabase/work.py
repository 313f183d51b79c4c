"""The work on one server: what is there, what is wanted, and how the one becomes the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from bi.metabase import access, warehouse
from bi.metabase.client import Metabase
from bi.metabase.found import Found, Objects, card_look, dashboard_look, decide, find_objects, is_right
from bi.metabase.mark import Mark, digest, read_mark
from bi.metabase.render import Ids, Wanted, card, dashboard, empty_dashboard
from bi.model import Dashboard
from bi.plan import Plan

COLLECTION = "collection"
_TEXT = "Made from the files in dashboards/. A copy of what is here is yours to change; the originals are not."
_KEPT = ("id", "card_id", "row", "col", "size_x", "size_y", "parameter_mappings", "visualization_settings",
         "dashboard_tab_id", "action_id")  # fmt: skip


class Work:
    """What is to be done on a server; looking at it changes nothing.

    Args:
        server: logged in.
        dashboards: what it shall show.

    Attributes:
        plan: what `carry_out` does.
    """

    def __init__(self, server: Metabase, dashboards: Sequence[Dashboard]) -> None:
        self._server = server
        self._dashboards = dashboards
        self.plan = Plan()
        self._database = warehouse.find(server)
        self._collection = find_collection(server)
        database = int(self._database["id"]) if self._database else 0
        collection = int(self._collection["id"]) if self._collection else 0
        self._objects = find_objects(server, collection) if collection else Objects()
        self._ids = Ids(
            database,
            collection,
            warehouse.fields(server, database) if database else {},
            {name: found.id for name, found in self._objects.cards.items()},
        )
        self._make_database = warehouse.decide(self.plan, self._database, server.target)
        self._make_collection = _decide_collection(self.plan, self._collection, server.target.name)
        access.decide(self.plan, server, database, collection)
        self._decide_objects()

    def carry_out(self, report: Callable[[str], None]) -> None:
        """Do it.

        Args:
            report: called with the name of each object before it is changed.

        Raises:
            PlatformError: if the server does not go along; the next `apply` goes on from there.
        """
        server, ids = self._server, self._ids
        if self._make_database:
            report(warehouse.NAME)
            ids = replace(ids, database=warehouse.apply(server, self._database))
        fields = warehouse.wait_for_fields(server, ids.database, warehouse.needed(self._dashboards))
        if self._make_collection:
            report(COLLECTION)
            ids = replace(ids, collection=_make_collection(server, self._collection))
        ids = replace(ids, fields=fields)
        if not {access.GROUP, access.PERMISSIONS} <= set(self.plan.unchanged):
            report(access.PERMISSIONS)
            access.apply(server, ids.database, ids.collection)
        made = {}
        for definition in self._dashboards:
            for tile in definition.tiles:
                wanted = card(definition, tile, ids)
                made[wanted.name] = self._make_card(wanted, report)
        ours = {*made.values(), *ids.cards.values()}
        ids = replace(ids, cards=made)
        for definition in self._dashboards:
            self._make_dashboard(definition, ids, ours, report)
        self._remove(report)

    def _decide_objects(self) -> None:
        cards, boards = dict(self._objects.cards), dict(self._objects.dashboards)
        for definition in self._dashboards:
            for tile in definition.tiles:
                wanted = card(definition, tile, self._ids)
                decide(self.plan, "card", wanted, cards.pop(wanted.name, None))
        for definition in self._dashboards:
            found = boards.pop(definition.name, None)
            decide(self.plan, "dashboard", dashboard(definition, self._ids), found)
        self._gone = [("dashboard", found) for found in boards.values()]
        self._gone += [("card", found) for found in cards.values()]
        self.plan.delete += [f"{kind} {found.mark.name}" for kind, found in self._gone]

    def _make_card(self, wanted: Wanted, report: Callable[[str], None]) -> int:
        found = self._objects.cards.get(wanted.name)
        if found is not None and is_right(wanted, found):
            return found.id
        report(f"card {wanted.name}")
        mark = Mark(wanted.name, wanted.digest, found.id if found else None)
        if found is None:
            id_ = int(self._server.send("POST", "/api/card", wanted.described(mark))["id"])
        else:
            id_ = found.id
            self._server.send("PUT", "/api/card/{id}", wanted.described(mark), id=id_)
        self._seal("card", id_, wanted, set())
        return id_

    def _make_dashboard(self, definition: Dashboard, ids: Ids, ours: set[int], report: Callable[[str], None]) -> None:
        found = self._objects.dashboards.get(definition.name)
        present = _tiles_by_card(found, ours)
        wanted = dashboard(definition, ids, present)
        if found is not None and is_right(wanted, found):
            return
        report(f"dashboard {wanted.name}")
        if found is None:
            id_ = int(self._server.send("POST", "/api/dashboard", empty_dashboard(wanted))["id"])
        else:
            id_ = found.id
        body = wanted.described(Mark(wanted.name, wanted.digest, id_))
        self._server.send("PUT", "/api/dashboard/{id}", _with_strangers(body, found.raw if found else {}, ours), id=id_)
        self._seal("dashboard", id_, wanted, ours)

    def _seal(self, kind: Literal["card", "dashboard"], id_: int, wanted: Wanted, ours: set[int]) -> None:
        """Look at what the server made of it, and remember that look in the mark."""
        raw = self._server.get(f"/api/{kind}/{id_}")
        shown = card_look(raw, wanted.text) if kind == "card" else dashboard_look(raw, wanted.text, ours)
        mark = Mark(wanted.name, wanted.digest, id_, shown)
        self._server.send("PUT", f"/api/{kind}/{{id}}", {"description": mark.below(wanted.text)}, id=id_)

    def _remove(self, report: Callable[[str], None]) -> None:
        for kind, found in self._gone:
            report(f"{kind} {found.mark.name}")
            self._server.send("PUT", f"/api/{kind}/{{id}}", {"archived": True}, id=found.id)


def _tiles_by_card(found: Found | None, ours: set[int]) -> dict[int, int]:
    tiles = found.raw.get("dashcards") or [] if found else []
    return {int(tile["card_id"]): int(tile["id"]) for tile in tiles if tile.get("card_id") in ours}


def _with_strangers(body: Mapping[str, Any], raw: Mapping[str, Any], ours: set[int]) -> dict[str, Any]:
    """Add the tabs, texts and other people's tiles that are on a dashboard: they stay where they are."""
    tabs = [{"id": tab["id"], "name": tab["name"]} for tab in raw.get("tabs") or []]
    tab_of = {tile["id"]: tile.get("dashboard_tab_id") for tile in raw.get("dashcards") or []}
    tiles = [dict(tile) for tile in body["dashcards"]]
    for tile in tiles:
        if tabs:
            tile["dashboard_tab_id"] = tab_of.get(tile["id"]) or tabs[0]["id"]
    for tile in raw.get("dashcards") or []:
        if tile.get("card_id") not in ours:
            kept = {key: tile[key] for key in _KEPT if tile.get(key) is not None}
            tiles.append({**kept, "series": [{"id": card["id"]} for card in tile.get("series") or []]})
    return {**body, "dashcards": tiles, "tabs": tabs}


def find_collection(server: Metabase) -> Mapping[str, Any] | None:
    """Return our collection as the server shows it, if it is there."""
    for collection in server.get("/api/collection"):
        if isinstance(collection["id"], int):
            mark = read_mark(collection.get("description"), collection["id"])[1]
            if mark is not None and mark.name == COLLECTION:
                return dict(collection)
    return None


def _decide_collection(plan: Plan, collection: Mapping[str, Any] | None, name: str) -> bool:
    if collection is None:
        plan.create.append(COLLECTION)
        return True
    text, mark = read_mark(collection.get("description"), int(collection["id"]))
    if mark is not None and mark.seen == digest([collection["name"], text]) == digest([name, _TEXT]):
        plan.unchanged.append(COLLECTION)
        return False
    plan.update.append(COLLECTION)
    if mark is not None and mark.seen == digest([name, _TEXT]):
        plan.drift.append(COLLECTION)
    return True


def _make_collection(server: Metabase, collection: Mapping[str, Any] | None) -> int:
    name = server.target.name
    look = digest([name, _TEXT])
    if collection is None:
        body = {"name": name, "description": Mark(COLLECTION, look).below(_TEXT)}
        collection = server.send("POST", "/api/collection", body)
    id_ = int(collection["id"])
    body = {"name": name, "description": Mark(COLLECTION, look, id_, look).below(_TEXT)}
    server.send("PUT", "/api/collection/{id}", body, id=id_)
    return id_
