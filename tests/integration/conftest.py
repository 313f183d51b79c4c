"""The pipeline on the real servers, without Airflow: its steps are called one after another."""

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql
from psycopg.rows import dict_row

from etl import watch
from etl.extract import extract
from etl.step import run_step
from minidata import ledger
from minidata.dataset import Dataset, read_datasets
from minidata.ledger import File, find_files, look
from minidata.settings import PROJECT, Settings, load_settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import Connection, connect
from operate.embedded import processes
from operate.embedded.object_store.seaweedfs import sockets
from operate.embedded.postgres import home as postgres_home
from operate.embedded.settings import as_environment, embedded_settings
from operate.embedded.start import start_servers
from operate.embedded.state import State, Store
from operate.embedded.stop import stop_platform

DATASET = "youtube_stats"
SHARED_SERVERS = "MDP_TEST_SERVERS"  # names the folder of servers that run already; `./mdp dev mutants` sets it
STEPS = ("validate", "transform", "load", "archive")


@pytest.fixture(scope="session", autouse=True)
def _keep_priority() -> None:
    """Steps run in the process of the tests, which has more to do after a long one."""
    watch._SHORT_SECONDS = math.inf


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """A platform of which only PostgreSQL and the object store run."""
    if os.environ.get(SHARED_SERVERS):
        yield State(Path(os.environ[SHARED_SERVERS]))
        return
    with started(tmp_path_factory.mktemp("servers") / "ein Ort") as state:
        yield state


@contextmanager
def started(folder: Path, store: Store | None = None) -> Iterator[State]:
    """Start the servers of a platform; at the end none of their processes is left."""
    state = State.open(folder)
    try:
        start_servers(state, lambda title, doing: None, store)
        yield state
    finally:
        stop_platform(state, lambda title, doing: None)
        postgres_home.remove(state)
    assert processes.find(state.folder) == []
    if "filer" in state.platform.ports:
        assert not [socket for socket in sockets(state) if socket.exists()]


@dataclass(frozen=True)
class Pipeline:
    """The pipeline of one dataset; everything that a test leaves is gone before the next."""

    settings: Settings
    store: ObjectStore
    connection: Connection

    @property
    def dataset(self) -> Dataset:
        return read_datasets(self.settings.datasets_folder)[DATASET]

    def put(self, key: str, content: bytes) -> str:
        return self.store.write(self.settings.raw_bucket, key, content)

    def look(self) -> ledger.Waiting:
        return look(self.connection, self.store, self.settings, DATASET, full=True)

    def claim(self, run: str = "test") -> int | None:
        return extract(DATASET, run)

    def run(self, batch: int, *steps: str) -> None:
        for step in steps or STEPS:
            run_step(step, batch)

    def drain(self) -> int:
        """Load until nothing is due; return how many batches that took."""
        batches = 0
        self.look()
        while (batch := self.claim()) is not None:
            self.run(batch)
            batches += 1
        return batches

    def program(self, code: str) -> subprocess.Popen[bytes]:
        """Run Python in a process of its own that may be killed."""
        environment = as_environment(self.settings) | {"PYTHONPATH": str(PROJECT), "PATH": "/usr/bin:/bin"}
        return subprocess.Popen([sys.executable, "-c", code], env=environment, stdin=subprocess.DEVNULL)

    def files(self) -> list[File]:
        return sorted(find_files(self.connection), key=lambda file: file.file_id)

    def states(self) -> dict[str, str]:
        return {file.key: file.state for file in self.files()}

    def entries(self, key: str) -> list[dict[str, Any]]:
        (file,) = find_files(self.connection, key=key)
        return ledger.file_entries(self.connection, file.file_id)

    def raw(self) -> list[tuple[str, str]]:
        return [(v.key, v.version) for v in self.store.versions(self.settings.raw_bucket)]

    def table(self, name: str) -> list[dict[str, Any]]:
        """Return a derived table in the order of its key; instants naive, in UTC."""
        keys = sql.SQL(", ").join(map(sql.Identifier, self.dataset.tables[name]))
        query = sql.SQL("select * from {} order by {}").format(sql.Identifier(DATASET, name), keys)
        with self.connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(query).fetchall()
        self.connection.commit()
        return [{column: _naive(value) for column, value in row.items()} for row in rows]

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        return {name: self.table(name) for name in self.dataset.tables}

    def execute(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        cursor = self.connection.execute(query.encode(), list(values) or None)
        rows = cursor.fetchall() if cursor.description else []
        self.connection.commit()
        return rows


def _naive(value: Any) -> Any:
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


@pytest.fixture
def pipeline(servers: State, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    settings = embedded_settings(servers).model_copy(update={"retry_seconds": 0.0})
    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    store = empty(settings)
    with connect(settings, "loader") as connection:
        yield Pipeline(settings, store, connection)
    load_settings.cache_clear()


def empty(settings: Settings) -> ObjectStore:
    """Empty the ledger, the tables and the buckets; returns the store."""
    store = ObjectStore(settings)
    with connect(settings, "owner") as owner:
        owner.execute("truncate mdp.files, mdp.batches, mdp.inbox")
        for table in read_datasets(settings.datasets_folder)[DATASET].tables:
            owner.execute(sql.SQL("truncate {}").format(sql.Identifier(DATASET, table)))
    for version in store.versions(settings.raw_bucket):
        store.delete_version(settings.raw_bucket, version.key, version.version)
    for bucket in (settings.staging_bucket, settings.archive_bucket, settings.quarantine_bucket):
        store.delete_prefix(bucket, "")
    return store
