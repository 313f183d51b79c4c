"""A file that kills whoever works on it fails alone; the others of its batch are archived. Takes a minute or two."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

from minidata.warehouse.connection import connect
from operate.embedded import processes
from operate.embedded.settings import embedded_settings
from operate.embedded.state import State
from tests.e2e.conftest import Platform, started
from tests.e2e.test_from_upload_to_table import snapshot

KILLER = "youtube_stats/killer.csv"


@pytest.fixture
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with started(Platform(tmp_path_factory.mktemp("killer") / "state")) as running:
        yield running


@contextmanager
def executioner(platform: Platform) -> Iterator[list[int]]:
    """While a file is claimed, kill the tasks of its run, as the system does when a reader takes too much memory."""
    killed: list[int] = []
    stop = threading.Event()
    state = State(platform.state)
    family = processes.find(platform.state, "airflow-scheduler")
    (scheduler,) = [process for process in family if process.ppid() not in {other.pid for other in family}]

    def run_of_killer() -> str | None:
        found = connection.execute(
            "select run from mdp.files join mdp.batches using (batch_id) where key = %s and state = 'claimed'", [KILLER]
        ).fetchone()
        connection.commit()
        return None if found is None else str(found[0])

    def hunt() -> None:
        while not stop.wait(0.02):
            if (run := run_of_killer()) is None:
                continue
            for worker in scheduler.children():
                with suppress(psutil.Error):  # it has just ended
                    if any(f"run_id={run}/" in log.path for log in worker.open_files()):
                        for task in worker.children():
                            task.kill()
                            killed.append(task.pid)

    with connect(embedded_settings(state), "loader") as connection:
        hunter = threading.Thread(target=hunt)
        hunter.start()
        try:
            yield killed
        finally:
            stop.set()
            hunter.join()


def test_one_killer_among_two_hundred_good_files(platform: Platform) -> None:
    uploads = {f"youtube_stats/{number:03}.csv": snapshot(number, 20) for number in range(200)}
    with executioner(platform) as killed:
        platform.put({KILLER: snapshot(999, 20)} | uploads)
        platform.mdp("wait", "--timeout", "900")
    states = {file["key"]: file["state"] for file in platform.json("files", "--limit", "1000")}
    assert states.pop(KILLER) == "failed"
    assert states == dict.fromkeys(uploads, "archived")
    assert killed
    del platform.uploaded[KILLER]
    platform.assert_tables_as_the_oracle_says()
