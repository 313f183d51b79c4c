"""A real MinIO, set up as the Docker mode sets it up, that writes its events into a real PostgreSQL."""

import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from minidata.errors import TransientError
from minidata.settings import Settings
from minidata.warehouse.__main__ import Administration
from operate.embedded.object_store.minio import command, environment, inbox_of
from operate.embedded.object_store.minio_build import build
from operate.s3.access import Buckets, Identities, Identity
from operate.s3.client import connect
from operate.s3.minio import prepare

BUCKETS = Buckets("raw", "staging", "archive", "quarantine")
WHO = Identities(
    admin=Identity("admin", "admin-key", "admin-secret"),
    etl=Identity("etl", "etl-key", "etl-secret"),
    generator=Identity("generator", "generator-key", "generator-secret"),
)


@dataclass
class Minio:
    """A running server."""

    endpoint: str
    process: subprocess.Popen[bytes]
    binary: Path
    data: Path
    warehouse: Administration

    def client(self, identity: Identity) -> Any:
        return connect(self.endpoint, identity)

    @property
    def settings(self) -> Settings:
        return self.warehouse.model_copy(
            update={
                "s3_endpoint": self.endpoint,
                "s3_access_key_id": WHO.etl.access_key,
                "s3_secret_access_key": Settings.model_validate(
                    {"s3_secret_access_key": WHO.etl.secret_key}
                ).s3_secret_access_key,
            }
        )


def start(binary: Path, data: Path, port: int, warehouse: Administration) -> subprocess.Popen[bytes]:
    inbox = inbox_of(warehouse, warehouse.secret("events_password"))
    return subprocess.Popen(
        command(binary, data, port),
        env={"HOME": str(data.parent), "PATH": "/usr/bin:/bin", **environment(WHO.admin, inbox)},
    )


def await_prepared(endpoint: str, who: Identities = WHO) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            prepare(endpoint, who, BUCKETS)
        except TransientError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


@pytest.fixture(scope="module")
def minio(ready: Administration, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Minio]:
    binary = build()
    data = tmp_path_factory.mktemp("minio") / "data"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Minio(f"http://127.0.0.1:{port}", start(binary, data, port, ready), binary, data, ready)
    try:
        await_prepared(server.endpoint)
        yield server
    finally:
        server.process.terminate()
        server.process.wait()


STRANGER = replace(WHO.generator, access_key="old-generator-key")
