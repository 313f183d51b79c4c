"""What a plan says of a server that holds our objects, others, or none; and of a server in trouble."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from bi.definition import read_dashboards
from bi.model import Dashboard
from bi.superset import apply, plan
from bi.superset.bundle import Asset, pack, path, render, unpack
from bi.superset.compare import digest_of, same
from bi.superset.identity import uuid_of
from bi.target import Target, Warehouse
from minidata.errors import PermanentError, TransientError
from minidata.warehouse.views import read_views

DASHBOARDS = read_dashboards()
WAREHOUSE = Warehouse("db", 5432, "warehouse", "bi-secret")
TARGET = Target("http://superset.test", "admin", "admin-secret", WAREHOUSE)
ASSETS = render(DASHBOARDS, read_views(), WAREHOUSE)


def asset(name: str) -> Asset:
    return next(a for a in ASSETS if a.name == name)


class Server:
    """Answers as Superset does: a log-in by form, an export, an import that gives numbers to charts."""

    def __init__(self, held: list[Asset], **faults: Callable[[httpx.Request], httpx.Response]) -> None:
        self.held = [numbered(a, n) for n, a in enumerate(held, start=100)]
        self.faults = faults
        self.changes: list[str] = []
        self.foreign = 0  # dashboards that someone else made
        self.visitors: set[int] = {a.id or 0 for a in self.held if a.kind == "dashboards"}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        where = request.url.path
        for part, fault in self.faults.items():
            if part in where:
                return fault(request)
        if request.method != "GET" and where != "/login/":
            self.changes.append(f"{request.method} {where}")
        if where == "/static/version_info.json":
            return httpx.Response(200, json={"version": "6.1.0"})
        if where == "/login/":
            return httpx.Response(200 if request.method == "GET" else 302, text='<p id="csrf_token" value="t">')
        if where.endswith("/csrf_token/"):
            return httpx.Response(200, json={"result": "t"})
        if where == "/api/v1/assets/export/":
            return httpx.Response(200, content=exported(self.held))
        if where == "/api/v1/dashboard/":
            ids = [*range(1000, 1000 + self.foreign), *(a.id for a in self.held if a.kind == "dashboards")]
            roles = {n: [{"name": "Public"}] if n in self.visitors else [] for n in ids}
            first = 100 * int(re.findall(r"page:(\d+),page_size:100", request.url.params["q"])[0])
            page = list(roles.items())[first : first + 100]
            return httpx.Response(200, json={"result": [{"id": n, "roles": r} for n, r in page]})
        if where == "/api/v1/assets/import/":
            self._hold(unpack(request.content))
        if where == "/api/v1/dashboard/related/roles":
            return httpx.Response(200, json={"result": [{"text": "Public", "value": 1}]})
        if request.method == "PUT":
            self.visitors.add(int(where.rpartition("/")[2]))
        return httpx.Response(200, json={"result": []})

    def _hold(self, sent: list[Asset]) -> None:
        kept = {a.uuid: a for a in self.held}
        for number, found in enumerate(sent, start=2000):
            masked = {"sqlalchemy_uri": ASSETS[0].content["sqlalchemy_uri"]} if found.kind == "databases" else {}
            old = kept.get(found.uuid)
            new = replace(found, content={**found.content, **masked})
            kept[found.uuid] = numbered(new, old.id if old and old.id else number)
        self.held = list(kept.values())

    def plan(self) -> Any:
        return plan(TARGET, DASHBOARDS, read_views(), transport=httpx.MockTransport(self))

    def apply(self, dashboards: list[Dashboard] = DASHBOARDS, *, keep_edits: bool = False) -> Any:
        transport = httpx.MockTransport(self)
        return apply(TARGET, dashboards, read_views(), transport=transport, keep_edits=keep_edits)


def numbered(found: Asset, number: int) -> Asset:
    """Change an object as an import and an export do: other numbers, keys added, some left out."""
    content = json.loads(json.dumps(dict(found.content)))
    content.pop("is_managed_externally", None)
    if found.kind == "charts":
        content["params"]["datasource"] = "4__table"
    if found.kind == "datasets":
        content["columns"].reverse()
        content["columns"][0]["python_date_format"] = None
    if found.kind == "databases":
        content["extra"]["version"] = "16"
    if found.kind == "dashboards" and content.get("position"):
        for part in content["position"].values():
            if isinstance(part, dict) and part["type"] == "CHART":
                part["meta"]["chartId"] += 1000
        data = content["metadata"]
        for filter_ in data["native_filter_configuration"]:
            filter_["scope"]["excluded"] = [n + 1000 for n in filter_["scope"]["excluded"]]
    return replace(found, content=content, id=number)


def exported(held: list[Asset]) -> bytes:
    """Zip objects as Superset does, with their numbers at the end of their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(pack(held))) as plain, zipfile.ZipFile(buffer, "w") as result:
        numbers = {f"mdp/{path(a)}": f"x/{a.kind}/y_{a.id}.yaml" for a in held}
        for name in plain.namelist():
            result.writestr(numbers.get(name, name), plain.read(name))
    return buffer.getvalue()


def recorded(held: list[Asset]) -> list[Asset]:
    """The objects with the record that an apply leaves in the connection."""
    record = {a.name: digest_of(a, "bi-secret" if a.kind == "databases" else "") for a in held}
    extra = {**held[0].content["extra"], "schema_options": {"mdp": record}}
    return [replace(held[0], content={**held[0].content, "extra": extra}), *held[1:]]


def changed(name: str, **values: Any) -> list[Asset]:
    return [replace(a, content={**a.content, **values}) if a.name == name else a for a in recorded(ASSETS)]


def test_what_an_apply_made_is_unchanged_whatever_its_numbers() -> None:
    server = Server(recorded(ASSETS))
    found = server.plan()
    assert found.empty, found
    assert found.unchanged == [a.name for a in ASSETS]
    assert server.changes == []


@pytest.mark.parametrize("foreign", [96, 100, 250])
def test_ours_are_found_among_many_of_others(foreign: int) -> None:
    server = Server(recorded(ASSETS))
    server.foreign = foreign
    assert server.plan().empty


def test_an_empty_server_lacks_everything_and_nothing_is_drift() -> None:
    found = Server([]).plan()
    assert (found.create, found.by_hand) == ([a.name for a in ASSETS], [])


def test_a_change_by_hand_is_drift() -> None:
    chart = asset("trending/fastest").content
    by_hand = changed("trending/fastest", params={**chart["params"], "row_limit": 5})
    assert (found := Server(by_hand).plan()).update == ["trending/fastest"] == found.by_hand
    assert Server(changed("trending/pace", slice_name="Mine")).plan().by_hand == ["trending/pace"]
    columns = asset("mart.freshness").content["columns"][1:]
    assert Server(changed("mart.freshness", columns=columns)).plan().by_hand == ["mart.freshness"]
    assert Server(changed("health", css="x")).plan().by_hand == ["health"]


def test_a_changed_definition_is_no_drift() -> None:
    older = [replace(a, content={**a.content, "slice_name": "Old"}) if a.kind == "charts" else a for a in ASSETS]
    found = Server(recorded(older)).plan()
    assert found.update == [a.name for a in ASSETS if a.kind == "charts"]
    assert found.by_hand == []


def test_another_password_of_the_warehouse_is_sent_again() -> None:
    server = Server(recorded(ASSETS))
    target = replace(TARGET, warehouse=replace(WAREHOUSE, password="new"))
    assert plan(target, DASHBOARDS, read_views(), transport=httpx.MockTransport(server)).update == ["Warehouse"]


def test_what_is_no_longer_defined_goes_by_its_name() -> None:
    old = replace(ASSETS[-1], name="old", content={**ASSETS[-1].content, "uuid": uuid_of("dashboards", "old")})
    held = recorded([*ASSETS, old])
    assert Server(held).plan().delete == ["old"]


def test_a_dataset_that_other_peoples_charts_use_stays() -> None:
    like = asset("mart.freshness").content
    gone = Asset("datasets", "gone", {**like, "uuid": uuid_of("datasets", "gone"), "table_name": "gone"})
    theirs = Asset("charts", "theirs", {"uuid": "1" * 32, "params": {}, "dataset_uuid": gone.uuid})
    assert Server(recorded([*ASSETS, gone])).plan().delete == ["gone"]
    assert Server(recorded([*ASSETS, gone, theirs])).plan().delete == []


def test_a_name_that_is_taken_is_reported_and_nothing_is_sent() -> None:
    theirs = Asset("dashboards", "x", {"uuid": "1" * 32, "slug": "health", "dashboard_title": "Theirs"})
    server = Server([theirs])
    with pytest.raises(PermanentError, match="a dashboard whose address ends in `health`"):
        apply(TARGET, DASHBOARDS, read_views(), transport=httpx.MockTransport(server))
    assert server.changes == []


def titled(title: str) -> list[Dashboard]:
    """The dashboards, the first of them under another title."""
    return [DASHBOARDS[0].model_copy(update={"title": title}), *DASHBOARDS[1:]]


def title(server: Server) -> Any:
    wanted = uuid_of("dashboards", DASHBOARDS[0].name)
    return next(a.content["dashboard_title"] for a in server.held if a.uuid == wanted)


def edit(server: Server, title: str) -> None:
    """Change the title as a user of Superset would."""
    wanted = uuid_of("dashboards", DASHBOARDS[0].name)
    server.held = [
        replace(a, content={**a.content, "dashboard_title": title}) if a.uuid == wanted else a for a in server.held
    ]


def test_a_start_draws_what_another_apply_has_replaced() -> None:
    server = Server([])
    server.apply(keep_edits=True)
    server.apply(titled("Other"))
    assert title(server) == "Other"
    assert server.apply(keep_edits=True).update
    assert title(server) == DASHBOARDS[0].title


def test_a_start_keeps_what_was_changed_by_hand_after_an_apply() -> None:
    server = Server([])
    server.apply(keep_edits=True)
    server.apply(titled("Other"))
    edit(server, "Mine")
    server.changes.clear()
    assert server.apply(titled("Other"), keep_edits=True).empty
    assert (title(server), server.changes) == ("Mine", [])
    assert server.apply(titled("Other")).by_hand == [DASHBOARDS[0].name]
    assert title(server) == "Other"


def test_an_apply_that_was_cut_off_is_completed_by_the_next_start() -> None:
    server = Server([])
    server.apply()
    server.visitors.clear()
    server.faults = {"related/roles": _refuse}
    with pytest.raises(TransientError):
        server.apply(titled("Other"))
    server.faults.clear()
    assert title(server) == "Other"
    server.apply(keep_edits=True)
    assert title(server) == DASHBOARDS[0].title
    assert server.plan().empty


def _refuse(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


def _sleep(_: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("slow")


@pytest.mark.parametrize(
    ("where", "fault", "error", "said"),
    [
        ("version_info", _refuse, TransientError, "cannot be reached.*mdp status"),
        ("export", _sleep, TransientError, "did not answer.*run the same command again"),
        ("export", lambda _: httpx.Response(503, text="busy"), TransientError, "starting or overloaded"),
        ("version_info", lambda _: httpx.Response(200, json={"version": "7.0.0"}), PermanentError, "is 7.0.0"),
        ("version_info", lambda _: httpx.Response(200, text="<html>"), PermanentError, "is not Superset"),
        ("csrf_token", lambda _: httpx.Response(401, json={}), PermanentError, "MDP_SUPERSET_PASSWORD"),
        ("export", lambda _: httpx.Response(200, content=b"PK"), PermanentError, "cannot be read"),
        ("import", lambda _: httpx.Response(500, text="<h1>Oh</h1>"), PermanentError, "500: .*Oh.*in its log"),
    ],
)
def test_a_server_in_trouble_is_named(where: str, fault: Any, error: type[Exception], said: str) -> None:
    server = Server([], **{where: fault})
    with pytest.raises(error, match=f"(?s){said}"):
        apply(TARGET, DASHBOARDS, read_views(), transport=httpx.MockTransport(server))
    assert server.changes == []


def test_an_export_that_is_packed_again_says_the_same() -> None:
    assert all(same(a, b) for a, b in zip(ASSETS, unpack(pack(ASSETS)), strict=True))
