"""Whatever dies comes back, whatever is lost is found again, and who has no key gets nothing."""

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from operate.embedded.state import State
from operate.embedded.supervisor import Supervisor
from tests.e2e.conftest import Platform
from tests.e2e.test_from_upload_to_table import snapshot

SERVICES = [
    "postgres",
    "object-store",
    "relay",
    "airflow-api",
    "airflow-scheduler",
    "airflow-processor",
    "airflow-triggerer",
]


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.3)


def service(platform: Platform, name: str) -> dict[str, object]:
    found = platform.status()
    (only,) = [s for s in found["services"] if s["name"] == name]
    return only


def load_one(platform: Platform, seed: int) -> None:
    """Upload a snapshot and see that it is archived."""
    (file,) = platform.load({f"youtube_stats/seed {seed}.csv": snapshot(seed, 50)}).values()
    assert file["state"] == "archived", file


def archived(platform: Platform, key: str) -> bool:
    """Tell whether a file is archived; while a server is away, nobody knows."""
    found = platform.mdp("files", "--json", check=False)
    return found.returncode == 0 and (key, "archived") in {(f["key"], f["state"]) for f in json.loads(found.stdout)}


@pytest.mark.parametrize("name", SERVICES)
def test_a_killed_service_comes_back_and_nothing_is_lost(platform: Platform, name: str) -> None:
    pid = service(platform, name)["pid"]
    assert isinstance(pid, int)
    key = f"youtube_stats/{name}.csv"
    platform.put({key: snapshot(100 + SERVICES.index(name), 50)})
    os.kill(pid, signal.SIGKILL)
    until(lambda: archived(platform, key))
    until(lambda: service(platform, name)["state"] == "running" and service(platform, name)["pid"] != pid)


def test_killed_workers_of_the_executor_are_replaced(platform: Platform) -> None:
    pid = service(platform, "airflow-scheduler")["pid"]
    assert isinstance(pid, int)
    workers = [p for p in psutil.Process(pid).children() if "LocalExecutor" in " ".join(p.cmdline())]
    assert workers
    for worker in workers:
        worker.kill()
    load_one(platform, 121)


def test_a_killed_supervisor_is_healed_by_up(platform: Platform) -> None:
    pid = int((Path(Supervisor(State(platform.state)).socket).parent / "supervisord.pid").read_text())
    supervisor = psutil.Process(pid)
    assert str(platform.state / "supervisor.conf") in supervisor.cmdline()
    supervisor.kill()
    supervisor.wait()
    assert platform.mdp("files", check=False).returncode == 3
    platform.mdp("up", "--no-bi", "--no-simulator")
    load_one(platform, 120)


def test_up_again_changes_nothing(platform: Platform) -> None:
    before = {s["name"]: s["pid"] for s in platform.status()["services"]}
    platform.mdp("up", "--no-bi", "--no-simulator")
    assert {s["name"]: s["pid"] for s in platform.status()["services"]} == before


def test_without_events_a_file_is_loaded_within_the_reconcile_interval(platform: Platform) -> None:
    relay = psutil.Process(service(platform, "relay")["pid"])  # type: ignore[arg-type]
    family = [relay, *relay.children(recursive=True)]
    for process in family:
        process.suspend()
    try:
        load_one(platform, 130)
        assert relay.status() == psutil.STATUS_STOPPED
    finally:
        for process in family:
            process.resume()


def test_who_has_no_password_gets_nothing(platform: Platform) -> None:
    env = platform.env()
    airflow = env["MDP_AIRFLOW_URL"]
    for path in ("/api/v2/dags", "/api/v2/dags/youtube_stats/dagRuns", "/auth/token"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(airflow + path)
        assert refused.value.code in {401, 403}
    body = json.dumps({"username": "admin", "password": "admin"}).encode()
    request = urllib.request.Request(f"{airflow}/auth/token", body, {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 401
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{env['MDP_S3_ENDPOINT']}/raw?list-type=2")
    assert refused.value.code == 403
    address = psycopg.conninfo.conninfo_to_dict(env["MDP_DATABASE_URL"])
    for user in ("postgres", "mdp_admin", "mdp_owner", "mdp_loader", "mdp_bi", "airflow"):
        with pytest.raises(psycopg.OperationalError, match=r"no password|password authentication failed"):
            psycopg.connect(host=address["host"], port=address["port"], user=user, dbname="warehouse")


def test_the_reading_role_reads_the_mart_and_nothing_else(platform: Platform) -> None:
    with psycopg.connect(platform.env()["MDP_DATABASE_URL"], autocommit=True) as connection:
        assert connection.execute("select count(*) from video_metrics").fetchone()
        for forbidden in (
            "select * from mdp.files",
            "select * from youtube_stats.videos",
            "create table mart.x (y int)",
            "set default_transaction_read_only = off; delete from video_metrics",
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(forbidden.encode())


def test_all_listeners_are_on_loopback(platform: Platform) -> None:
    ours = set()
    for process in psutil.process_iter():
        try:
            if str(platform.state) in process.environ().get("MDP_SERVICE", ""):
                ours |= {c.laddr.ip for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN}
        except psutil.Error:
            continue
    assert ours == {"127.0.0.1"}


def airflow_api(platform: Platform) -> Callable[..., dict[str, Any]]:
    """Log in, and return a function that asks Airflow about the DAG; with a body it posts."""
    env = platform.env()

    def call(path: str, body: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
        request = urllib.request.Request(f"{env['MDP_AIRFLOW_URL']}{path}", data, headers)
        return json.load(urllib.request.urlopen(request))  # type: ignore[no-any-return]

    login = {"username": env["MDP_AIRFLOW_USER"], "password": env["MDP_AIRFLOW_PASSWORD"]}
    bearer = f"Bearer {call('/auth/token', login)['access_token']}"
    return lambda path, body=None: call(f"/api/v2/dags/youtube_stats/{path}", body, Authorization=bearer)


def task_states(api: Callable[..., dict[str, Any]], run: str) -> dict[str, str]:
    return {task["task_id"]: task["state"] for task in api(f"dagRuns/{run}/taskInstances")["task_instances"]}


def last_runs(platform: Platform) -> list[dict[str, str]]:
    """Return the state of each task in the last runs that an upload made and that succeeded."""
    api = airflow_api(platform)
    runs = api("dagRuns?state=success&run_type=asset_triggered&order_by=-start_date&limit=20")["dag_runs"]
    return [task_states(api, run["dag_run_id"]) for run in runs]


TASKS = ("extract", "validate", "transform", "load", "archive")


def test_airflow_shows_a_green_run_of_five_tasks_made_by_an_event(platform: Platform) -> None:
    load_one(platform, 140)
    until(lambda: dict.fromkeys(TASKS, "success") in last_runs(platform))


def test_a_batch_with_no_valid_file_skips_transform_and_load(platform: Platform) -> None:
    (file,) = platform.load({"youtube_stats/nothing valid.csv": b"video_id\n1\n"}).values()
    assert file["state"] == "quarantined"
    skipped = dict.fromkeys(TASKS, "success") | {"transform": "skipped", "load": "skipped"}
    until(lambda: skipped in last_runs(platform))


def test_a_run_that_finds_nothing_skips_every_task(platform: Platform) -> None:
    platform.mdp("wait")
    api = airflow_api(platform)
    run = api("dagRuns", {"logical_date": None})["dag_run_id"]
    until(lambda: task_states(api, run) == dict.fromkeys(TASKS, "skipped"))
