"""Files on the CeleryExecutor with two workers: every cell is right, whoever dies. Takes minutes."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.celery.conftest import Installation
from tests.e2e.test_from_upload_to_table import snapshot
from tests.oracle.hostile import hostile_folder


def until(condition: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.1)


def test_a_hostile_folder_has_the_tables_of_the_oracle(installation: Installation) -> None:
    files = {f"youtube_stats/hostile/{key}": data for key, data in hostile_folder(5, 60, datetime.now(UTC))}
    installation.platform.load(files)
    installation.platform.assert_tables_as_the_oracle_says()
    logs = [(installation.logs / f"worker-{number}.log").read_text(errors="replace") for number in (1, 2)]
    assert any(" succeeded in " in log for log in logs), "no worker of Celery's had a task"


DEATHS = {
    "a worker": ["worker-1"],
    "both workers": ["worker-1", "worker-2"],
    "the broker, with all that waits in it": ["broker"],
    "a scheduler": ["scheduler-1"],
    "a triggerer": ["triggerer-2"],
}


@pytest.mark.parametrize("death", DEATHS)
def test_nothing_is_lost_or_counts_twice(installation: Installation, death: str) -> None:
    seed = 1000 * (1 + list(DEATHS).index(death))
    files = {f"youtube_stats/{death}/{n}.csv": snapshot(seed + n, 300) for n in range(150)}
    installation.platform.put(files)
    until(lambda: any(file["state"] == "claimed" for file in installation.platform.json("files")))
    for name in DEATHS[death]:
        installation.kill(name)
    time.sleep(3)
    for name in DEATHS[death]:
        installation.start(name)
    installation.platform.mdp("wait", "--timeout", "400")
    states = [file["state"] for file in installation.platform.json("files") if file["key"] in files]
    assert states == ["archived"] * len(files)
    installation.platform.assert_tables_as_the_oracle_says()
