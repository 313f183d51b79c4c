"""A PostgreSQL server as the platform finds it on its first start: an administrator, and nothing else."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from minidata.errors import TransientError
from minidata.warehouse.__main__ import Administration, set_up
from operate.embedded import processes
from operate.embedded.ports import choose_ports
from operate.embedded.postgres import home as postgres_home
from operate.embedded.postgres import server as postgres
from operate.embedded.state import State

PROJECT = Path(__file__).resolve().parents[2]


ADMINISTRATOR = "the administrator's own"


@contextmanager
def running(state: State) -> Iterator[Administration]:
    """Start a server on the data of a state; yield settings that reach it, every secret set."""
    port = choose_ports(state, ["postgres"])["postgres"]
    place = postgres_home.choose(state)
    postgres.configure(place, port)
    process = subprocess.Popen(
        postgres.command(place),
        cwd=place.data,
        env={"PATH": "/usr/bin:/bin", "LANG": "C"},
        **processes.as_user(place.user),
    )
    settings = Administration.model_validate(
        {
            "database_port": port,
            "admin_password": ADMINISTRATOR,
            "owner_password": "owner ' \\ %",
            "loader_password": "loader-secret",
            "bi_password": "bi-secret",
            "events_password": "events ' \\ secret",
            "metabase_database_password": "metabase-secret",
            "airflow_database_password": "airflow-secret",
        }
    )
    try:
        while True:
            try:
                postgres.probe(settings)
                break
            except TransientError:
                assert process.poll() is None, "the server ended"
        yield settings
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
        postgres_home.remove(state)


@pytest.fixture(scope="session")
def empty_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make the data of an unused server, once."""
    state = State.open(tmp_path_factory.mktemp("template") / "state")
    choose_ports(state, ["postgres"])
    place = postgres_home.choose(state)
    postgres.initialise(state, place, ADMINISTRATOR)
    yield place.data
    postgres_home.remove(state)


def copy_of(empty_data: Path, folder: Path) -> State:
    state = State.open(folder)
    choose_ports(state, ["postgres"])
    place = postgres_home.choose(state)
    shutil.copytree(empty_data, place.data)
    if place.user is not None:
        for path in (place.data, *place.data.rglob("*")):
            shutil.chown(path, place.user.pw_uid, place.user.pw_gid)
    return state


@pytest.fixture
def server(empty_data: Path, tmp_path: Path) -> Iterator[Administration]:
    """A server with an administrator and nothing else."""
    with running(copy_of(empty_data, tmp_path / "state")) as settings:
        yield settings


@pytest.fixture(scope="module")
def ready(empty_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Administration]:
    """A server that is set up, with the apps' databases."""
    with running(copy_of(empty_data, tmp_path_factory.mktemp("ready") / "state")) as settings:
        set_up(settings, ["metabase", "airflow"])
        yield settings
