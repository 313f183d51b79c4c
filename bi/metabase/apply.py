"""Plan and apply: what is on a server, what is wanted, and how the one becomes the other."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bi.metabase.access import ensure_access
from bi.metabase.client import Metabase
from bi.metabase.database import database, find_columns, find_database, needed, wait_for_columns
from bi.metabase.objects import Found, Json, Kind, Wanted, compare, label, read, save
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
        return _walk(server, dashboards, lambda _: None, 0, dry=True)


def apply(
    target: Target, dashboards: Sequence[Dashboard], progress: Progress = lambda _: None, patience: float = 300
) -> Plan:
    """Make a server show the dashboards; objects that are as defined are not touched.

    New cards come first and are on no dashboard yet; each dashboard then changes in one request; objects that are no
    longer defined go last, to the trash of Metabase. An `apply` that was cut off is completed by the next one.

    Args:
        target: the server.
        dashboards: what it should show; ours that are not among them are removed.
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
        try:
            result = _walk(server, dashboards, report, patience, dry=False)
        except PlatformError as error:
            raise type(error)(
                f"{error}\nBegun until then: {', '.join(done) or 'nothing'}. Fix the cause, then run the same "
                "command again: it continues from there."
            ) from error
        if fresh:
            result.create.insert(0, _ADMINISTRATOR)
        return result


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


def _walk(server: Metabase, dashboards: Sequence[Dashboard], report: Progress, patience: float, *, dry: bool) -> Plan:
    """Go over everything that the dashboards need, and save what is not as wanted.

    Args:
        server: logged in.
        dashboards: what it should show.
        report: called with the name of each object before it is changed.
        patience: seconds to wait until Metabase has read the views.
        dry: only say what would be done; an object that is not there yet has the id 0.

    Returns:
        What was, or would be, done.
    """
    plan = Plan()

    def ensure(wanted: Wanted, found: Found | None, ours: Collection[int] = (), body: Json | None = None) -> int:
        if not compare(plan, wanted, found) or dry:
            return found.id if found else 0
        report(wanted.label)
        return save(server, wanted, found, ours, body)

    database_id = ensure(database(server.target.warehouse), find_database(server))
    columns = {}
    if dry and database_id:
        columns = find_columns(server, database_id)
    elif not dry:
        columns = wait_for_columns(server, database_id, needed(dashboards), patience)
    known = _find_collection(server)
    cards, boards = _find_objects(server, known.id) if known else ({}, {})
    collection_id = ensure(collection(), known)
    ensure_access(plan, server, database_id, collection_id, report, dry=dry)
    ids = Ids(database_id, collection_id, columns)
    wanted_cards = [card(definition, tile, ids) for definition in dashboards for tile in definition.tiles]
    ids = replace(ids, cards={wanted.name: ensure(wanted, cards.pop(wanted.name, None)) for wanted in wanted_cards})
    ours = {*ids.cards.values(), *(found.id for found in cards.values())}
    for definition in dashboards:
        found = boards.pop(definition.name, None)
        raw = found.raw if found else {}
        tiles = {tile["card_id"]: tile["id"] for tile in raw.get("dashcards") or [] if tile.get("card_id") in ours}
        wanted = dashboard(definition, ids, tiles)
        ensure(wanted, found, ours, _with_others(wanted.body, raw, ours))
    left: tuple[tuple[Kind, dict[str, Found]], ...] = (("dashboard", boards), ("card", cards))
    for kind, gone in left:
        for name, found in gone.items():
            plan.delete.append(label(kind, name))
            if not dry:
                report(label(kind, name))
                server.send("PUT", f"/api/{kind}/{found.id}", {"archived": True})
    return plan


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
