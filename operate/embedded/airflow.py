"""Airflow without Docker: its four components as processes, on loopback, with a password file of our own."""

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

from minidata.errors import PermanentError, TransientError
from minidata.settings import PROJECT, Settings
from operate.embedded import processes
from operate.embedded.secrets import read_secrets
from operate.embedded.settings import as_environment, secrets_file
from operate.embedded.state import State

API = "airflow-api"
MIGRATION = "airflow-migration"
COMPONENTS = {
    API: ["api-server"],
    # The log servers of scheduler and triggerer listen on every interface: they stay off.
    "airflow-scheduler": ["scheduler", "--skip-serve-logs"],
    "airflow-processor": ["dag-processor"],
    "airflow-triggerer": ["triggerer", "--skip-serve-logs"],
}
USER = "admin"
SECRETS = ("loader_password", "s3_access_key_id", "s3_secret_access_key")  # of tasks and trigger


def command(component: str) -> list[str]:
    """Return the command line of a component."""
    return [sys.executable, "-m", "airflow", *COMPONENTS[component]]


def environment(state: State, settings: Settings) -> dict[str, str]:
    """Return the variables that all components share: Airflow's configuration, and the settings of the tasks."""
    home, port = state.airflow, state.port("airflow")
    secrets = read_secrets(secrets_file(state))
    password = quote(secrets["MDP_AIRFLOW_DATABASE_PASSWORD"], safe="")
    database = f"airflow:{password}@{settings.database_host}:{settings.database_port}/airflow"
    base = f"http://127.0.0.1:{port}"
    config = {
        ("core", "executor"): "operate.embedded.executor.PreloadingExecutor",
        ("core", "mp_start_method"): "fork",
        ("core", "parallelism"): "4",
        ("core", "dags_folder"): str(PROJECT / "dags"),
        ("core", "plugins_folder"): str(home / "plugins"),
        ("core", "load_examples"): "False",
        ("core", "execution_api_server_url"): f"{base}/execution/",
        ("core", "simple_auth_manager_users"): f"{USER}:admin",
        ("core", "simple_auth_manager_passwords_file"): str(home / "passwords.json"),
        ("database", "sql_alchemy_conn"): f"postgresql+psycopg2://{database}",
        ("database", "sql_alchemy_conn_async"): f"postgresql+asyncpg://{database}",
        ("api", "host"): "127.0.0.1",
        ("api", "port"): str(port),
        ("api", "workers"): "1",
        ("api", "base_url"): base,
        ("api", "secret_key"): secrets["MDP_AIRFLOW_SECRET_KEY"],
        ("api_auth", "jwt_secret"): secrets["MDP_AIRFLOW_JWT_SECRET"],
        # The gap between two tasks and the time that a finished one keeps its slot: 5.5 s a run become 1.9 s.
        ("scheduler", "scheduler_idle_sleep_time"): "0.1",
        ("workers", "min_heartbeat_interval"): "1",
        # What a killed process leaves behind is noticed within a minute, not within five: until then it takes up runs.
        ("scheduler", "scheduler_health_check_threshold"): "20",
        ("scheduler", "orphaned_tasks_check_interval"): "15",
        ("scheduler", "task_instance_heartbeat_timeout"): "60",
        ("dag_processor", "min_file_process_interval"): "60",
        ("dag_processor", "parsing_processes"): "1",
        ("usage_data_collection", "enabled"): "False",
        ("logging", "base_log_folder"): str(home / "logs"),
    }
    return {
        **as_environment(settings, SECRETS),
        **{f"AIRFLOW__{section.upper()}__{key.upper()}": value for (section, key), value in config.items()},
        "AIRFLOW_HOME": str(home),
        "MALLOC_ARENA_MAX": "2",
        # Titles of processes must not overwrite their environment: by its marker leftovers are found.
        "SPT_NOENV": "1",
    }


def migrate(state: State, settings: Settings) -> None:
    """Make Airflow's own tables, or bring them to the installed version.

    Raises:
        PermanentError: if that fails, with its last words.
    """
    done = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(state.home), "LANG": "C.UTF-8", "PYTHONPATH": str(PROJECT)}
        | environment(state, settings)
        | {processes.MARKER: processes.marker(state.folder, MIGRATION)},
        cwd=state.airflow,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # out of Ctrl-C's reach: interrupted, it reports success
    )
    if done.returncode:
        raise PermanentError(f"Airflow could not make its tables:\n{(done.stdout + done.stderr)[-2000:]}")


def kill_migration(state: State) -> None:
    """Kill a migration that runs: `migrate`, which waits for it, then fails. The next start takes it up again."""
    for process in processes.find(state.folder, MIGRATION):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def write_passwords(home: Path, password: str) -> None:
    """Write the password file of the simple auth manager, readable by its owner only."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = home / "passwords.json"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        json.dump({USER: password}, stream)


@dataclass(frozen=True)
class Probe:
    """Sees that a component is alive; raises TransientError as long as it is not.

    The API server's also warms up what the first task would wait for.
    """

    port: int
    component: str

    def __call__(self) -> None:
        """Look once."""
        try:
            health = _get(self.port, "/api/v2/monitor/health")
            if self.component == API:
                _get(self.port, "/execution/health")  # its first call costs seconds
        except (OSError, ValueError) as error:
            raise TransientError(f"Airflow's API server on port {self.port} does not answer: {error}") from error
        part = _HEALTH[self.component]
        status = health[part]["status"]
        if status != "healthy":
            raise TransientError(f"Airflow's {part} is {status or 'not there yet'}.")


_HEALTH = {
    API: "metadatabase",
    "airflow-scheduler": "scheduler",
    "airflow-processor": "dag_processor",
    "airflow-triggerer": "triggerer",
}


def _get(port: int, path: str) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return json.load(answer)
