"""The supervisor of a platform: it restarts what dies, rotates logs, and outlives the command that started it."""

import os
import re
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from minidata.errors import PermanentError, PlatformError, TransientError
from minidata.settings import PROJECT
from operate.embedded import processes
from operate.embedded.state import State

_LOG_BYTES = 10 * 2**20
_POLL_SECONDS = 0.05
_ANSWER_SECONDS = 15
_WAIT, _AT_ONCE = True, False  # whether a call returns only when the process runs or has ended


@dataclass(frozen=True)
class Program:
    """A service under supervision; its name is also that of its launcher in `operate.embedded.service`.

    Attributes:
        name: of the service.
        stop_signal: the polite signal, without SIG.
        stop_seconds: how long it may take to stop before it is killed.
        stop_group: whether its children get the polite signal as well.
        start_retries: how often a start is tried again before the service counts as failed.
    """

    name: str
    stop_signal: str = "TERM"
    stop_seconds: int = 10
    stop_group: bool = True
    start_retries: int = 5


@dataclass(frozen=True)
class ServiceInfo:
    """What the supervisor knows of a service.

    Attributes:
        name: of the service.
        state: RUNNING, STARTING, BACKOFF, STOPPING, STOPPED, EXITED, FATAL or UNKNOWN.
        pid: of its process, if it has one.
        seconds: since it was started, if it runs.
    """

    name: str
    state: str
    pid: int | None
    seconds: float | None


class Supervisor:
    """The supervisor of one platform, running or not."""

    def __init__(self, state: State) -> None:
        self._state = state

    @property
    def socket(self) -> Path:
        """The unix socket of its control channel, 0600."""
        return self._state.run / "supervisor.sock"

    def running(self) -> bool:
        """Tell whether it answers."""
        try:
            return bool(self._call("getState")["statename"] == "RUNNING")
        except TransientError:
            return False

    def launch(self, programs: Sequence[Program]) -> None:
        """Start the supervisor, or let a running one take over a changed list; no service is started.

        What a killed supervisor left running is stopped first: it would answer in place of the new services.

        Raises:
            PermanentError: if it does not come up, with its last words.
        """
        config = self._state.folder / "supervisor.conf"
        new = configuration(self._state, self.socket, programs)
        old = config.read_text(encoding="utf-8") if config.exists() else None
        if new != old:
            config.touch(mode=0o600)
            config.write_text(new, encoding="utf-8")
        if self.running():
            if new != old:
                self._reload()
            return
        processes.end(processes.find(self._state.folder))
        self._daemonise(config)

    def start(self, name: str) -> None:
        """Start a service and return at once; a running one stays as it is."""
        self._call("startProcess", name, _AT_ONCE, fine="ALREADY_STARTED")

    def stop(self, name: str) -> None:
        """Stop a service and wait until it has ended; a stopped one is fine."""
        self._call("stopProcess", name, _WAIT, fine="NOT_RUNNING")

    def info(self) -> list[ServiceInfo]:
        """Return what is known of all services.

        Raises:
            TransientError: if the supervisor does not answer.
        """
        return [
            ServiceInfo(
                name=item["name"],
                state=item["statename"],
                pid=item["pid"] or None,
                seconds=float(item["now"] - item["start"]) if item["pid"] else None,
            )
            for item in self._call("getAllProcessInfo")
        ]

    def wait(self, name: str, probe: Callable[[], object], seconds: float) -> None:
        """Wait until a service really works.

        Args:
            name: of the service.
            probe: raises TransientError as long as it does not work.
            seconds: how long to wait at most.

        Raises:
            PermanentError: if the service has failed or the time is over, with the end of its log.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                probe()
            except TransientError as error:
                info = next((item for item in self.info() if item.name == name), None)
                if info is None or info.state in {"FATAL", "EXITED", "STOPPED"}:
                    raise PermanentError(f"{name} does not start. {self._last_words(name)}") from error
                if time.monotonic() > deadline:
                    raise PermanentError(
                        f"{name} runs, but does not work after {seconds:.0f} s: {error} {self._last_words(name)}"
                    ) from error
                time.sleep(_POLL_SECONDS)
            else:
                return

    def shutdown(self, seconds: float = 60) -> None:
        """Stop all services and the supervisor, and whatever a killed supervisor left running.

        Raises:
            PermanentError: if a process survives even SIGKILL.
        """
        if self.running():
            self._call("shutdown")
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline and processes.find(self._state.folder, "supervisor"):
                time.sleep(_POLL_SECONDS)
        processes.end(processes.find(self._state.folder))

    def log(self, name: str) -> Path:
        """Return the log file of a service."""
        return self._state.logs / f"{name}.log"

    def _daemonise(self, config: Path) -> None:
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self._state.home),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONUTF8": "1",
            processes.MARKER: processes.marker(self._state.folder, "supervisor"),
        }
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)],
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        deadline = time.monotonic() + _ANSWER_SECONDS
        while done.returncode == 0 and time.monotonic() < deadline:
            if self.running():
                return
            time.sleep(_POLL_SECONDS)
        raise PermanentError(f"The supervisor does not start: {done.stdout.strip()} {self._last_words('supervisord')}")

    def _reload(self) -> None:
        [[added, changed, removed]] = self._call("reloadConfig")
        for name in (*changed, *removed):
            self.stop(name)
            self._call("removeProcessGroup", name)
        for name in (*added, *changed):
            self._call("addProcessGroup", name)

    def _last_words(self, name: str) -> str:
        try:
            lines = self.log(name).read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        except OSError:
            lines = []
        return f"The end of its log, {self.log(name)}:\n" + "\n".join(lines)

    def _call(self, method: str, *arguments: object, fine: str = "") -> Any:
        proxy = xmlrpc.client.ServerProxy(
            "http://127.0.0.1", transport=SupervisorTransport(None, None, f"unix://{self.socket}")
        )
        try:
            with proxy:
                return getattr(proxy.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fine and fine in fault.faultString:
                return None
            raise _explained(method, arguments, fault) from fault
        except (OSError, HTTPException, xmlrpc.client.ProtocolError) as error:
            raise TransientError(
                f"The supervisor of {self._state.folder} does not answer: {error}. Start it with `./mdp up`."
            ) from error


def configuration(state: State, socket: Path, programs: Sequence[Program]) -> str:
    """Write supervisor's configuration; it holds no secret, for each launcher reads its own.

    Raises:
        PermanentError: if a path cannot be written in such a file.
    """
    sections = [
        f"[unix_http_server]\nfile={_path(socket)}\nchmod=0600",
        f"[supervisord]\nlogfile={_path(state.logs / 'supervisord.log')}\nlogfile_maxbytes={_LOG_BYTES}\n"
        f"logfile_backups=2\npidfile={_path(socket.with_name('supervisord.pid'))}\numask=077\n"
        f"childlogdir={_path(state.logs)}\nidentifier=mdp" + ("\nuser=root" if os.geteuid() == 0 else ""),
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for program in programs:
        launcher = [
            sys.executable,
            "-m",
            "operate.embedded.service",
            program.name,
            "--state",
            str(state.folder),
        ]
        sections.append(
            f"[program:{program.name}]\ncommand={_escaped(shlex.join(launcher))}\ndirectory={_path(PROJECT)}\n"
            f"autostart=false\nautorestart=true\nstartsecs=1\nstartretries={program.start_retries}\n"
            f"stopsignal={program.stop_signal}\nstopwaitsecs={program.stop_seconds}\n"
            f"stopasgroup={str(program.stop_group).lower()}\nkillasgroup=true\nredirect_stderr=true\n"
            # supervisor expands this one value twice
            f"stdout_logfile={_escaped(_path(state.logs / f'{program.name}.log'))}\n"
            f"stdout_logfile_maxbytes={_LOG_BYTES}\nstdout_logfile_backups=2"
        )
    return "\n\n".join(sections) + "\n"


def _path(path: Path) -> str:
    return _escaped(str(path))


def _escaped(text: str) -> str:
    """Escape text for a value: `%` begins an expansion; a comment, once begun, cannot be escaped at all."""
    if re.search(r"\s[;#]|[\r\n]|%\(here\)s", text):
        raise PermanentError(
            f"The path in `{text}` holds a line break, or a blank before `;` or `#`, which the supervisor's "
            "configuration cannot express. Move the folder, or choose another with --state."
        )
    return text.replace("%", "%%")


def _explained(method: str, arguments: tuple[object, ...], fault: xmlrpc.client.Fault) -> PlatformError:
    if "SHUTDOWN_STATE" in fault.faultString:
        return TransientError("The supervisor is shutting down. Wait a moment, then try again.")
    what = " ".join([method, *map(str, arguments)])
    return PermanentError(f"The supervisor refuses {what}: {fault.faultString}. See `./mdp logs`.")
