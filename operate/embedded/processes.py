"""Processes of a platform, found by the marker in their environment: no pid file can lie about them."""

import os
import shutil
import signal
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

from minidata.errors import PermanentError

MARKER = "MDP_SERVICE"
_KILL_SECONDS = 5


def marker(state: Path, service: str) -> str:
    """Return the value of the marker variable for a service of the platform in a folder."""
    return f"{state}:{service}"


def find(state: Path, service: str | None = None, cwd: Path | None = None) -> list[psutil.Process]:
    """Find the living processes of a platform, or of one of its services.

    Args:
        state: the platform's folder.
        service: one service, if not all of them.
        cwd: where processes named like the service stand that hide their environment: PostgreSQL's children do.
    """
    place = None if cwd is None else os.path.realpath(cwd)
    found = []
    for process in psutil.process_iter():
        try:
            folder, _, name = process.environ().get(MARKER, "").rpartition(":")
            if (folder == str(state) and service in {None, name}) or (
                place and process.name() == service and process.cwd() == place
            ):
                found.append(process)
        except (psutil.Error, OSError):
            continue  # ended meanwhile, or somebody else's, which is no process of ours
    return [process for process in found if process.pid != os.getpid() and _alive(process)]


def end(processes: Iterable[psutil.Process], stop_signal: int = signal.SIGINT, seconds: float = 3.0) -> None:
    """Ask processes to stop, wait, then kill what is left.

    Args:
        processes: which.
        stop_signal: the polite signal; INT is one to all of them, while TERM lets PostgreSQL wait for clients.
        seconds: how long to wait after it.

    Raises:
        PermanentError: if one survives SIGKILL.
    """
    asked = list(processes)
    for process in asked:
        _signal(process, stop_signal)
    _, left = psutil.wait_procs(asked, timeout=seconds)
    for process in left:
        _signal(process, signal.SIGKILL)
    _, left = psutil.wait_procs(left, timeout=_KILL_SECONDS)
    stuck = [process for process in left if _alive(process)]
    if stuck:
        names = ", ".join(f"{process.name()} (pid {process.pid})" for process in stuck)
        raise PermanentError(
            f"{names} survive SIGKILL: they hang in the kernel, mostly on a disk that does not answer. "
            "Look there, or restart the machine."
        )


def in_background(command: Sequence[str], niceness: int = 10) -> list[str]:
    """Return a command that gives way to whatever else wants the processor, the more the nicer it is."""
    nice = shutil.which("nice", path="/usr/bin:/bin")
    return [nice, "-n", str(niceness), *command] if nice else list(command)


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
