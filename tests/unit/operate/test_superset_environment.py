"""Superset's environment: complete or not there at all."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from minidata.errors import PermanentError, TransientError
from operate.embedded import packages
from operate.embedded.packages import LOCKS
from operate.embedded.superset import environment
from operate.embedded.superset.environment import SUPERSET

# An installer that makes what the real one makes, as far as the rest looks at it.
_UV = """#!/bin/sh
echo "$@" >> {log}
echo "$MARK" > {log}.mark
case "$1" in
--version) exit 0 ;;
venv) for last; do :; done; mkdir -p "$last/bin" && : > "$last/bin/python" && chmod +x "$last/bin/python" ;;
pip) echo "Downloading apache-superset (99.0MiB)"; {rest} ;;
esac
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(packages, "TOOLS", tmp_path / "tools")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "tools"


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, rest: str) -> Path:
    log = folder / "asked"
    program = folder / "bin" / "uv"
    program.parent.mkdir()
    program.write_text(_UV.format(log=log, rest=rest))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return log


def test_it_is_made_once_from_the_lock_with_its_hashes(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, said = install(tmp_path, monkeypatch, "true"), []
    SUPERSET.install(said.append, {})
    assert list(tools.iterdir()) == [SUPERSET.folder]
    assert environment.python() == SUPERSET.folder / "bin" / "python"
    assert said.index(f"installing Superset: {SUPERSET.size}, once") < said.index(
        "downloading apache-superset (99.0MiB)"
    )
    [sync] = [line for line in log.read_text().splitlines() if line.startswith("pip sync")]
    assert "--require-hashes" in sync
    assert sync.endswith(f"-b {LOCKS}/superset.build.txt {LOCKS}/superset.txt")
    before = log.read_text()
    SUPERSET.install(pytest.fail, {})
    assert log.read_text() == before


def test_a_failed_installation_leaves_nothing_and_says_why(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "echo no route to host; exit 1")
    with pytest.raises(PermanentError, match=r"(?s)nothing was changed.*--no-bi.*no route to host"):
        SUPERSET.install(lambda doing: None, {})
    assert list(tools.iterdir()) == []
    with pytest.raises(PermanentError, match="mdp up"):
        environment.python()


def test_its_processes_are_marked_so_that_an_end_can_be_made_of_them(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = install(tmp_path, monkeypatch, "true")
    SUPERSET.install(lambda doing: None, {"MARK": "this start"})
    assert log.with_name("asked.mark").read_text() == "this start\n"


def test_a_start_that_is_given_up_installs_nothing(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = install(tmp_path, monkeypatch, "true")

    def give_up(doing: str) -> None:
        raise TransientError(doing)

    with pytest.raises(TransientError, match="to download"):
        SUPERSET.install(give_up, {})
    assert "pip" not in log.read_text()
    assert list(tools.iterdir()) == []


def test_a_full_disk_is_named_before_anything_is_downloaded(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = install(tmp_path, monkeypatch, "true")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=10**8))
    with pytest.raises(PermanentError, match=r"100 MB are free.*--no-bi"):
        SUPERSET.install(lambda doing: None, {})
    assert not log.exists()


def test_what_a_killed_installation_left_is_removed_and_a_running_one_kept(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "true")
    ended = subprocess.Popen(["true"])
    ended.wait()
    dead, alive = (tools / f"superset-1.building.{pid}" for pid in (ended.pid, os.getppid()))
    dead.mkdir(parents=True)
    alive.mkdir()
    SUPERSET.install(lambda doing: None, {})
    assert not dead.exists()
    assert alive.exists()
