"""Programs and processes of a platform: run to their end, or found by the marker in their environment.

No pid file is needed, so none can be wrong.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from minidata.errors import PermanentError

MARKER = "MDP_SERVICE"
ONCE = "once"  # in place of a service's name: programs that a start runs to their end
_KILL_SECONDS = 5
_LAST_LINES = 20


def clean_environment(home: Path) -> dict[str, str]:
    """Return the variables that every program of a platform has; nothing is inherited."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8", "TZ": "UTC"}


def marked(state: Path, service: str) -> dict[str, str]:
    """Return the variable that marks the processes of a service of the platform in a folder."""
    return {MARKER: f"{state}:{service}"}


def once(state: Path, home: Path) -> dict[str, str]:
    """Return the variables of a program that a start runs to its end: `kill_once` finds it if the start is killed."""
    return clean_environment(home) | marked(state, ONCE)


def find(state: Path, service: str | None = None, cwd: Path | None = None) -> list[psutil.Process]:
    """Find the living processes of a platform, or of one of its services.

    Args:
        state: the platform's folder.
        service: one service, if not all of them.
        cwd: working folder of processes that have the service's name and hide their environment, as PostgreSQL's
            children do.
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
            continue  # it has ended, or belongs to another user
    return [process for process in found if process.pid != os.getpid() and _alive(process)]


def end(processes: Iterable[psutil.Process], seconds: float = 3.0) -> None:
    """Ask processes to stop, wait so many seconds, then kill those that still run.

    Raises:
        PermanentError: if one survives SIGKILL.
    """
    asked = list(processes)
    for process in asked:
        _signal(process, signal.SIGINT)  # TERM would let PostgreSQL wait for its clients
    _, left = psutil.wait_procs(asked, timeout=seconds)
    for process in left:
        _signal(process, signal.SIGKILL)
    _, left = psutil.wait_procs(left, timeout=_KILL_SECONDS)
    stuck = [process for process in left if _alive(process)]
    if stuck:
        names = ", ".join(f"{process.name()} (pid {process.pid})" for process in stuck)
        raise PermanentError(
            f"{names} survive SIGKILL: they hang in the kernel, usually on a disk that does not answer. "
            "Check the disk, or restart the machine."
        )


def kill_once(state: Path) -> None:
    """Kill the programs that a start runs to their end: the callers of `run` get an error."""
    for process in find(state, ONCE):
        _signal(process, signal.SIGKILL)


def run(
    command: Sequence[str],
    failure: str,
    environment: Mapping[str, str],
    cwd: Path,
    *,
    user: pwd.struct_passwd | None = None,
    heard: Callable[[str], None] = lambda _: None,
    seconds: float | None = None,
) -> str:
    """Run a program to its end, in a session of its own: Ctrl-C does not reach it, an error here kills its children.

    Args:
        command: the program and its arguments.
        failure: what its failure means and how to fix it, in sentences.
        environment: all its variables.
        cwd: its working folder.
        user: the system user that it runs as, if not our own.
        heard: called with each line that it prints; it may raise to end the program.
        seconds: how long it may take.

    Returns:
        What it printed.

    Raises:
        PermanentError: if it cannot be run, fails or takes too long, with the last lines that it printed.
    """
    lines: list[str] = []
    try:
        with subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            **as_user(user),
        ) as process:
            limit = threading.Timer(seconds or threading.TIMEOUT_MAX, _kill_group, [process.pid])
            limit.daemon = True
            limit.start()
            try:
                for line in process.stdout or ():
                    lines.append(line.rstrip())
                    heard(lines[-1])
                process.wait()
            except BaseException:
                _kill_group(process.pid)
                raise
            finally:
                limit.cancel()
    except OSError as error:
        raise PermanentError(f"{failure} {command[0]}: {error}") from error
    if process.returncode:
        said = "\n".join(lines[-_LAST_LINES:])
        raise PermanentError(f"{failure} {Path(command[0]).name} ended with {process.returncode}:\n{said}")
    return "\n".join(lines)


def as_user(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """Return the arguments of `subprocess` that run a child as a system user; None is our own."""
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def in_background(command: Sequence[str], niceness: int = 10) -> list[str]:
    """Prefix a command with `nice`, if the system has it."""
    nice = shutil.which("nice", path="/usr/bin:/bin")
    return [nice, "-n", str(niceness), *command] if nice else list(command)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _signal(process: psutil.Process, number: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
