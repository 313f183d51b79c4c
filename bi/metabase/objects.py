"""Objects of ours on a Metabase server: how they are recognised, compared and saved.

Each carries a mark in the last line of its description, the only text that every kind of object keeps for us:

    mdp:trending/over_time#12:1a2b3c4d5e6f:9f8e7d6c5b4a

It names the object, its own id (a copy has another id and belongs to its maker), a digest of what was sent, and a
digest of what the server then showed. If the second no longer fits, someone changed the object by hand. Metabase
shows an object in another form than it was sent in, so what it shows is compared with what it showed before.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bi.metabase.client import Metabase
from bi.plan import Plan, digest

Json = Mapping[str, Any]
Kind = Literal["database", "collection", "card", "dashboard"]
_LINE = re.compile(r"(?s)\A(.*?)\s*mdp:([a-z0-9_/]+)#(\d+|new):([0-9a-f]{12}):([0-9a-f]{12}|new)\s*\Z")
_UNSEEN = "new"
# What Metabase accepts when an object is made; the rest follows as a change.
_CREATION = {
    "database": ("name", "engine", "details", "is_full_sync", "auto_run_queries"),
    "dashboard": ("name", "description", "collection_id", "parameters"),
}
_LOOK: dict[str, tuple[str, ...]] = {
    "database": ("name", "engine"),
    "collection": ("name", "archived"),
    "card": ("name", "display", "collection_id", "visualization_settings", "archived"),
    "dashboard": ("name", "collection_id", "width", "auto_apply_filters", "archived"),
}
_TILE = ("row", "col", "size_x", "size_y", "card_id", "visualization_settings", "dashboard_tab_id")
_PARAMETER = ("id", "name", "slug", "type", "default")


@dataclass(frozen=True)
class Mark:
    """The mark of one object.

    Attributes:
        name: in the definitions: `database`, `collection`, a dashboard, or `dashboard/tile`.
        sent: digest of what was sent.
        id: of the object itself; None while its creation is under way.
        seen: digest of what the server showed afterwards; `new` until it was looked at.
    """

    name: str
    sent: str
    id: int | None = None
    seen: str = _UNSEEN

    def below(self, text: str) -> str:
        """Return a description: text for people, then the mark."""
        return f"{text}\n\nmdp:{self.name}#{self.id or 'new'}:{self.sent}:{self.seen}"


@dataclass(frozen=True)
class Wanted:
    """An object as it should be.

    Attributes:
        kind: what it is.
        name: in marks.
        text: its description, for people.
        body: the request, without the description.
    """

    kind: Kind
    name: str
    text: str
    body: dict[str, Any]

    @property
    def label(self) -> str:
        """Its name in plans."""
        return label(self.kind, self.name)

    @property
    def digest(self) -> str:
        """Digest of all of it, without the ids of tiles on a dashboard, which the server chooses."""
        tiles = [{**tile, "id": None} for tile in self.body.get("dashcards", [])]
        return digest([self.text, {**self.body, "dashcards": tiles}])


@dataclass(frozen=True)
class Found:
    """An object as the server shows it.

    Attributes:
        id: on the server.
        mark: None if it has none, or the mark of another object.
        look: digest of everything that a person can change.
        raw: the answer of the server.
    """

    id: int
    mark: Mark | None
    look: str
    raw: Json

    @property
    def by_hand(self) -> bool:
        """Whether someone changed it since our last look; one whose creation was cut off was never looked at."""
        return self.mark is not None and self.mark.seen not in (self.look, _UNSEEN)

    def fits(self, wanted: Wanted) -> bool:
        """Tell whether it was made from this very definition, and was not changed since."""
        return self.mark is not None and self.mark.sent == wanted.digest and self.mark.seen == self.look


def label(kind: Kind, name: str) -> str:
    """Return the name of an object in plans."""
    return name if name == kind else f"{kind} {name}"


def read_mark(description: str | None, own_id: int) -> tuple[str, Mark | None]:
    """Return the text for people and the mark of an object, None if it has none or a mark of another object."""
    found = _LINE.match(description or "")
    if not found:
        return description or "", None
    text, name, id_, sent, seen = found.groups()
    if id_ != "new" and int(id_) != own_id:
        return text, None
    return text, Mark(name, sent, None if id_ == "new" else own_id, seen)


def read(kind: Kind, raw: Json, cards: Collection[int] = ()) -> Found:
    """Return an object from the answer of the server.

    Args:
        kind: what it is.
        raw: the answer.
        cards: ids of our cards; tiles of other cards are not part of the look of a dashboard.
    """
    id_ = int(raw["id"])
    text, mark = read_mark(raw.get("description"), id_)
    parts = {"database": _details, "card": _query}
    rest = _tiles(raw, cards) if kind == "dashboard" else parts.get(kind, lambda _: None)(raw)
    return Found(id_, mark, digest([text, [raw.get(key) for key in _LOOK[kind]], rest]), raw)


def _details(raw: Json) -> Json:
    return {key: value for key, value in (raw.get("details") or {}).items() if key != "password"}


def _query(raw: Json) -> list[Any]:
    """Read the query out of the old form (`native`) or the new one (`stages`), so that an upgrade is no change."""
    query = raw.get("dataset_query") or {}
    native: Json = query.get("native") or next(iter(query.get("stages") or []), {})
    tags = {
        name: [
            *(tag.get(key) for key in ("type", "widget-type", "default", "display-name")),
            # ["field", 7, null] in the old form, ["field", {…}, 7] in the new
            next((part for part in tag.get("dimension") or [] if isinstance(part, int)), None),
        ]
        for name, tag in (native.get("template-tags") or {}).items()
    }
    return [query.get("database"), native.get("query") or native.get("native"), tags]


def _tiles(raw: Json, cards: Collection[int]) -> list[Any]:
    tiles = [
        [
            [tile.get(key) for key in _TILE],
            sorted(([m.get("parameter_id"), m.get("target")] for m in tile.get("parameter_mappings") or []), key=str),
        ]
        for tile in raw.get("dashcards") or []
        if tile.get("card_id") in cards
    ]
    parameters = [[parameter.get(key) for key in _PARAMETER] for parameter in raw.get("parameters") or []]
    return [parameters, sorted(tiles, key=str)]


def compare(plan: Plan, wanted: Wanted, found: Found | None) -> bool:
    """Enter an object into a plan; return whether there is something to do."""
    if found is None:
        plan.create.append(wanted.label)
    elif found.fits(wanted):
        plan.unchanged.append(wanted.label)
        return False
    else:
        plan.update.append(wanted.label)
        if found.by_hand:
            plan.by_hand.append(wanted.label)
    return True


def save(
    server: Metabase, wanted: Wanted, found: Found | None, cards: Collection[int] = (), body: Json | None = None
) -> int:
    """Create or change an object, then look at what the server made of it and remember that in its mark.

    Args:
        server: logged in.
        wanted: the object.
        found: the same on the server, if it is there.
        cards: as for `read`.
        body: what is sent instead of the body of `wanted`.

    Returns:
        Its id.
    """
    path = f"/api/{wanted.kind}"
    body = {**(body or wanted.body), "description": Mark(wanted.name, wanted.digest).below(wanted.text)}
    if found is None:
        creation = _CREATION.get(wanted.kind, tuple(body))
        id_ = int(server.send("POST", path, {key: body[key] for key in creation})["id"])
    else:
        id_ = found.id
    if found is not None or wanted.kind in _CREATION:
        marked = Mark(wanted.name, wanted.digest, id_).below(wanted.text)
        server.send("PUT", f"{path}/{id_}", {**body, "description": marked})
    look = read(wanted.kind, server.get(f"{path}/{id_}"), cards).look
    sealed = Mark(wanted.name, wanted.digest, id_, look).below(wanted.text)
    server.send("PUT", f"{path}/{id_}", {"description": sealed})
    return id_
