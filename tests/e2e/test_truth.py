"""`status` and `up` tell the truth: faults that no process died of are found, named, and fixed by the named command."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from minidata import ledger
from minidata.retention import clean_airflow
from minidata.store import ObjectStore
from minidata.warehouse.connection import connect
from operate.embedded import processes
from operate.embedded.airflow import metadata
from operate.embedded.airflow import service as airflow
from operate.embedded.settings import embedded_settings
from operate.embedded.state import State
from tests.corpus.case import HEADER, good_lines
from tests.e2e.conftest import Platform


@pytest.fixture
def suspended(platform: Platform) -> Iterator[list[psutil.Process]]:
    """Processes that the test suspends, continued at its end."""
    found: list[psutil.Process] = []
    yield found
    for process in found:
        if process.is_running():
            os.kill(process.pid, signal.SIGCONT)


def problems(platform: Platform) -> dict[str, str]:
    """Return the subjects of the problems by code; the exit code must agree."""
    result = platform.mdp("status", "--json", check=False)
    found = json.loads(result.stdout)
    assert result.returncode == (1 if found["problems"] else 0)
    return {problem["code"]: problem["subject"] for problem in found["problems"]}


def test_a_paused_dag_is_named_waits_end_and_up_unpauses_it(platform: Platform, tmp_path: Path) -> None:
    state = State(platform.state)
    with metadata.connect(state, embedded_settings(state)) as database, database.transaction():
        database.execute("update dag set is_paused = true")
    assert problems(platform)["dag_paused"] == "youtube_stats"
    content = f"{HEADER}\n{good_lines('paused', 3)}"
    (tmp_path / "paused.csv").write_text(content)
    platform.uploaded["paused.csv"] = content.encode()
    waited = platform.mdp("upload", str(tmp_path / "paused.csv"), "--wait", "--timeout", "100", check=False)
    assert waited.returncode == 1
    assert "The DAG youtube_stats is paused" in waited.stderr
    up = platform.mdp("up", "--no-bi", "--no-simulator")
    assert "DAG youtube_stats" in up.stderr
    platform.mdp("wait", "--timeout", "100", "--strict")
    assert "dag_paused" not in problems(platform)


@pytest.mark.parametrize("name", ["relay", "airflow-triggerer", "airflow-scheduler"])
def test_a_suspended_service_is_named_and_up_restarts_it(
    platform: Platform, name: str, suspended: list[psutil.Process]
) -> None:
    suspended += processes.find(platform.state, name)
    for process in suspended:
        process.suspend()
    assert problems(platform)["service_hangs"] == name
    platform.mdp("up", "--no-bi", "--no-simulator")
    assert "service_hangs" not in problems(platform)


def test_a_failing_dag_is_named_while_files_wait(platform: Platform) -> None:
    state = State(platform.state)
    settings = embedded_settings(state)
    for name in ("first.csv", "second.csv"):  # each has a run of its own
        platform.load({name: f"{HEADER}\n{good_lines(name, 3)}".encode()})
    with metadata.connect(state, settings) as database, database.transaction(force_rollback=True):
        database.execute("update dag_run set state = 'failed' where dag_id = 'youtube_stats'")
        busy = {p.code for p in metadata.problems(database, ["youtube_stats"], waiting=True)}
        idle = {p.code for p in metadata.problems(database, ["youtube_stats"], waiting=False)}
        missing = {p.code for p in metadata.problems(database, ["no_such_dag"], waiting=True)}
    assert "dag_failing" in busy
    assert "dag_failing" not in idle
    assert "dag_missing" in missing


@pytest.fixture
def reviewed(platform: Platform) -> None:
    """Close what other tests of this platform have left in quarantine."""
    with connect(embedded_settings(State(platform.state)), "loader") as connection:
        ledger.dismiss(connection, [file.key for file in ledger.files_to_review(connection)], "test", None)


@pytest.mark.usefixtures("reviewed")
def test_the_doctor_follows_a_marker_through_every_hop_and_leaves_nothing(platform: Platform) -> None:
    before = platform.json("files"), platform.json("checksum")
    found = {check["name"]: check for check in platform.json("doctor")}
    hops = [name for name in found if name.startswith("youtube_stats: ")]
    assert [name.split(": ")[1] for name in hops] == ["store", "event", "trigger", "dag", "ledger", "table", "view"]
    assert {check["outcome"] for check in found.values()} == {"ok"}
    assert all(check["figure"] for check in found.values())
    assert (platform.json("files"), platform.json("checksum")) == before
    assert not [key for key in quarantined(platform) if "mdp-doctor" in key]


@pytest.mark.usefixtures("reviewed")
def test_the_doctor_finds_the_broken_hop_and_fixes_it(platform: Platform) -> None:
    state = State(platform.state)
    with metadata.connect(state, embedded_settings(state)) as database, database.transaction():
        database.execute("update dag set is_paused = true")
    result = platform.mdp("doctor", "--patience", "12", "--json", check=False)
    assert result.returncode == 1
    found = {check["name"]: check for check in json.loads(result.stdout)}
    assert found["youtube_stats"]["code"] == "dag_paused"
    assert found["youtube_stats: trigger"]["outcome"] == "ok"
    assert found["youtube_stats: dag"]["outcome"] == "failed"
    assert found["youtube_stats: ledger"]["outcome"] == "skipped"
    platform.mdp("doctor", "--patience", "45", "--fix")  # a lost event delays a file by MDP_RECONCILE_SECONDS
    assert platform.mdp("status").returncode == 0


def quarantined(platform: Platform) -> list[str]:
    settings = embedded_settings(State(platform.state))
    return list(ObjectStore(settings).keys(settings.quarantine_bucket))


def test_old_rows_of_airflow_are_deleted_from_a_task(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    state = State(platform.state)
    settings = embedded_settings(state)
    with metadata.connect(state, settings) as connection, connection.transaction():
        connection.execute("insert into log (dttm, event) values (now() - interval '9 days', 'old'), (now(), 'young')")
    for name, value in airflow.environment(state, settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "airflow-db-not-allowed:///")  # as Airflow does in a task
    clean_airflow(3)
    with metadata.connect(state, settings) as connection:
        left = connection.execute("select event from log where event in ('old', 'young')").fetchall()
    assert left == [("young",)]
