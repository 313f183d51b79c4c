"""Superset for real: dashboards applied, drifted, opened in Chromium, and compared with the warehouse."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from playwright.sync_api import Browser

from bi.definition import read_dashboards
from bi.model import Dashboard
from bi.plan import Plan
from bi.superset import apply, plan
from bi.superset.server import Superset
from minidata.settings import PROJECT
from minidata.warehouse.views import read_views
from operate.embedded import processes
from operate.embedded.superset.setup import publish, set_up
from simulator.world import Row

from .superset_page import Look, Page, answers, expected
from .superset_world import HUGE, MARKUP, TWINS, Running, chromium, seed, seed_twins, superset

DASHBOARDS = read_dashboards()
VIEWS = read_views()
NAMES = [dashboard.name for dashboard in DASHBOARDS]
PEOPLE = ("visitor", "analyst")
PICTURES = os.environ.get("MDP_PICTURES")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with superset(tmp_path_factory.mktemp("platform") / "ein Ort") as found:
        yield found


@pytest.fixture(scope="module", autouse=True)
def rows(running: Running) -> list[Row]:
    """What the warehouse holds."""
    return seed(running.settings)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def server(running: Running) -> Iterator[Superset]:
    with Superset(running.target) as session:
        yield session
    apply(running.target, DASHBOARDS, VIEWS)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(PICTURES) if PICTURES else tmp_path_factory.mktemp("pictures")


def json_of(server: Superset, path: str) -> Any:
    return server.result(path)


def charts(server: Superset) -> dict[str, int]:
    found = json_of(server, "/api/v1/chart/?q=(columns:!(id,slice_name),page_size:200)")
    return {chart["slice_name"]: chart["id"] for chart in found}


def without(name: str, tile: str) -> list[Dashboard]:
    """The dashboards without one tile."""
    changed = []
    for dashboard in DASHBOARDS:
        rows = [
            row.model_copy(update={"tiles": tuple(t for t in row.tiles if (dashboard.name, t.name) != (name, tile))})
            for row in dashboard.rows
        ]
        changed.append(dashboard.model_copy(update={"rows": tuple(rows)}))
    return changed


def test_up_prints_the_address_of_the_dashboards_first(running: Running) -> None:
    table = running.up_printed[running.up_printed.index("service ") :].splitlines()
    assert table[1].split()[:2] == ["Dashboards", running.url]
    assert f"export MDP_SUPERSET_URL='{running.url}'" in running.mdp("env").stdout
    assert running.url in running.mdp("open").stdout


def test_what_the_start_does_once_is_not_done_again(running: Running) -> None:
    assert not set_up(running.state, running.settings, pytest.fail)
    assert publish(running.state, running.settings) == Plan()


def test_a_second_apply_finds_nothing_to_do(running: Running) -> None:
    assert plan(running.target, DASHBOARDS, VIEWS).empty
    assert apply(running.target, DASHBOARDS, VIEWS).empty


def test_the_command_sees_applies_and_checks_a_change(running: Running, server: Superset, tmp_path: Path) -> None:
    assert running.mdp("dashboards", "check").returncode == 0
    for folder in ("dashboards", "datasets/youtube_stats/dashboards"):
        shutil.copytree(PROJECT / folder, tmp_path / "d", dirs_exist_ok=True)
    file = tmp_path / "d" / "trending.yaml"
    file.write_text(file.read_text().replace("title: Fastest right now", "title: The fastest"))
    changed = ("--from", str(tmp_path / "d"))
    assert json.loads(running.mdp("dashboards", "plan", *changed, "--json").stdout)["update"] == [
        "trending/fastest", "trending",
    ]  # fmt: skip
    assert running.mdp("dashboards", "check", *changed).returncode == 1
    assert "The fastest" not in charts(server)
    assert running.mdp("dashboards", "apply", *changed).returncode == 0
    assert "The fastest" in charts(server)
    assert running.mdp("dashboards", "check", *changed).returncode == 0


def test_a_tile_that_is_no_longer_defined_disappears(running: Running, server: Superset) -> None:
    fewer = without("trending", "fastest")
    done = apply(running.target, fewer, VIEWS)
    assert (done.create, done.update, done.delete) == ([], ["trending"], ["trending/fastest"])
    assert "Fastest right now" not in charts(server)
    assert "Fastest right now" not in json.dumps(json_of(server, "/api/v1/dashboard/trending"))
    assert plan(running.target, fewer, VIEWS).empty


def test_objects_made_by_hand_survive(running: Running, server: Superset) -> None:
    datasets = json_of(server, "/api/v1/dataset/?q=(columns:!(id,table_name),page_size:100)")
    dataset = next(d["id"] for d in datasets if d["table_name"] == "channel_now")
    body = {"slice_name": "Mine", "viz_type": "table", "datasource_id": dataset, "datasource_type": "table"}
    mine = server.ask("POST", "/api/v1/chart/", json=body | {"params": '{"mine": 1}'}).json()["id"]
    board = server.ask("POST", "/api/v1/dashboard/", json={"dashboard_title": "Mine"}).json()["id"]
    assert plan(running.target, DASHBOARDS, VIEWS).empty
    apply(running.target, without("channels", "league"), VIEWS)
    assert json.loads(json_of(server, f"/api/v1/chart/{mine}")["params"]) == {"mine": 1}
    assert json_of(server, f"/api/v1/dashboard/{board}")["dashboard_title"] == "Mine"


def test_a_tile_changed_by_hand_is_drift_and_is_put_back(running: Running, server: Superset) -> None:
    path = f"/api/v1/chart/{charts(server)['League table']}"
    server.ask("PUT", path, json={"params": json.dumps({"viz_type": "table", "row_limit": 3})})
    found = plan(running.target, DASHBOARDS, VIEWS)
    assert (found.create, found.update, found.delete) == ([], ["channels/league"], [])
    assert found.by_hand == ["channels/league"]
    apply(running.target, DASHBOARDS, VIEWS)
    assert json.loads(json_of(server, path)["params"])["row_limit"] == 100
    assert plan(running.target, DASHBOARDS, VIEWS).empty


def test_a_tile_deleted_by_hand_is_drift_and_comes_back(running: Running, server: Superset) -> None:
    server.delete("charts", charts(server)["League table"])
    found = plan(running.target, DASHBOARDS, VIEWS)
    assert "channels/league" in found.create
    assert "channels/league" in found.by_hand
    apply(running.target, DASHBOARDS, VIEWS)
    assert "League table" in charts(server)
    assert plan(running.target, DASHBOARDS, VIEWS).empty


def test_a_dashboard_hidden_from_visitors_is_drift(running: Running, server: Superset) -> None:
    number = json_of(server, "/api/v1/dashboard/health")["id"]
    server.ask("PUT", f"/api/v1/dashboard/{number}", json={"roles": []})
    assert plan(running.target, DASHBOARDS, VIEWS).by_hand == ["health"]
    apply(running.target, DASHBOARDS, VIEWS)
    assert httpx.get(f"{running.url}/api/v1/dashboard/health").status_code == 200


def test_a_visitor_reads_and_does_nothing_else(running: Running) -> None:
    with httpx.Client(base_url=running.url, trust_env=False) as visitor:
        start = visitor.get("/").text
        assert all(f'href="/superset/dashboard/{d.name}/"' in start and d.question in start for d in DASHBOARDS)
        assert {visitor.get(f"/superset/dashboard/{name}/").status_code for name in NAMES} == {200}
        assert visitor.get("/sqllab/").headers["location"].startswith("/login/")
        for path in ("/api/v1/database/", "/api/v1/security/users/", "/api/v1/assets/export/"):
            assert visitor.get(path).status_code in (401, 403, 404), path
        assert visitor.post("/api/v1/chart/", json={}).status_code in (400, 401, 403)
        assert visitor.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_the_warehouse_is_only_read_and_its_password_never_shown(running: Running, server: Superset) -> None:
    number = json_of(server, "/api/v1/database/")[0]["id"]
    shown = server.ask("GET", f"/api/v1/database/{number}/connection").text + repr(running.target)
    assert running.target.warehouse.password not in shown
    for statement in ("create table mart.x (a int)", "select * from mdp.files", "select * from youtube_stats.videos"):
        with pytest.raises(Exception, match=r"(?i)not allowed|permission|read-only|DML"):
            server.ask("POST", "/api/v1/sqllab/execute/", json={"database_id": number, "sql": statement})


def test_it_listens_on_loopback_only(running: Running) -> None:
    found = processes.find(running.state.folder, "superset")
    listening = [c.laddr.ip for p in found for c in p.net_connections() if c.status == psutil.CONN_LISTEN]
    assert set(listening) == {"127.0.0.1"}


@pytest.fixture(scope="module")
def looked(running: Running, browser: Browser, pictures: Path) -> dict[tuple[str, str], Look]:
    """Every dashboard as a visitor and as an analyst have seen it."""
    found = {}
    for dashboard in DASHBOARDS:
        for person in PEOPLE:
            with Page(running, browser, person) as page:
                page.open(dashboard)
                page.picture(pictures / f"{dashboard.name}-{person}.png")
                found[dashboard.name, person] = page.look()
    return found


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=NAMES)
class TestLook:
    def test_every_tile_is_drawn_without_an_error(
        self, looked: dict[tuple[str, str], Look], dashboard: Dashboard, person: str
    ) -> None:
        look = looked[dashboard.name, person]
        assert look.undrawn == []
        assert look.complaints == []
        assert set(look.numbers) == {tile.title for tile in dashboard.tiles if tile.chart == "number"}

    def test_every_tile_says_what_the_warehouse_says(
        self, running: Running, looked: dict[tuple[str, str], Look], dashboard: Dashboard, person: str
    ) -> None:
        results = looked[dashboard.name, person].results
        assert set(results) == {tile.name for tile in dashboard.tiles}
        for tile in dashboard.tiles:
            shown = answers(tile, results[tile.name])
            wanted = expected(running.settings, dashboard, tile, results[tile.name])
            assert wanted, f"{tile.name} shows nothing"
            if tile.name == "seconds_since_load":  # time goes on
                [[before]], [[now]] = shown, wanted
                assert 0 <= now - before < 3600
            else:
                assert shown == wanted, tile.name


def test_a_whole_number_is_shown_to_its_last_digit(looked: dict[tuple[str, str], Look]) -> None:
    [row] = [row for row in looked["channels", "visitor"].rows if "Huge" in row]
    assert row.count(f"{HUGE:,}") == 3  # subscribers, views, views per video


def test_markup_in_the_data_is_text(looked: dict[tuple[str, str], Look]) -> None:
    """An invisible word joiner (U+2060) in each tag keeps it from being one."""
    shown = re.sub(r"<(?=[a-z/])", "<\u2060", MARKUP)
    assert [row for row in looked["engagement", "visitor"].rows if row[0] == shown]


def test_eight_visitors_at_once_get_every_tile(running: Running, looked: dict[tuple[str, str], Look]) -> None:
    requests = [request for name in NAMES for request in looked[name, "visitor"].requests.values()]
    assert len(requests) == sum(len(d.tiles) for d in DASHBOARDS)

    def visit(_: int) -> set[int]:
        with httpx.Client(base_url=running.url, trust_env=False, timeout=120) as visitor:
            return {visitor.post(path, json=body).status_code for path, body in requests}

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(visit, range(8))) == [{200}] * 8


CUT = ("trending/over_time", "trending/fastest", "trending/ranking", "trending/by_channel", "channels/over_time",
       "channels/gainers", "channels/league", "engagement/most_disliked")  # fmt: skip


def test_a_limit_cuts_equal_rows_where_the_warehouse_cuts_them(
    running: Running, rows: list[Row], looked: dict[tuple[str, str], Look]
) -> None:
    """Runs after the tests that look at numbers: the twins are greater than any other channel."""
    seed_twins(running.settings, rows)
    with httpx.Client(base_url=running.url, trust_env=False, timeout=120) as visitor:
        for name in CUT:
            dashboard = next(d for d in DASHBOARDS if d.name == name.split("/")[0])
            tile = next(t for t in dashboard.tiles if t.name == name.split("/")[1])
            path, body = looked[dashboard.name, "visitor"].requests[tile.name]
            result = visitor.post(path, json=body | {"force": True}).json()["result"][0]
            shown = answers(tile, result)
            twins = {cell for row in shown for cell in row if str(cell).startswith("Twin ")}
            assert 0 < len(twins) < TWINS, name
            assert shown == expected(running.settings, dashboard, tile, result), name


def test_up_without_dashboards_stops_superset(running: Running) -> None:
    """The last one: the others need it."""
    up = running.mdp("up", "--no-bi", "--no-simulator")
    assert up.returncode == 0, up.stderr
    assert "Dashboards" not in up.stdout
    assert processes.find(running.state.folder, "superset") == []
    assert "superset" not in {
        service["name"] for service in json.loads(running.mdp("status", "--json").stdout)["services"]
    }
    assert running.mdp("dashboards", "plan", "--target", "superset").returncode == 3
    assert "airflow" in running.mdp("open").stdout.lower()
