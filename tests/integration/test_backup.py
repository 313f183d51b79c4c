"""A backup that is made while files are loaded, restored elsewhere, ends in the tables of a clean run."""

import json
import shutil
import threading
from pathlib import Path

import pytest

from minidata.dataset import read_datasets
from minidata.errors import NotRunningError, PermanentError
from minidata.settings import load_settings
from minidata.store import ObjectStore
from minidata.warehouse.checksum import checksums
from minidata.warehouse.connection import connect
from operate.backup.folder import Folder
from operate.backup.make import back_up
from operate.backup.restore import restore
from operate.embedded.settings import as_environment, embedded_settings
from operate.embedded.state import State
from tests.corpus.case import HEADER, good_lines
from tests.integration.conftest import DATASET, Pipeline, started

BEFORE = 20


def content(number: int) -> bytes:
    return f"{HEADER}\n{good_lines(f'video-{number}', 5)}".encode()


def test_a_backup_under_load_restores_to_the_tables_of_a_clean_run(
    pipeline: Pipeline, servers: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(BEFORE):
        pipeline.put(f"before-{number}.csv", content(number))
    pipeline.put("bad.csv", b"a,b\n1,2\n")
    stop = threading.Event()
    number = BEFORE

    def load() -> None:
        nonlocal number
        while not stop.is_set():
            for _ in range(3):
                pipeline.put(f"during-{number}.csv", content(number))
                number += 1
            pipeline.drain()

    loading = threading.Thread(target=load)
    loading.start()
    made = back_up(servers, tmp_path / "backup", lambda _: None)
    stop.set()
    loading.join()
    assert made.objects > BEFORE
    state = State(tmp_path / "restored")
    restore(state, tmp_path / "backup", lambda _: None)
    with started(state.folder):
        restored = reached(state, monkeypatch)
        restored.drain()
        states = restored.states()
        assert set(states.values()) <= {"archived", "quarantined", "superseded"}
        assert states["bad.csv"] == "quarantined"
        assert {key for key in states if states[key] == "archived"} >= {f"before-{n}.csv" for n in range(BEFORE)}
        assert not restored.raw()
        found = checksums(restored.connection, restored.dataset)
        loaded = [
            restored.store.read(restored.settings.archive_bucket, str(f.archive_key))
            for f in restored.files()
            if f.state == "archived"
        ]
        contents = {b"".join(chunks) for chunks in loaded}
        restored.connection.close()
    assert clean(pipeline, contents, monkeypatch) == found


def reached(state: State, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    settings = embedded_settings(state).model_copy(update={"retry_seconds": 0.0})
    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    return Pipeline(settings, ObjectStore(settings), connect(settings, "loader"))


def clean(pipeline: Pipeline, contents: set[bytes], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Load the contents into empty tables and return the checksums."""
    for name, value in as_environment(pipeline.settings).items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    with connect(pipeline.settings, "owner") as owner:
        owner.execute("truncate mdp.files, mdp.batches, mdp.inbox cascade")
        for table in read_datasets(pipeline.settings.datasets_folder)[DATASET].tables:
            owner.execute(f"truncate {DATASET}.{table}")
    for number, content in enumerate(sorted(contents)):
        pipeline.put(f"clean-{number}.csv", content)
    pipeline.drain()
    return checksums(pipeline.connection, pipeline.dataset)


@pytest.fixture(scope="module")
def backup(servers: State, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backups") / "one"
    back_up(servers, folder, lambda _: None)
    return folder


@pytest.fixture
def spoiled(backup: Path, tmp_path: Path) -> Path:
    """A copy of a backup, to be spoiled."""
    return shutil.copytree(backup, tmp_path / "spoiled")


def test_a_backup_of_another_version_is_refused_and_nothing_is_changed(spoiled: Path, tmp_path: Path) -> None:
    told = json.loads((spoiled / "backup.json").read_text())
    state = State(tmp_path / "state")
    for change, message in (
        ({"format": 2}, "format 2; this version of mdp reads format 1"),
        ({"postgres": 17}, "is of PostgreSQL 17"),
        ({"migrations": ["9999_future.sql"]}, "newer version of mdp, which has the migrations 9999_future.sql"),
    ):
        (spoiled / "backup.json").write_text(json.dumps(told | change))
        with pytest.raises(PermanentError, match=message):
            restore(state, spoiled, lambda _: None)
    (spoiled / "backup.json").unlink()
    with pytest.raises(PermanentError, match="no complete backup"):
        restore(state, spoiled, lambda _: None)
    assert not state.folder.exists()


def test_a_damaged_object_is_found_before_anything_is_changed(spoiled: Path, tmp_path: Path) -> None:
    folder = Folder(spoiled)
    with folder.manifest.open("a") as manifest:
        manifest.write("\n")
    with pytest.raises(PermanentError, match="was changed after the backup"):
        restore(State(tmp_path / "state"), spoiled, lambda _: None)
    assert not (tmp_path / "state").exists()


def test_a_platform_is_not_overwritten_nor_a_backup(servers: State, backup: Path, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="There is a platform in"):
        restore(servers, backup, lambda _: None)
    with pytest.raises(PermanentError, match="is not empty"):
        back_up(servers, backup, lambda _: None)
    with pytest.raises(NotRunningError):
        back_up(State(tmp_path / "none"), tmp_path / "x", lambda _: None)
