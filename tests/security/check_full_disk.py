"""A disk of 3 GiB that fills and is freed again: nothing is lost, and the platform goes on by itself.

Needs root, to mount a file system of that size.
"""

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from minidata.errors import PermanentError, PlatformError, TransientError
from minidata.settings import Settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import connect
from operate.embedded import preflight
from operate.embedded.settings import embedded_settings
from operate.embedded.space import LEAST, RESERVE, disk_status
from operate.embedded.start import start_servers
from operate.embedded.state import State
from operate.embedded.status import services_status
from operate.embedded.stop import stop_platform
from operate.embedded.supervisor import Supervisor
from tests.integration import conftest
from tests.integration.conftest import Pipeline
from tests.integration.test_ledger import snapshot, views

pipeline = conftest.pipeline  # on the servers of this file
BLOCK = bytes(range(256)) * 2**14  # 4 MiB, more than one chunk of the store


def quiet(title: str, doing: str | None) -> None:
    """Say nothing."""


def until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(1)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of 3 GiB of its own."""
    image = tmp_path_factory.mktemp("image") / "disk"
    place = Path(tempfile.mkdtemp(prefix="mdp-disk-", dir="/var/tmp"))  # pytest's folders are closed to other users
    with image.open("wb") as stream:
        stream.truncate(3 * 2**30)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=True)
    try:
        place.chmod(0o755)
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
        place.rmdir()


@pytest.fixture(scope="module")
def servers(disk: Path) -> Iterator[State]:
    """A platform whose objects and database are on that disk."""
    state = State.open(disk / "platform")
    home = disk / "mini-data-platform"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("operate.embedded.postgres.home.CANDIDATES", (str(disk),))
        try:
            start_servers(state, quiet)
            assert state.platform.postgres_home
            assert state.platform.postgres_home.parent == home
            yield state
        finally:
            stop_platform(state, quiet)


def fill(disk: Path, left: int) -> Path:
    """Fill the disk with a file that belongs to nobody here, up to so many free bytes."""
    ballast = disk / "ballast"
    size = preflight.shutil.disk_usage(disk).free - left
    done = subprocess.run(["fallocate", "-l", str(size), str(ballast)], check=False)
    assert done.returncode == 0 or left == 0
    return ballast


def append_without_end(file: Path) -> None:
    with file.open("ab") as stream:
        while True:
            stream.write(b"\0" * 4096)
            stream.flush()


def takes(store: ObjectStore, settings: Settings, key: str) -> bool:
    """Tell whether an upload is taken."""
    try:
        store.write(settings.raw_bucket, key, BLOCK)
    except TransientError:
        return False
    return True


def counts(settings: Settings) -> bool:
    """Tell whether the database commits."""
    try:
        with connect(settings, "loader") as loader:
            loader.execute("insert into mdp.locks values (%s) on conflict do nothing", [f"n{time.monotonic_ns()}"])
    except TransientError:
        return False
    return True


def rows(settings: Settings) -> int:
    with connect(settings, "loader") as loader:
        row = loader.execute("select count(*) from mdp.locks").fetchone()
    assert row
    return int(row[0])


def test_a_new_platform_writes_into_every_bucket_of_a_small_disk(servers: State) -> None:
    settings = embedded_settings(servers)
    store = ObjectStore(settings)
    for bucket in ("raw", "staging", "archive", "quarantine"):
        store.write(bucket, "small/first", BLOCK)
        assert b"".join(store.read(bucket, "small/first")) == BLOCK
    assert list(store.keys("raw")) == ["small/first"], "the probe leaves nothing behind"


def test_it_fills_with_uploads_and_the_database_keeps_its_reserve(servers: State, disk: Path) -> None:
    settings = embedded_settings(servers)
    store = ObjectStore(settings)
    fill(disk, RESERVE + 200 * 2**20)
    taken = []
    deadline = time.monotonic() + 240
    while takes(store, settings, f"full/{len(taken)}"):
        taken.append(f"full/{len(taken)}")
        assert time.monotonic() < deadline, "it takes uploads without end"
    assert len(taken) > 10
    status = disk_status(servers)
    assert status["free_bytes"] > LEAST
    assert counts(settings), "the database still commits"
    for key in taken:
        assert b"".join(store.read("raw", key)) == BLOCK
    (disk / "ballast").unlink()
    assert not disk_status(servers)["full"]
    until(lambda: takes(store, settings, "full/after"), 150)
    assert {*taken, "full/after"} <= set(store.keys("raw"))


def test_another_program_fills_the_last_byte_and_frees_it_again(servers: State, disk: Path) -> None:
    settings = embedded_settings(servers)
    store = ObjectStore(settings)
    before, keys = rows(settings), set(store.keys("raw"))
    kept = 0
    ballast = fill(disk, 0)
    with pytest.raises(OSError, match="No space left"):
        append_without_end(ballast)
    status = services_status(servers)
    assert status["disk"]["full"]
    assert not status["healthy"]
    for number in range(20):
        kept += counts(settings)
        takes(store, settings, f"nothing/{number}")
    with pytest.raises(PermanentError, match="is full"):
        preflight.require_machine(servers)
    ballast.unlink()
    until(lambda: counts(settings), 120)
    until(lambda: takes(store, settings, "full/again"), 150)
    assert rows(settings) >= before + kept + 1
    assert keys <= set(store.keys("raw"))
    for key in store.keys("raw"):
        assert b"".join(store.read("raw", key)) == BLOCK, key


def test_files_that_wait_on_a_full_disk_are_loaded_when_there_is_space(pipeline: Pipeline, disk: Path) -> None:
    for number in range(3):
        pipeline.put(f"{number}.csv", snapshot(number))
    pipeline.look()
    ballast = fill(disk, 0)
    with pytest.raises(OSError, match="No space left"):
        append_without_end(ballast)
    for _ in range(pipeline.settings.max_attempts + 1):
        with contextlib.suppress(PlatformError, psycopg.OperationalError):
            batch = pipeline.claim()
            if batch is not None:
                pipeline.run(batch)
        time.sleep(1)
    assert "archived" not in pipeline.states().values()
    ballast.unlink()
    deadline = time.monotonic() + 150
    while set(pipeline.states().values()) != {"archived"}:
        assert time.monotonic() < deadline, pipeline.states()
        with contextlib.suppress(PlatformError):
            pipeline.drain()
        time.sleep(1)
    assert {file.attempts for file in pipeline.files()} == {1}
    assert views(pipeline) == [2]


def test_servers_that_were_stopped_by_the_full_disk_start_when_there_is_space(servers: State, disk: Path) -> None:
    settings = embedded_settings(servers)
    ballast = fill(disk, 16 * 2**20)
    supervisor = Supervisor(servers)
    for name in ("postgres", "object-store"):
        supervisor.stop(name)
        supervisor.start(name)
    time.sleep(5)
    assert {info.state for info in supervisor.info() if info.name in {"postgres", "object-store"}} == {"RUNNING"}
    assert "Waiting for" in (servers.logs / "postgres.log").read_text()
    assert not counts(settings)
    ballast.unlink()
    until(lambda: counts(settings), 60)
    until(lambda: takes(ObjectStore(settings), settings, "full/restarted"), 150)
