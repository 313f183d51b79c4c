"""A PostgreSQL server as the platform finds it on its first start: an administrator, and nothing else."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from minidata.errors import TransientError
from minidata.warehouse.__main__ import Administration
from operate.embedded import postgres
from operate.embedded.ports import choose_ports
from operate.embedded.state import State

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Administration]:
    """Yield settings that reach the server, every secret set."""
    state = State.open(tmp_path / "state")
    port = choose_ports(state, ["postgres"])["postgres"]
    target = postgres.server(state)
    postgres.initialise(target, "the administrator's own")
    postgres.configure(target)
    process = subprocess.Popen(
        target.command, cwd=target.data, env={"PATH": "/usr/bin:/bin", "LANG": "C"}, **target.home.drop()
    )
    try:
        while True:
            try:
                postgres.probe(port, "the administrator's own")
                break
            except TransientError:
                assert process.poll() is None, "the server ended"
        yield Administration.model_validate(
            {
                "database_port": port,
                "admin_password": "the administrator's own",
                "owner_password": "owner ' \\ %",
                "loader_password": "loader-secret",
                "bi_password": "bi-secret",
                "events_password": "events ' \\ secret",
                "metabase_database_password": "metabase-secret",
                "airflow_database_password": "airflow-secret",
            }
        )
    finally:
        process.send_signal(2)
        process.wait()
        from operate.embedded import postgres_home

        postgres_home.remove(state)
