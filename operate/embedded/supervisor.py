"""The supervisor of a platform: it restarts what dies, rotates logs, and outlives the command that started it."""

import resource
import sys
import threading
import time
import xmlrpc.client
from collections.abc import Callable, Collection
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from minidata.errors import PermanentError, TransientError
from operate.embedded import processes
from operate.embedded.files import write_private
from operate.embedded.service import Service
from operate.embedded.state import State
from operate.embedded.supervisor_config import configuration

_POLL_SECONDS = 0.05
_ANSWER_SECONDS = 15
_RESTART_SECONDS = 5
_DESCRIPTORS = 4096
_WAIT, _AT_ONCE = True, False  # whether a call returns only when the process runs or has ended


@dataclass(frozen=True)
class ServiceInfo:
    """What the supervisor knows of a service.

    Attributes:
        name: of the service.
        state: RUNNING, STARTING, BACKOFF, STOPPING, STOPPED, EXITED, FATAL or UNKNOWN.
        pid: of its process, if it has one.
    """

    name: str
    state: str
    pid: int | None


class Supervisor:
    """The supervisor of one platform, running or not."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._given_up = threading.Event()

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

    def launch(self, services: Collection[Service]) -> None:
        """Start the supervisor, or let a running one read the list of services again; no service is started.

        A service that was removed, or is configured differently now, is stopped.

        What a killed supervisor left running is stopped first: it would answer in place of the new services.

        Raises:
            PermanentError: if it does not start, with the end of its log.
        """
        config = self._state.folder / "supervisor.conf"
        write_private(config, configuration(self._state, self.socket, services))
        if self.running():
            self._reload()
            return
        processes.end(processes.find(self._state.folder))
        self._daemonise(config)

    def start(self, name: str) -> bool:
        """Start a service and return at once; a running one is not touched.

        Returns:
            Whether it was started.

        Raises:
            TransientError: if the start was given up.
        """
        self.go_on()
        return self._call("startProcess", name, _AT_ONCE, fine="ALREADY_STARTED") is not None

    def stop(self, name: str) -> None:
        """Stop a service and wait until it has ended; a stopped one is fine."""
        self._call("stopProcess", name, _WAIT, fine="NOT_RUNNING")

    def give_up(self) -> None:
        """Stop every thread from starting a service, or waiting for one."""
        self._given_up.set()

    def info(self) -> list[ServiceInfo]:
        """Return what is known of all services.

        Raises:
            TransientError: if the supervisor does not answer.
        """
        return [
            ServiceInfo(name=item["name"], state=item["statename"], pid=item["pid"] or None)
            for item in self._call("getAllProcessInfo")
        ]

    def pid(self, name: str) -> int | None:
        """Return the process of a service, or None if it has none."""
        return next((info.pid for info in self.info() if info.name == name), None)

    def wait(self, name: str, probe: Callable[[], object], seconds: float) -> None:
        """Wait until a service really works.

        Args:
            name: of the service.
            probe: raises TransientError as long as it does not work.
            seconds: how long to wait at most.

        Raises:
            PermanentError: if the service has failed or the time is over, with the end of its log.
            TransientError: if the start was given up.
        """
        deadline = time.monotonic() + seconds
        ended: float | None = None  # since when; it is usually restarted within a second
        while True:
            self.go_on()
            try:
                probe()
            except TransientError as error:
                info = next((item for item in self.info() if item.name == name), None)
                ended = (ended or time.monotonic()) if info and info.state == "EXITED" else None
                stays_down = ended is not None and time.monotonic() - ended > _RESTART_SECONDS
                if info is None or info.state in {"FATAL", "STOPPED"} or stays_down:
                    raise PermanentError(f"{name} does not start. {self._last_words(name)}") from error
                if time.monotonic() > deadline:
                    raise PermanentError(
                        f"{name} is running, but was not ready after {seconds:.0f} s: {error} {self._last_words(name)}"
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

    def go_on(self) -> None:
        """Raise if the start was given up.

        Raises:
            TransientError: if it was.
        """
        if self._given_up.is_set():
            raise TransientError("The start was given up. Run `./mdp up` again.")

    def _daemonise(self, config: Path) -> None:
        self._state.make_run()
        said = processes.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(config), "--minfds", str(_descriptors())],
            "The supervisor does not start.",
            {
                **processes.clean_environment(self._state.home),
                "PYTHONUTF8": "1",
                **processes.marked(self._state.folder, "supervisor"),
            },
            Path("/"),
        )
        deadline = time.monotonic() + _ANSWER_SECONDS
        while not self.running():
            if time.monotonic() > deadline:
                raise PermanentError(f"The supervisor does not answer: {said} {self._last_words('supervisord')}")
            time.sleep(_POLL_SECONDS)

    def _reload(self) -> None:
        [[added, changed, removed]] = self._call("reloadConfig")
        for name in (*changed, *removed):
            self.stop(name)
            self._call("removeProcessGroup", name)
        for name in (*added, *changed):
            self._call("addProcessGroup", name)

    def _last_words(self, name: str) -> str:
        log = self._state.logs / f"{name}.log"
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        return f"The end of its log, {log}:\n" + "\n".join(text.splitlines()[-15:])

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
            if "SHUTDOWN_STATE" in fault.faultString:
                raise TransientError("The supervisor is shutting down. Wait a moment, then try again.") from fault
            what = " ".join([method, *map(str, arguments)])
            raise PermanentError(f"The supervisor refuses {what}: {fault.faultString}. See `./mdp logs`.") from fault
        except (OSError, HTTPException, xmlrpc.client.ProtocolError) as error:
            raise TransientError(
                f"The supervisor of {self._state.folder} does not answer: {error}. Start it with `./mdp up`."
            ) from error


def _descriptors() -> int:
    """Return how many files the services may have open: enough, or as many as this system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _DESCRIPTORS if most == resource.RLIM_INFINITY else min(most, _DESCRIPTORS)
