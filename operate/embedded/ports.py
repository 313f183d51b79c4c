"""Ports on loopback: free ones are chosen once and remembered, so that addresses stay the same."""

import random
import socket
from collections.abc import Iterable, Mapping

import psutil

from minidata.errors import PermanentError
from operate.embedded.state import State

GRPC_OFFSET = 10_000  # SeaweedFS serves gRPC this far above each of its HTTP ports
SEAWEED = ("master", "volume", "filer", "s3")
_FIRST, _LAST = 15_000, 22_000  # with the offset still below 32768, where outgoing connections begin on Linux
_TRIES = 2_000


def listens_on(service: str, port: int) -> tuple[int, ...]:
    """Return every port that a service takes, given its own."""
    return (port, port + GRPC_OFFSET) if service in SEAWEED else (port,)


def choose_ports(state: State, services: Iterable[str]) -> dict[str, int]:
    """Choose a free port for each service that has none, and remember it.

    Returns:
        The ports of all services, by name.

    Raises:
        PermanentError: if no free ports are found.
    """
    ports = dict(state.platform.ports)
    lacking = [service for service in services if service not in ports]
    for service in lacking:
        ports[service] = _choose(service, ports)
    if lacking:
        state.remember(ports=ports)
    return ports


def require_free(services: Mapping[str, int]) -> None:
    """Check that no other program listens on the ports of these services.

    Raises:
        PermanentError: naming the port, who has it, and the fix.
    """
    for service, port in services.items():
        for taken in listens_on(service, port):
            if not is_free(taken):
                raise PermanentError(
                    f"Port {taken} on 127.0.0.1, which {service} uses, is taken by {_owner(taken)}. Stop that "
                    f'program, or stop the platform and remove "{service}" from "ports" in its platform.json: '
                    "the next `./mdp up` chooses another."
                )


def is_free(port: int) -> bool:
    """Tell whether a server could listen on a port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def _choose(service: str, taken: dict[str, int]) -> int:
    used = {port for name, base in taken.items() for port in listens_on(name, base)}
    for _ in range(_TRIES):
        port = random.randint(_FIRST, _LAST)  # noqa: S311  a port, not a secret
        wanted = listens_on(service, port)
        if used.isdisjoint(wanted) and all(map(is_free, wanted)):
            return port
    raise PermanentError(
        f"No free port between {_FIRST} and {_LAST} was found for {service}. Stop programs that listen there."
    )


def _owner(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                process = psutil.Process(connection.pid)
                return f"{process.name()} (pid {process.pid}, user {process.username()})"
    except psutil.Error:
        pass  # on some systems only root may look
    return "another program (not visible to you)"
