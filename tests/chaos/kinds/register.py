"""The register of the kinds of chaos, and what several of them do."""

import contextlib
import resource
import time
from collections.abc import Callable, Iterable

import psutil

from tests.chaos.arena import Round

KINDS: dict[str, Callable[[Round], None]] = {}
_UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def kind(name: str) -> Callable[[Callable[[Round], None]], Callable[[Round], None]]:
    """Register what happens in a round of a kind."""

    def register(happen: Callable[[Round], None]) -> Callable[[Round], None]:
        KINDS[name] = happen
        return happen

    return register


def each(processes: Iterable[psutil.Process], act: Callable[[psutil.Process], object]) -> None:
    """Do something with every process that still lives."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            act(process)


def without_space(world: Round, service: str, meanwhile: Callable[[], object]) -> None:
    """Let every write to a file fail in the processes of a service, as on a full disk, for a second."""
    found = world.servers.processes(service)
    each(found, lambda process: process.rlimit(psutil.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY)))
    meanwhile()
    time.sleep(1)
    each(found, lambda process: process.rlimit(psutil.RLIMIT_FSIZE, _UNLIMITED))
