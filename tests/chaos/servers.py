"""The servers of the steps' chaos, and the processes in which workers run."""

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psutil
import psycopg

from minidata.errors import PlatformError
from minidata.settings import Settings, load_settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import connect
from operate.embedded.settings import as_environment, embedded_settings
from operate.embedded.state import State
from operate.embedded.supervisor import Supervisor
from tests.chaos.proxy import Proxy

PATIENCE = 60  # seconds in which everything must settle


@dataclass
class Worker:
    """A process with a worker in it, and our end of its pipe."""

    process: Any
    pipe: Any
    point: str = ""
    passed: list[str] = field(default_factory=list)

    def reached(self, seconds: float = 15) -> bool:
        """Wait until it stops at its fault point; false if it ended without passing it."""
        with contextlib.suppress(EOFError):
            told = self.pipe.recv() if self.pipe.poll(seconds) else []
            if isinstance(told, str):
                self.point = told
                return True
            self.passed = told
        return False

    def go_on(self) -> None:
        """Let it go on from its fault point."""
        with contextlib.suppress(OSError):
            self.pipe.send("go on")
        self.signal(signal.SIGCONT)

    def signal(self, number: int) -> None:
        """Send a signal, if it still lives."""
        with contextlib.suppress(psutil.Error):
            psutil.Process(self.process.pid).send_signal(number)

    def join(self, seconds: float = PATIENCE) -> bool:
        """Wait until it has ended, and learn the points that it passed; returns whether it has."""
        with contextlib.suppress(EOFError, OSError):
            deadline = time.monotonic() + seconds
            while not self.passed and self.pipe.poll(max(0, deadline - time.monotonic())):
                told = self.pipe.recv()
                self.passed = self.passed if isinstance(told, str) else told
        self.process.join(seconds)
        return self.process.exitcode is not None


class Servers:
    """PostgreSQL and the object store, for many rounds; workers reach the store through a proxy.

    Args:
        state: of the servers, which run.
        set_variable: puts the settings into this process's environment.
    """

    def __init__(self, state: State, set_variable: Callable[[str, str], object] = os.environ.__setitem__) -> None:
        chosen = {"retry_seconds": 0.0, "lease_seconds": 20.0, "max_attempts": 50}
        self.settings: Settings = embedded_settings(state).model_copy(update=chosen)
        self.proxy = Proxy(state.port("s3"))
        for name, value in as_environment(self.settings).items():
            set_variable(name, value)
        load_settings.cache_clear()
        through = self.settings.model_copy(update={"s3_endpoint": f"http://127.0.0.1:{self.proxy.port}"})
        self.environment = as_environment(through)
        self.supervisor = Supervisor(state)
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(["tests.chaos.worker"])

    def start(self, target: Callable[..., None], *arguments: Any, **options: Any) -> Worker:
        """Start a worker."""
        ours, its = self._processes.Pipe()
        process = self._processes.Process(
            target=target, args=(arguments[0], self.environment, its, *arguments[1:]), kwargs=options, daemon=True
        )
        process.start()
        its.close()
        return Worker(process, ours)

    def processes(self, service: str) -> list[psutil.Process]:
        """Return the processes of a service, the first of them first."""
        pid = self.supervisor.pid(service)
        with contextlib.suppress(psutil.Error):
            first = psutil.Process(pid)
            return [first, *first.children(recursive=True)]
        return []

    def kill(self, service: str) -> None:
        """Kill a service with all of its processes; the supervisor starts it again."""
        for process in self.processes(service):
            with contextlib.suppress(psutil.Error):
                process.kill()

    def wait(self) -> None:
        """Wait until both servers answer."""
        deadline = time.monotonic() + 3 * PATIENCE
        while True:
            try:
                with connect(self.settings, "loader") as loader:
                    loader.execute("delete from mdp.inbox where false")
                store = ObjectStore(self.settings)
                for bucket in ("raw", "staging", "archive", "quarantine"):
                    store.write(bucket, "probe/", b"")
                    store.delete_version(
                        bucket, "probe/", store.client.head_object(Bucket=bucket, Key="probe/").get("VersionId", "null")
                    )
            except (PlatformError, psycopg.Error):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return
