"""The doctor's report, and what it checks before a start."""

import shutil
from pathlib import Path

import pytest

from minidata.errors import PermanentError
from minidata.settings import PROJECT, Settings
from operate.cli.doctor import _hanging
from operate.doctor import checks
from operate.doctor.checks import before_start
from operate.doctor.report import Check, walk
from operate.embedded import machine
from operate.embedded.state import State


def test_after_a_broken_hop_the_others_are_skipped() -> None:
    tried: list[str] = []

    def fails() -> str:
        raise PermanentError("It is\ndown.")

    hops = [
        ("store", lambda: "a figure", "fix of store"),
        ("event", fails, "fix of event"),
        ("table", lambda: tried.append("table") or "", "fix of table"),
    ]
    store, event, table = walk(hops)
    assert (store.outcome, store.fix) == ("ok", "")
    assert store.figure.startswith("a figure, ")
    assert (event.outcome, event.figure, event.fix, event.code) == (
        "failed",
        "It is down.",
        "fix of event",
        "hop_event",
    )
    assert table.outcome == "skipped"
    assert tried == []


def test_before_a_start_it_checks_the_machine_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State(tmp_path / "none")
    found = {check.name: check for check in before_start(state)}
    assert list(found) == ["python", "postgres", "object-store", "disk", "secrets", "ports", "memory"]
    assert {check.outcome for check in found.values()} == {"ok"}
    assert not state.folder.exists()
    monkeypatch.setattr(machine, "free_memory", lambda: 10**8)
    (memory,) = [check for check in before_start(state) if check.name == "memory"]
    assert memory.outcome == "failed"
    assert "100 MB are available" in memory.figure


@pytest.mark.parametrize("away", ["postgres", "object-store"])
def test_beside_a_server_that_hangs_and_a_wrong_declaration_it_names_every_sound_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    service = {"name": away, "state": "hanging", "memory_bytes": 0}
    found = {"services": [service], "pipeline": {"files": None}, "problems": []}
    monkeypatch.setattr(checks, "services_status", lambda _: found)
    datasets = shutil.copytree(PROJECT / "datasets", tmp_path / "datasets")
    shutil.copytree(datasets / "youtube_stats", datasets / "wrong")
    (datasets / "wrong" / "dataset.yaml").write_text("nonsense: [\n")
    report = list(checks.running(Settings(datasets_folder=datasets), State(tmp_path / "none"), 1))
    markers = [(check.name, check.outcome, check.figure) for check in report if "marker" in check.name]
    assert markers == [("youtube_stats: marker", "skipped", f"it needs {away}")]


def test_memory_is_what_the_container_may_still_use(tmp_path: Path) -> None:
    assert machine.free_memory(tmp_path) > 0
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("900\n")
    (tmp_path / "memory.stat").write_text("anon 700\ninactive_file 150\n")
    assert machine.free_memory(tmp_path) == 250
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.free_memory(tmp_path) > 250


def test_what_runs_and_does_nothing_is_stopped_by_the_fix_suspended_or_not() -> None:
    codes = {"superset": "service_hangs", "airflow-scheduler": "service_silent", "trigger": "trigger_silent"}
    down = Check("relay", "failed", "It is down.", code="service_down")
    found = [down, *(Check(name, "failed", "It hangs.", code=code) for name, code in codes.items())]
    assert _hanging(found) == ["airflow-scheduler", "airflow-triggerer", "superset"]
