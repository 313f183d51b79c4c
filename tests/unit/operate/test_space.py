"""Space on the disk: the parts of the store fit the disk, and a server on a full disk waits."""

import shutil
import time
from pathlib import Path

import pytest

from operate.embedded import space
from operate.embedded.state import State


@pytest.fixture
def usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A disk whose size and free space the test chooses."""
    real, chosen = shutil.disk_usage(tmp_path), {"total": 2**40, "free": 2**39}
    monkeypatch.setattr(shutil, "disk_usage", lambda _: real._replace(**chosen))
    return chosen


@pytest.mark.parametrize(("gib", "mib"), [(3, 64), (16, 64), (100, 400), (250, 1000), (5000, 1024)])
def test_a_small_disk_has_small_volumes(tmp_path: Path, usage: dict[str, int], gib: int, mib: int) -> None:
    usage["total"] = gib * 2**30
    assert space.volume_megabytes(tmp_path) == mib


def test_a_server_waits_for_space_and_says_so(
    tmp_path: Path, usage: dict[str, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        usage["free"] = space.LEAST if len(waits) == 3 else 1

    usage["free"] = 1
    monkeypatch.setattr(time, "sleep", wait)
    space.wait_for_space(tmp_path)
    assert len(waits) == 3
    assert capsys.readouterr().err.count("\n") == 2


def test_a_server_with_space_starts_at_once_and_says_nothing(
    tmp_path: Path, usage: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    space.wait_for_space(tmp_path)
    assert capsys.readouterr().err == ""


def test_the_status_is_that_of_the_fullest_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, home = State.open(tmp_path / "state"), tmp_path / "home"
    home.mkdir()
    state.remember(postgres_home=home)
    real = shutil.disk_usage(tmp_path)
    free = {state.folder: space.RESERVE, home: space.RESERVE - 1}
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: real._replace(free=free[folder]))
    status = space.disk_status(state)
    assert (status["path"], status["full"]) == (str(home), True)
    free[home] = space.RESERVE
    assert not space.disk_status(state)["full"]
