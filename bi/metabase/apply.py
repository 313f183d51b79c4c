"""Plan and apply: what is on a server, what is wanted, and how the one becomes the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bi.metabase.access import compare_access, find_access, grant
from bi.metabase.client import Metabase
from bi.metabase.database import database, find_columns, find_database, needed, wait_for_columns
from bi.metabase.objects import Found, Kind, compare, label, read, save
from bi.metabase.render import Ids, card, card_name, collection, dashboard
from bi.model import Dashboard
from bi.plan import Plan
from bi.target import Target
from minidata.errors import PlatformError

Progress = Callable[[str], None]
_ADMINISTRATOR = "administrator"
# Of a tile that someone else put on our dashboard: a change replaces all tiles.
_KEPT = ("id", "card_id", "row", "col", "size_x", "size_y", "parameter_mappings", "visualization_settings",
         "dashboard_tab_id", "action_id", "inline_parameters")  # fmt: skip


def plan(target: Target, dashboards: Sequence[Dashboard]) -> Plan:
    """Return what an `apply` would do; nothing is changed.

    Raises:
        PlatformError: as `apply`.
    """
    with Metabase(target) as server:
        server.wait_until_ready(0)
        if server.fresh:
            names = [_ADMINISTRATOR, "database", "collection", "group viewers", "permissions"]
            names += [label("card", card_name(d, tile)) for d in dashboards for tile in d.tiles]
            return Plan(create=names + [label("dashboard", d.name) for d in dashboards])
        server.log_in()
        return _Changes(server, dashboards).plan


def apply(
    target: Target, dashboards: Sequence[Dashboard], progress: Progress = lambda _: None, patience: float = 300
) -> Plan:
    """Make a server show the dashboards; objects that are as defined are not touched.

    New cards come first and are on no dashboard yet; each dashboard then changes in one request; objects that are no
    longer defined go last, to the trash of Metabase. An `apply` that was cut off is completed by the next one.

    Args:
        target: the server.
        dashboards: what it shall show; ours that are not among them are removed.
        progress: called with the name of each object before it is changed.
        patience: seconds to wait for a server that starts, and again until it has read the views.

    Returns:
        What was done.

    Raises:
        PermanentError: if the server was set up by someone else, is too old, or refuses a request.
        TransientError: if it is down or too slow.
    """
    done: list[str] = []

    def report(name: str) -> None:
        done.append(name)
        progress(name)

    with Metabase(target) as server:
        server.wait_until_ready(patience)
        fresh = server.fresh
        if fresh:
            report(_ADMINISTRATOR)
            server.set_up()
        else:
            server.log_in()
        changes = _Changes(server, dashboards)
        try:
            changes.carry_out(report, patience)
        except PlatformError as error:
            raise type(error)(
                f"{error}\nBegun until then: {', '.join(done) or 'nothing'}. Fix the cause, then run the same "
                "command again: it continues from there."
            ) from error
        if fresh:
            changes.plan.create.insert(0, _ADMINISTRATOR)
        return changes.plan


def addresses(target: Target, dashboards: Sequence[Dashboard]) -> dict[str, str]:
    """Return where each dashboard can be opened, by name; one that was not applied has no address.

    Metabase does not keep how often a dashboard refreshes: the address says it, in steps of a minute.

    Raises:
        PlatformError: if the server is down or refuses our log-in.
    """
    with Metabase(target) as server:
        server.wait_until_ready(0)
        if server.fresh:
            return {}
        server.log_in()
        found = _find_collection(server)
        boards = _find_objects(server, found.id)[1] if found else {}
        return {
            d.name: f"{target.url.rstrip('/')}/dashboard/{boards[d.name].id}#refresh={max(d.refresh_seconds, 60)}"
            for d in dashboards
            if d.name in boards
        }


class _Changes:
    """What is to be done on a server; making one changes nothing.

    Attributes:
        plan: what `carry_out` does.
    """

    def __init__(self, server: Metabase, dashboards: Sequence[Dashboard]) -> None:
        self._server, self._dashboards, self.plan = server, dashboards, Plan()
        self._database, self._collection = find_database(server), _find_collection(server)
        database_id = self._database.id if self._database else 0
        collection_id = self._collection.id if self._collection else 0
        self._cards, self._boards = _find_objects(server, collection_id) if collection_id else ({}, {})
        columns = find_columns(server, database_id) if database_id else {}
        self._ids = Ids(database_id, collection_id, columns, {name: c.id for name, c in self._cards.items()})
        self._access = find_access(server)
        self._save_database = compare(self.plan, database(server.target.warehouse), self._database)
        self._save_collection = compare(self.plan, collection(), self._collection)
        self._grant = compare_access(self.plan, server, self._access, database_id, collection_id)
        for definition in dashboards:
            for tile in definition.tiles:
                wanted = card(definition, tile, self._ids)
                compare(self.plan, wanted, self._cards.get(wanted.name))
        for definition in dashboards:
            compare(self.plan, dashboard(definition, self._ids), self._boards.get(definition.name))
        names = {d.name for d in dashboards}
        tiles = {card_name(d, tile) for d in dashboards for tile in d.tiles}
        self._gone: list[tuple[Kind, str, Found]] = [
            *(("dashboard", name, found) for name, found in self._boards.items() if name not in names),
            *(("card", name, found) for name, found in self._cards.items() if name not in tiles),
        ]
        self.plan.delete += [label(kind, name) for kind, name, _ in self._gone]

    def carry_out(self, report: Progress, patience: float) -> None:
        """Do it.

        Args:
            report: called with the name of each object before it is changed.
            patience: seconds to wait until Metabase has read the views.

        Raises:
            PlatformError: if the server refuses; the next `apply` continues from there.
        """
        server, ids = self._server, self._ids
        if self._save_database:
            report("database")
            ids = replace(ids, database=save(server, database(server.target.warehouse), self._database))
        ids = replace(ids, columns=wait_for_columns(server, ids.database, needed(self._dashboards), patience))
        if self._save_collection:
            report("collection")
            ids = replace(ids, collection=save(server, collection(), self._collection))
        if self._grant:
            report("permissions")
            grant(server, self._access, ids.database, ids.collection)
        made = {}
        for definition in self._dashboards:
            for tile in definition.tiles:
                wanted = card(definition, tile, ids)
                found = self._cards.get(wanted.name)
                if found is None or not found.fits(wanted):
                    report(wanted.label)
                    made[wanted.name] = save(server, wanted, found)
                else:
                    made[wanted.name] = found.id
        ours = {*made.values(), *ids.cards.values()}
        for definition in self._dashboards:
            self._save_dashboard(definition, replace(ids, cards=made), ours, report)
        for kind, name, found in self._gone:
            report(label(kind, name))
            server.send("PUT", f"/api/{kind}/{found.id}", {"archived": True})

    def _save_dashboard(self, definition: Dashboard, ids: Ids, ours: set[int], report: Progress) -> None:
        found = self._boards.get(definition.name)
        raw = found.raw if found else {}
        present = {t["card_id"]: t["id"] for t in raw.get("dashcards") or [] if t.get("card_id") in ours}
        wanted = dashboard(definition, ids, present)
        if found is None or not found.fits(wanted):
            report(wanted.label)
            save(self._server, wanted, found, ours, _with_others(wanted.body, raw, ours))


def _find_collection(server: Metabase) -> Found | None:
    shown = [read("collection", raw) for raw in server.get("/api/collection") if isinstance(raw["id"], int)]
    return next((found for found in shown if found.mark is not None and found.mark.name == "collection"), None)


def _find_objects(server: Metabase, collection_id: int) -> tuple[dict[str, Found], dict[str, Found]]:
    """Return our cards and dashboards in the collection, by name; what has no mark of its own is someone else's."""
    items = server.get(f"/api/collection/{collection_id}/items", models=["card", "dashboard"])["data"]
    cards: dict[str, Found] = {}
    boards: dict[str, Found] = {}
    for kind, ours in (("card", cards), ("dashboard", boards)):
        for id_ in sorted(int(item["id"]) for item in items if item["model"] == kind):
            raw = server.get(f"/api/{kind}/{id_}")
            found = read("card", raw) if kind == "card" else read("dashboard", raw, {c.id for c in cards.values()})
            if found.mark is not None:
                ours.setdefault(found.mark.name, found)
    return cards, boards


def _with_others(body: Mapping[str, Any], raw: Mapping[str, Any], ours: set[int]) -> dict[str, Any]:
    """Add the tabs, texts and tiles that other people put on a dashboard: they stay where they are."""
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
