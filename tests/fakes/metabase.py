"""A Metabase that is stricter than the real one: it takes only what it knows, and remembers every request.

It behaves as the source says: setup once, a session for everything else, databases read in the background,
queries shown in another form than they were sent in, tiles replaced as a set, graphs with revisions.
"""

import copy
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = Any
ALL_USERS, ADMINISTRATORS = 1, 2


def _stamp(id_: int) -> Json:
    """What the server adds to everything that a user makes."""
    return {"entity_id": f"{id_:021d}", "creator_id": 1}


class RefusedError(Exception):
    def __init__(self, status: int, body: Json) -> None:
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


@dataclass
class FakeMetabase:
    """The server's state, for tests to look at and to change as a person would in the browser."""

    columns: dict[str, list[str]]
    version: str = "v0.64.6.1"
    starting: int = 0  # answers of 503 before it is ready
    sync_polls: int = 2  # looks at the metadata before the views are in it
    form: str = "mbql5"
    administrators: dict[str, str] = field(default_factory=dict)
    superuser: bool = True
    reachable: bool = True
    fail: Callable[[str, str], Json] = lambda method, path: None  # asked before each request: (status, body)
    lose: Callable[[str, str], Json] = lambda method, path: None  # asked after it was carried out
    token: str | None = "setup-token"
    sessions: set[str] = field(default_factory=set)
    databases: dict[int, Json] = field(default_factory=dict)
    collections: dict[int, Json] = field(default_factory=dict)
    cards: dict[int, Json] = field(default_factory=dict)
    dashboards: dict[int, Json] = field(default_factory=dict)
    groups: dict[int, str] = field(default_factory=lambda: {ALL_USERS: "All Users", ADMINISTRATORS: "Administrators"})
    revisions: dict[str, int] = field(default_factory=lambda: {"data": 1, "collections": 1})
    data_graph: dict[str, Json] = field(default_factory=dict)
    collection_graph: dict[str, Json] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[Json] = field(default_factory=list)  # of the requests, in the same order
    url: str = ""
    _last: int = 100
    _polls: int = -1

    def id(self) -> int:
        self._last += 1
        return self._last

    def writes(self) -> list[tuple[str, str]]:
        """Requests that change something, log-ins aside."""
        return [r for r in self.requests if r[0] != "GET" and r[1] != "/api/session"]

    def set_up_by(self, email: str, password: str) -> None:
        self.administrators[email], self.token = password, None

    # What a visitor of the interface would call; the names of the routes are below.

    def health(self) -> Json:
        if self.starting:
            self.starting -= 1
            raise RefusedError(503, {"status": "initializing", "progress": 0.3})
        return {"status": "ok"}

    def properties(self) -> Json:
        return {
            "setup-token": self.token,
            "has-user-setup": bool(self.administrators),
            "version": {"tag": self.version},
        }

    def setup(self, body: Json) -> Json:
        if self.administrators:
            raise RefusedError(403, "The /api/setup route can only be used to create the first user")
        if body["token"] != self.token:
            raise RefusedError(400, {"errors": {"token": "Token does not match the setup token."}})
        self.set_up_by(body["user"]["email"], body["user"]["password"])
        return self.session({"username": body["user"]["email"], "password": body["user"]["password"]})

    def session(self, body: Json) -> Json:
        if self.administrators.get(body["username"]) != body["password"]:
            raise RefusedError(401, {"errors": {"password": "did not match stored password"}})
        session = str(uuid.uuid4())
        self.sessions.add(session)
        return {"id": session}

    def user(self) -> Json:
        return {"id": 1, "is_superuser": self.superuser}

    def list_databases(self) -> Json:
        shown = [self.database(id_) for id_ in self.databases]
        return {"data": shown, "total": len(shown)}

    def database(self, id_: int) -> Json:
        shown = copy.deepcopy(self._at(self.databases, id_))
        shown["details"]["password"] = "**MetabasePass**"
        return shown

    def make_database(self, body: Json) -> Json:
        self._try(body)
        id_ = self.id()
        self.databases[id_] = {"id": id_, "description": None, **body}
        self._polls = 0
        return self.databases[id_]

    def change_database(self, body: Json, id_: int) -> Json:
        if "details" in body:
            self._try(body)
        self._at(self.databases, id_).update(body)
        return self.databases[id_]

    def _try(self, body: Json) -> None:
        if not self.reachable:
            raise RefusedError(
                400, {"message": "Connection refused: check the host", "errors": {"host": "check the host"}}
            )

    def sync(self, body: Json, id_: int) -> Json:
        self._at(self.databases, id_)
        self._polls = max(self._polls, 0)
        return {"status": "ok"}

    def metadata(self, id_: int) -> Json:
        self._at(self.databases, id_)
        if self._polls >= 0:
            self._polls += 1
        known = self.columns if self._polls > self.sync_polls else {}
        return {"id": id_, "tables": [
            {"name": view, "schema": "mart", "fields": [{"id": self.field_id(view, c), "name": c} for c in columns]}
            for view, columns in known.items()
        ]}  # fmt: skip

    def field_id(self, view: str, column: str) -> int:
        return 1000 + [(v, c) for v, cs in self.columns.items() for c in cs].index((view, column))

    def list_collections(self) -> Json:
        return [{"id": "root", "name": "Our analytics"}, *(c for c in self.collections.values() if not c["archived"])]

    def make_collection(self, body: Json) -> Json:
        id_ = self.id()
        self.collections[id_] = {"id": id_, "archived": False, "description": None, **body}
        self.collection_graph.setdefault(str(ALL_USERS), {})[str(id_)] = "write"  # as the root collection's
        return self.collections[id_]

    def collection(self, id_: int) -> Json:
        return self._at(self.collections, id_)

    def change_collection(self, body: Json, id_: int) -> Json:
        self._at(self.collections, id_).update(body)
        return self.collections[id_]

    def items(self, id_: int) -> Json:
        self._at(self.collections, id_)
        found = [
            {"id": thing["id"], "name": thing["name"], "model": model}
            for model, things in (("card", self.cards), ("dashboard", self.dashboards))
            for thing in things.values()
            if thing["collection_id"] == id_ and not thing["archived"]
        ]
        return {"data": found, "total": len(found)}

    def make_card(self, body: Json) -> Json:
        self._sound(body)
        id_ = self.id()
        self.cards[id_] = {"id": id_, "archived": False, "description": None, "type": "question", **body}
        return self.card(id_)

    def change_card(self, body: Json, id_: int) -> Json:
        self._sound(self._at(self.cards, id_) | body)
        self.cards[id_].update(body)
        return self.card(id_)

    def card(self, id_: int) -> Json:
        shown = copy.deepcopy(self._at(self.cards, id_))
        query = shown["dataset_query"]
        shown |= {"query_type": "native", "database_id": query["database"], "table_id": None} | _stamp(id_)
        shown["visualization_settings"] = {k: v for k, v in shown["visualization_settings"].items() if v is not None}
        if self.form == "mbql5":
            tags = query["native"]["template-tags"]
            for tag in tags.values():
                tag["dimension"] = ["field", {"lib/uuid": str(uuid.uuid4())}, tag["dimension"][1]]
            stage = {"lib/type": "mbql.stage/native", "native": query["native"]["query"], "template-tags": tags}
            shown["dataset_query"] = {"lib/type": "mbql/query", "database": query["database"], "stages": [stage]}
        return shown

    def _sound(self, card: Json) -> None:
        query = card["dataset_query"]
        self._at(self.databases, query["database"])
        native = query["native"]
        tags = native.get("template-tags", {})
        if set(re.findall(r"\{\{(\w+)\}\}", native["query"])) != set(tags):
            raise RefusedError(400, "The query's tags are not the template tags.")
        fields = {self.field_id(view, c) for view, columns in self.columns.items() for c in columns}
        for name, tag in tags.items():
            if tag["name"] != name or tag["dimension"][1] not in fields:
                raise RefusedError(400, f"Template tag {name} is wrong.")

    def make_dashboard(self, body: Json) -> Json:
        id_ = self.id()
        self.dashboards[id_] = {
            "id": id_, "archived": False, "description": None, "width": "fixed", "auto_apply_filters": True,
            "collection_id": None, "parameters": [], "dashcards": [], "tabs": [], **body,
        }  # fmt: skip
        return self.dashboard(id_)

    def change_dashboard(self, body: Json, id_: int) -> Json:
        board = self._at(self.dashboards, id_)
        changed = board | body
        if "dashcards" in body:
            changed["dashcards"] = self._dashcards(board, changed)
        self.dashboards[id_] = changed
        return self.dashboard(id_)

    def _dashcards(self, board: Json, changed: Json) -> Json:
        present = {card["id"] for card in board["dashcards"]}
        tabs = {tab["id"] for tab in changed["tabs"]}
        parameters = {parameter["id"] for parameter in changed["parameters"]}
        ids = [card["id"] for card in changed["dashcards"]]
        if len(set(ids)) < len(ids) or not {i for i in ids if i > 0} <= present:
            raise RefusedError(400, "ids of dashcards must be unique, and known or negative")
        for card in changed["dashcards"]:
            if card.get("card_id") is not None:
                self._at(self.cards, card["card_id"])
            if card["col"] + card["size_x"] > 24 or (tabs and card.get("dashboard_tab_id") not in tabs):
                raise RefusedError(400, "a dashcard is off the grid or on no tab")
            if not {m["parameter_id"] for m in card.get("parameter_mappings", [])} <= parameters:
                raise RefusedError(400, "a dashcard maps a parameter that the dashboard lacks")
        return [{**card, "id": card["id"] if card["id"] > 0 else self.id()} for card in changed["dashcards"]]

    def dashboard(self, id_: int) -> Json:
        board = self._at(self.dashboards, id_)
        stamp = _stamp(id_) | {"dashboard_id": id_}
        bare = {"card_id": None, "dashboard_tab_id": None, "inline_parameters": [], "parameter_mappings": []}
        return board | _stamp(id_) | {
            "enable_embedding": False, "public_uuid": None, "cache_ttl": None,
            "dashcards": [bare | card | stamp for card in board["dashcards"]],
            "tabs": [tab | stamp for tab in board["tabs"]],
        }  # fmt: skip

    def list_groups(self) -> Json:
        magic = {ALL_USERS: "all-internal-users", ADMINISTRATORS: "admin"}
        return [{"id": id_, "name": name, "magic_group_type": magic.get(id_)} for id_, name in self.groups.items()]

    def make_group(self, body: Json) -> Json:
        id_ = self.id()
        self.groups[id_] = body["name"]
        return {"id": id_, **body}

    def show_data_graph(self) -> Json:
        return {"revision": self.revisions["data"], "groups": self.data_graph}

    def change_data_graph(self, body: Json) -> Json:
        self._merge(body, "data", self.data_graph)
        return self.show_data_graph()

    def show_collection_graph(self) -> Json:
        groups = {
            group: {c: right for c, right in rights.items() if right != "none"}
            for group, rights in self.collection_graph.items()
        }
        return {"revision": self.revisions["collections"], "groups": groups}

    def change_collection_graph(self, body: Json) -> Json:
        self._merge(body, "collections", self.collection_graph)
        return self.show_collection_graph()

    def _merge(self, body: Json, kind: str, kept: dict[str, Json]) -> None:
        if body.get("revision") != self.revisions[kind]:
            raise RefusedError(409, "Looks like someone else edited the permissions and your data is out of date.")
        for group, rights in body["groups"].items():
            self._at(self.groups, int(group))
            kept.setdefault(group, {}).update(rights)
        self.revisions[kind] += 1

    @staticmethod
    def _at(things: dict[int, Json], id_: int) -> Json:
        if id_ not in things:
            raise RefusedError(404, "Not found.")
        return things[id_]
