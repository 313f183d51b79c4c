"""What a running platform listens on, as another user of the machine sees it."""

import ipaddress
import os
import subprocess
from pathlib import Path

import psutil

from operate.embedded import processes
from operate.embedded.postgres import home as postgres_home
from operate.embedded.state import State
from tests.e2e.conftest import Platform

LISTEN = "0A"


def listener_table() -> list[tuple[str, int]]:
    """Return address and port of each listening socket, read as a user who owns none of them."""
    other = {"user": 12_345, "group": 12_345, "extra_groups": []} if os.geteuid() == 0 else {}
    files = [file for file in ("/proc/net/tcp", "/proc/net/tcp6") if Path(file).exists()]
    text = subprocess.run(["/bin/cat", *files], cwd="/", text=True, capture_output=True, check=True, **other).stdout
    rows = [line.split() for line in text.splitlines() if "local_address" not in line]
    return [_place(row[1]) for row in rows if row[3] == LISTEN]


def _place(local: str) -> tuple[str, int]:
    """Read `0100007F:1F90`, an address in words of the machine's byte order."""
    address, port = local.split(":")
    words = [bytes.fromhex(address[i : i + 8])[::-1] for i in range(0, len(address), 8)]
    return str(ipaddress.ip_address(b"".join(words))), int(port, 16)


def test_every_listener_of_the_platform_is_on_loopback(platform: Platform) -> None:
    state = State.open(platform.state)
    ours = {
        connection.laddr.port
        for process in processes.find(state.folder, "postgres", postgres_home.choose(state).data)
        + processes.find(state.folder)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert set(state.platform.ports.values()) <= ours | {state.platform.ports.get("superset", 0)}
    seen = {(address, port) for address, port in listener_table() if port in ours}
    assert {port for _, port in seen} == ours
    assert {address for address, _ in seen} == {"127.0.0.1"}
