"""What a service is: how it is launched, and how it is stopped."""

import hashlib
import pwd
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from minidata.settings import PROJECT
from minidata.warehouse.__main__ import Administration
from operate.embedded import processes
from operate.embedded.state import State

Report = Callable[[str, str | None], None]  # takes a title, and what is being done there; None is done
FINGERPRINT = "MDP_LAUNCH"  # variable with a digest of what a service was started with
PYTHON = {"PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1", "PYTHONNOUSERSITE": "1", "PYTHONUTF8": "1"}


@dataclass(frozen=True)
class Launch:
    """How a service is started.

    Attributes:
        argv: the program, by its full path, and its arguments.
        environment: its variables besides `clean_environment`.
        cwd: its working folder.
        user: the system user to become, if not our own.
        ports: its ports by name; no other program may hold them.
        writes: a folder on the disk that it needs space on, if any: it is started once there is some.
        prepare: what to do once leftovers of an earlier run are gone, still as our own user.
        hides: whether its children overwrite their environment, so that only their working folder tells them.
    """

    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = PROJECT
    user: pwd.struct_passwd | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    writes: Path | None = None
    prepare: Callable[[], object] = lambda: None
    hides: bool = False

    @property
    def fingerprint(self) -> str:
        """A digest of the command line and the variables."""
        return hashlib.sha256(repr((list(self.argv), sorted(self.environment.items()))).encode()).hexdigest()


@dataclass(frozen=True)
class Service:
    """A service under supervision.

    Attributes:
        name: in the command, in the supervisor and of its log.
        title: what a person calls it.
        launch: tells how to start it, from the platform's own files.
        port: name of the port that clients use, if it has one.
        restart_on_change: whether it reads settings only at its start, so that changed ones restart it.
        stop_signal: the polite signal, without SIG.
        stop_seconds: how long it may take to stop before it is killed.
        stop_group: whether its children get the polite signal too.
    """

    name: str
    title: str
    launch: Callable[[State, Administration], Launch]
    port: str = ""
    restart_on_change: bool = False
    stop_signal: str = "TERM"
    stop_seconds: int = 10
    stop_group: bool = True

    def environment(self, state: State, started: Launch) -> dict[str, str]:
        """Return all variables that it is started with."""
        return {
            **processes.clean_environment(state.home),
            **started.environment,
            **processes.marked(state.folder, self.name),
            FINGERPRINT: started.fingerprint,
        }

    def differs(self, pid: int, state: State, settings: Administration) -> bool:
        """Tell whether the running process was started with other settings than it would be now."""
        try:
            had: dict[str, str] = psutil.Process(pid).environ()
        except psutil.NoSuchProcess:
            return False
        return had.get(FINGERPRINT) != self.launch(state, settings).fingerprint
