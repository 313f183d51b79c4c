"""What is on a server: our own objects, recognised by their marks, and how each looks now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bi.metabase.client import Metabase
from bi.metabase.mark import UNSEEN, Mark, digest, read_mark
from bi.metabase.render import Wanted
from bi.plan import Plan

Json = Mapping[str, Any]
Kind = Literal["card", "dashboard"]
_TILE = ("row", "col", "size_x", "size_y", "card_id", "visualization_settings", "dashboard_tab_id")
_PARAMETER = ("id", "name", "slug", "type", "default")


@dataclass(frozen=True)
class Found:
    """One object of ours.

    Attributes:
        id: on the server.
        mark: what it was made from.
        text: its description without the mark.
        look: digest of what the server shows of it now.
        raw: the server's answer.
    """

    id: int
    mark: Mark
    text: str
    look: str
    raw: Json

    @property
    def touched(self) -> bool:
        """Whether somebody changed it by hand since we looked at it last."""
        return self.mark.seen != self.look


@dataclass
class Objects:
    """The cards and dashboards of ours in the collection, by name."""

    cards: dict[str, Found] = field(default_factory=dict)
    dashboards: dict[str, Found] = field(default_factory=dict)


def find_objects(server: Metabase, collection: int) -> Objects:
    """Look through the collection; what has no mark of its own there is somebody else's."""
    objects = Objects()
    items = server.get(f"/api/collection/{collection}/items", models=["card", "dashboard"])["data"]
    for item in sorted(items, key=lambda item: int(item["id"])):
        kind: Kind = "card" if item["model"] == "card" else "dashboard"
        found = look(server, kind, int(item["id"]))
        if found is not None:
            target = objects.cards if kind == "card" else objects.dashboards
            target.setdefault(found.mark.name, found)
    if objects.dashboards:
        _look_without_strangers(objects)
    return objects


def look(server: Metabase, kind: Kind, id_: int) -> Found | None:
    """Read one object; None if it does not carry its own mark."""
    raw = server.get(f"/api/{kind}/{id_}")
    text, mark = read_mark(raw.get("description"), id_)
    if mark is None:
        return None
    shown = card_look(raw, text) if kind == "card" else dashboard_look(raw, text, set())
    return Found(id_, mark, text, shown, raw)


def _look_without_strangers(objects: Objects) -> None:
    ours = {card.id for card in objects.cards.values()}
    for name, found in objects.dashboards.items():
        shown = dashboard_look(found.raw, found.text, ours)
        objects.dashboards[name] = Found(found.id, found.mark, found.text, shown, found.raw)


def card_look(raw: Json, text: str) -> str:
    """Return a digest of all of a card that a person can change.

    The query is read out of the server's form, old (`native`) or new (`stages`), so that an upgrade, or ids that
    the server makes up anew for each answer, do not look like a change.
    """
    query = raw.get("dataset_query") or {}
    native: Json = query.get("native") or next(iter(query.get("stages") or []), {})
    statement = native.get("query") or native.get("native")
    tags = {
        name: [tag.get("type"), tag.get("widget-type"), tag.get("default"), tag.get("display-name"), _field(tag)]
        for name, tag in (native.get("template-tags") or {}).items()
    }
    kept = [raw.get(key) for key in ("name", "display", "collection_id", "visualization_settings", "archived")]
    return digest([text, kept, query.get("database"), statement, tags])


def _field(tag: Json) -> int | None:
    """Return the field of a tag, `["field", 7, null]` in the old form, `["field", {…}, 7]` in the new."""
    return next((part for part in tag.get("dimension") or [] if isinstance(part, int)), None)


def dashboard_look(raw: Json, text: str, ours: set[int]) -> str:
    """Return a digest of all of a dashboard that a person can change, the tiles of other cards aside.

    Args:
        raw: the server's answer.
        text: its description without the mark.
        ours: ids of our cards.
    """
    tiles = []
    for tile in raw.get("dashcards") or []:
        if tile.get("card_id") in ours:
            mappings = [[m.get("parameter_id"), m.get("target")] for m in tile.get("parameter_mappings") or []]
            tiles.append([[tile.get(key) for key in _TILE], sorted(mappings, key=str)])
    parameters = [[p.get(key) for key in _PARAMETER] for p in raw.get("parameters") or []]
    kept = [raw.get(key) for key in ("name", "collection_id", "width", "auto_apply_filters", "archived")]
    return digest([text, kept, parameters, sorted(tiles, key=str)])


def is_right(wanted: Wanted, found: Found) -> bool:
    """Tell whether an object was made from this very definition, and nobody changed it since."""
    return found.mark.wanted == wanted.digest and not found.touched


def decide(plan: Plan, kind: str, wanted: Wanted, found: Found | None) -> None:
    """Enter an object into a plan.

    Args:
        plan: to enter it into.
        kind: `card` or `dashboard`.
        wanted: as it should be.
        found: as it is, if it is there.
    """
    name = f"{kind} {wanted.name}"
    if found is None:
        plan.create.append(name)
        return
    if is_right(wanted, found):
        plan.unchanged.append(name)
        return
    plan.update.append(name)
    # An object whose creation was cut off was never looked at: nobody else changed it.
    if found.touched and found.mark.seen != UNSEEN:
        plan.drift.append(name)
