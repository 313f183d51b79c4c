"""What a start needs of the machine."""

import errno
import os
import pwd
import shutil
from pathlib import Path

import pytest

from minidata.errors import PermanentError
from operate.cli.run import explained
from operate.embedded import preflight
from operate.embedded.preflight import SPACE, require_machine, require_secrets
from operate.embedded.state import State


def test_a_machine_with_space_and_a_name_for_us_will_do(tmp_path: Path) -> None:
    require_machine(State.open(tmp_path))


def test_a_full_disk_is_told_with_how_much_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=SPACE - 1))
    with pytest.raises(PermanentError, match=rf"{tmp_path} is full: 600 MB are free.* needs 600 MB.*--state"):
        require_machine(State.open(tmp_path))


def test_the_disk_of_a_database_that_is_elsewhere_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    (tmp_path / "home").mkdir()
    state = State.open(tmp_path / "state")
    home = tmp_path / "home"
    state.remember(postgres_home=home)
    monkeypatch.setattr(shutil, "disk_usage", lambda f: usage._replace(free=0 if f == home else usage.free))
    with pytest.raises(PermanentError, match="home is full"):
        require_machine(state)


def _nameless(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


def test_a_user_without_a_name_is_told_what_to_add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = State.open(tmp_path)
    _nameless(monkeypatch)
    with pytest.raises(PermanentError, match=r"no name for your user id 4711.*mdp:x:4711:\d+::/tmp:/bin/sh"):
        require_machine(state)


def test_a_user_without_a_name_may_go_on_with_a_database_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = State.open(tmp_path)
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    _nameless(monkeypatch)
    require_machine(state)


def test_secrets_that_are_gone_are_missed_only_once_there_was_a_start(tmp_path: Path) -> None:
    state = State.open(tmp_path)
    require_secrets(state)
    state.remember(ports={"postgres": 15001})
    with pytest.raises(PermanentError, match="are gone"):
        require_secrets(state)
    (tmp_path / ".env").touch()
    require_secrets(state)


@pytest.mark.parametrize("number", sorted(preflight.FULL))
def test_a_disk_that_fills_up_on_the_way_is_told_as_such(number: int) -> None:
    said = explained(OSError(number, os.strerror(number), "/data/file"))
    assert "The disk is full" in said
    assert "/data/file" in said
    assert "Free some space" in said


def test_another_error_of_the_system_names_its_file_and_the_next_step() -> None:
    said = explained(PermissionError(errno.EACCES, "Permission denied", "/data/file"))
    assert said.startswith("/data/file: Permission denied.")
    assert said.endswith("Fix this and retry.")
