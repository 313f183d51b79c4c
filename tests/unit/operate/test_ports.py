"""Ports are free when chosen, remembered, and never shared in silence."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from minidata.errors import PermanentError
from operate.embedded import ports
from operate.embedded.state import State

SERVICES = ("postgres", *ports.SEAWEED, "airflow")


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_chosen_ports_are_free_and_all_different(tmp_path: Path) -> None:
    chosen = ports.choose_ports(State.open(tmp_path), SERVICES)
    taken = [port for service, base in chosen.items() for port in ports.listens_on(service, base)]
    assert set(chosen) == set(SERVICES)
    assert len(set(taken)) == len(taken) == len(SERVICES) + len(ports.SEAWEED)
    assert all(1024 < port < 32768 and ports.is_free(port) for port in taken)


def test_chosen_ports_stay(tmp_path: Path) -> None:
    first = ports.choose_ports(State.open(tmp_path), SERVICES)
    assert ports.choose_ports(State.open(tmp_path), [*SERVICES, "superset"]).items() >= first.items()


def test_a_taken_port_is_named_with_who_has_it(listener: int) -> None:
    assert not ports.is_free(listener)
    with pytest.raises(PermanentError, match=rf"Port {listener} .*postgres.*pid {os.getpid()}"):
        ports.require_free({"postgres": listener})


def test_the_port_of_grpc_is_looked_at_too(listener: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "GRPC_OFFSET", -1)
    if not ports.is_free(listener + 1):
        pytest.fail("the neighbouring port is taken; this test needs it free")
    with pytest.raises(PermanentError, match=f"Port {listener} .*filer"):
        ports.require_free({"filer": listener + 1})
