"""One platform in a hostile environment, over leftovers and a Ctrl-C: it works. Takes two minutes."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from operate.embedded import processes
from operate.embedded.ports import listens_on
from operate.embedded.state import State
from tests.e2e.conftest import Platform
from tests.e2e.test_from_upload_to_table import snapshot
from tests.e2e.test_trouble import Command


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    folder = tmp_path_factory.mktemp("trouble")
    (folder / "polars.py").write_text("raise SystemExit('a false polars')")
    poison = {
        "PATH": os.environ["PATH"],  # and no HOME
        "PYTHONPATH": str(folder),
        "PYTHONHOME": "/nowhere",
        "PGHOST": "db.example.com",
        "PGHOSTADDR": "192.0.2.1",
        "PGSERVICE": "nowhere",
        "PGOPTIONS": "-c search_path=nowhere",
        "PGTZ": "Asia/Kathmandu",
        "AWS_PROFILE": "nobody",
        "AWS_ENDPOINT_URL": "http://192.0.2.1:9",
        "AWS_CA_BUNDLE": "/nowhere",
        "AIRFLOW_HOME": "/nowhere",
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////nowhere",
        "TZ": "Asia/Kathmandu",
        "LC_ALL": "tr_TR.UTF-8",
        **dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9"),
    }
    command = Command(folder / "state", poison, "umask 000; ulimit -n 256;")
    stale = State.open(command.state)
    leftover = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        env=processes.marked(stale.folder, "postgres"),
    )
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(stale.run / "supervisor.sock"))
    (stale.run / "supervisord.pid").write_text("1\n")
    try:
        _interrupt(command)
        assert leftover.wait(10) != 0
        command.works("up", "--no-bi", "--no-simulator")
        yield command
    finally:
        leftover.kill()
        command.run("down")
        command.run("destroy", "--yes")


def _interrupt(command: Command) -> None:
    """Press Ctrl-C while servers are starting: nothing is left running."""
    with subprocess.Popen(
        command.argv("up", "--no-bi", "--no-simulator"),
        env=command.environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    ) as up:
        assert up.stderr
        until = time.monotonic() + 120
        while not any(process.name() == "postgres" for process in processes.find(command.state, "postgres")):
            assert time.monotonic() < until
            time.sleep(0.05)
        os.killpg(up.pid, signal.SIGINT)
        said = list(up.stderr)
    assert up.returncode == 130, said
    assert any("are stopped" in line for line in said)
    assert processes.find(command.state) == []


def test_it_starts_after_ctrl_c_over_leftovers_in_a_hostile_environment_and_loads(
    troubled: Command, tmp_path: Path
) -> None:
    (tmp_path / "ışık.csv").write_bytes(snapshot(7, 50))
    elsewhere = Command(troubled.state, troubled.environment | {"LC_ALL": "C", "HOME": "/proc"}, troubled.shell)
    uploaded = json.loads(elsewhere.works("upload", str(tmp_path), "--wait", "--json"))
    assert [(file["key"], file["state"]) for file in uploaded] == [("ışık.csv", "archived")]
    assert "ışık.csv" in elsewhere.works("files")
    assert json.loads(troubled.works("status", "--json"))["healthy"]


def test_whatever_the_umask_nobody_else_can_read_a_file(troubled: Command) -> None:
    for path in (troubled.state, troubled.state / ".env", troubled.state / "platform.json"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    open_to_all = [p for p in troubled.state.rglob("*") if not p.is_symlink() and p.stat().st_mode & 0o002]
    assert [path for path in open_to_all if not stat.S_ISSOCK(path.stat().st_mode)] == []


def test_an_up_on_top_of_a_running_one_changes_nothing(troubled: Command) -> None:
    before = {service["name"]: service["pid"] for service in json.loads(troubled.works("status", "--json"))["services"]}
    troubled.works("up", "--no-bi", "--no-simulator")
    after = {service["name"]: service["pid"] for service in json.loads(troubled.works("status", "--json"))["services"]}
    assert before == after


def test_two_platforms_side_by_side_know_nothing_of_each_other(troubled: Command, platform: Platform) -> None:
    ours, theirs = State(troubled.state).platform.ports, State(platform.state).platform.ports
    assert set(ours) == set(theirs)
    taken = [{port for name, base in ports.items() for port in listens_on(name, base)} for ports in (ours, theirs)]
    assert taken[0].isdisjoint(taken[1])
    assert "ışık.csv" not in {file["key"] for file in platform.json("files")}


def test_down_and_destroy_leave_nothing_behind(troubled: Command) -> None:
    home = State(troubled.state).platform.postgres_home
    troubled.works("down")
    assert processes.find(troubled.state) == []
    assert not [s for s in psutil.net_connections("tcp") if s.status == psutil.CONN_LISTEN and _is_of(troubled, s)]
    assert "not running" in troubled.fails("files", code=3)
    troubled.works("destroy", "--yes")
    assert not troubled.state.exists()
    assert home is None or not home.exists()


def _is_of(command: Command, connection: object) -> bool:
    ports = State(command.state).platform.ports
    return getattr(connection, "laddr").port in {p for name, base in ports.items() for p in listens_on(name, base)}  # noqa: B009
