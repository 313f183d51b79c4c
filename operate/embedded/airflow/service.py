"""Airflow: its four components as processes, on loopback, with a password file of our own."""

import json
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from importlib.metadata import version
from urllib.parse import quote

from minidata import ledger
from minidata.dataset import declared_datasets
from minidata.errors import TransientError
from minidata.retention import EVENTS
from minidata.settings import PROJECT, Settings
from operate.embedded import loopback, processes
from operate.embedded.airflow import metadata
from operate.embedded.files import write_private
from operate.embedded.packages import SPARK
from operate.embedded.postgres.server import connect_administrator
from operate.embedded.service import PYTHON, Launch, Service
from operate.embedded.settings import as_environment, read_secrets
from operate.embedded.startup_context import StartupContext
from operate.embedded.state import State

USER = "admin"
_SECRETS = ("loader_password", "s3_access_key_id", "s3_secret_access_key", "alerts")  # of tasks and trigger


def start(start: StartupContext, database: "Future[None]") -> None:
    """Start Airflow's components once the database works; their tables are made once for a version."""
    database.result()
    state, installed = start.state, version("apache-airflow-core")
    if start.settings.engine == "spark":
        SPARK.install(start.step(SERVICES[1]), processes.marked(state.folder, processes.ONCE))
    passwords = json.dumps({USER: start.secrets["MDP_AIRFLOW_PASSWORD"]})
    write_private(state.airflow / "passwords.json", passwords)
    if state.platform.airflow_version != installed:
        start.report(SERVICES[0].title, "making its tables")
        migrate(state, start.settings)
        state.remember(airflow_version=installed)
    for service in SERVICES:
        start.run(service)
    for service in SERVICES:
        start.wait(service, partial(_probe, state.port("airflow"), service.name))
        start.report(service.title, None)


def await_trigger(start: StartupContext) -> None:
    """Wait until the trigger listens: from then on an upload is seen within a second."""
    title = "Upload trigger"
    start.report(title, "checking")

    def listens() -> None:
        with connect_administrator(start.settings) as admin:
            query = "select 1 from pg_stat_activity where usename = 'mdp_loader' and query = %s"
            if not admin.execute(query, [f"listen {ledger.CHANNEL}"]).fetchone():
                raise TransientError("The DAG's trigger does not listen yet.")

    start.wait(SERVICES[-1], listens)
    start.report(title, None)


def unpause(start: StartupContext) -> None:
    """Unpause the datasets' DAGs, and say so: a paused one would load nothing."""
    with metadata.connect(start.state, start.settings) as connection:
        for dag in metadata.unpause(connection, list(declared_datasets(start.settings))):
            start.report(f"DAG {dag}", "it was paused: unpausing it")
            start.report(f"DAG {dag}", None)


def environment(state: State, settings: Settings) -> dict[str, str]:
    """Return the variables that all components share: Airflow's configuration, and the settings of the tasks."""
    home, port = state.airflow, state.port("airflow")
    secrets = read_secrets(state)
    password = quote(secrets["MDP_AIRFLOW_DATABASE_PASSWORD"], safe="")
    database = f"airflow:{password}@{settings.database_host}:{settings.database_port}/airflow"
    base = f"http://127.0.0.1:{port}"
    config = {
        ("core", "executor"): "operate.embedded.airflow.executor.PreloadingExecutor",
        ("core", "mp_start_method"): "fork",
        # A finished task keeps its slot for another second.
        ("core", "parallelism"): str(4 * settings.parallel_batches),
        ("core", "dags_folder"): str(PROJECT / "dags"),
        ("core", "plugins_folder"): str(PROJECT / "operate/embedded/airflow/plugins"),
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
        ("api", "enable_swagger_ui"): "False",  # its page loads scripts from another host
        ("api", "secret_key"): secrets["MDP_AIRFLOW_SECRET_KEY"],
        ("api_auth", "jwt_secret"): secrets["MDP_AIRFLOW_JWT_SECRET"],
        # The executor sets the pace of the scheduler, which is quick only while there is work.
        ("scheduler", "scheduler_idle_sleep_time"): "0.001",
        ("workers", "min_heartbeat_interval"): "1",
        # What a killed process leaves behind takes up runs until it is noticed: within a minute, not within five.
        ("scheduler", "scheduler_health_check_threshold"): "20",
        ("scheduler", "orphaned_tasks_check_interval"): "15",
        ("scheduler", "task_instance_heartbeat_timeout"): "60",
        ("dag_processor", "min_file_process_interval"): "60",
        ("dag_processor", "parsing_processes"): "1",
        ("usage_data_collection", "enabled"): "False",
        ("logging", "base_log_folder"): str(home / "logs"),
    }
    config |= {("openlineage", name): value for name, value in _openlineage(settings, state).items()}
    collector = {}
    if settings.otel_endpoint:
        config |= {("metrics", "otel_on"): "True", ("traces", "otel_on"): "True"}
        config["traces", "task_runner_flush_timeout_milliseconds"] = "1000"  # a collector that is away delays no load
        collector = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": settings.otel_endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_TRACES_EXPORTER": "otlp_proto_http",
            "OTEL_SERVICE_NAME": "mini-data-platform",
        }
    return {
        **collector,
        **as_environment(settings, _SECRETS),
        **{f"AIRFLOW__{section.upper()}__{key.upper()}": value for (section, key), value in config.items()},
        "AIRFLOW_HOME": str(home),
        "TMPDIR": str(home / "tmp"),  # what tasks put aside is on the platform's disk
        "MDP_AIRFLOW_DATABASE_URL": f"postgresql+psycopg2://{database}",  # for the retention
        "MDP_AIRFLOW_COOKIE": f"mdp_airflow_{zlib.crc32(bytes(state.folder)):08x}",  # cookies know no port
        "MALLOC_ARENA_MAX": "2",
        # Titles of processes must not overwrite their environment: leftovers are found by its marker.
        "SPT_NOENV": "1",
    }


def _openlineage(settings: Settings, state: State) -> dict[str, str]:
    """Return the configuration of Airflow's OpenLineage provider; a server that is away delays a run by seconds."""
    if settings.openlineage == "off":
        return {"disabled": "True"}
    transport: dict[str, object] = {"type": "http", "url": settings.openlineage, "timeout": 1, "retry": {"total": 0}}
    if settings.openlineage == "file":
        transport = {"type": "file", "log_file_path": str(state.airflow / "logs" / EVENTS), "append": True}
    return {
        "transport": json.dumps(transport),
        "namespace": "mini-data-platform",
        "extractors": "etl.openlineage.StepLineage",
        "disable_source_code": "True",
        "execution_timeout": "3",
    }


def migrate(state: State, settings: Settings) -> None:
    """Make Airflow's own tables, or bring them to the installed version.

    Raises:
        PermanentError: if that fails, with the last lines that it printed.
    """
    processes.run(
        [sys.executable, "-m", "airflow", "db", "migrate"],
        "Airflow could not make its tables.",
        processes.once(state.folder, state.home) | PYTHON | environment(state, settings),
        state.airflow,
    )


def _probe(port: int, name: str) -> None:
    """Check that a component is healthy; the API server's check also warms up what the first task would wait for.

    Raises:
        TransientError: if it is not.
    """
    health = json.loads(loopback.get(port, "/api/v2/monitor/health", "Airflow's API server"))
    if name == API:
        loopback.get(port, "/execution/health", "Airflow's API server")  # its first call takes seconds
    status = health[_HEALTH[name]]["status"]
    if status != "healthy":
        raise TransientError(f"Airflow's {_HEALTH[name]} is {status or 'not started yet'}.")


def _python(settings: Settings) -> dict[str, str]:
    """Return the variables of Python, which finds Spark's client only where it is used."""
    path = [str(PROJECT), *([str(SPARK.folder)] if settings.engine == "spark" else [])]
    return PYTHON | {"PYTHONPATH": ":".join(path)}


def _launcher(name: str, arguments: list[str]) -> Callable[[State, Settings], Launch]:
    def launch(state: State, settings: Settings) -> Launch:
        return Launch(
            argv=[sys.executable, "-m", "airflow", *arguments],
            environment=_python(settings) | environment(state, settings),
            cwd=state.airflow,
            ports={"airflow": state.port("airflow")} if name == API else {},
            prepare=partial((state.airflow / "tmp").mkdir, exist_ok=True),
        )

    return launch


API = "airflow-api"
_HEALTH = {
    API: "metadatabase",
    "airflow-scheduler": "scheduler",
    "airflow-processor": "dag_processor",
    "airflow-triggerer": "triggerer",
}
# The log servers of scheduler and triggerer listen on every interface: they are turned off.
_COMPONENTS = (
    (API, "Airflow API and page", ["api-server"]),
    ("airflow-scheduler", "Airflow scheduler", ["scheduler", "--skip-serve-logs"]),
    ("airflow-processor", "Airflow DAG processor", ["dag-processor"]),
    ("airflow-triggerer", "Airflow triggerer", ["triggerer", "--skip-serve-logs"]),
)
SERVICES = tuple(
    Service(name, title, _launcher(name, arguments), port="airflow" if name == API else "", restart_on_change=True)
    for name, title, arguments in _COMPONENTS
)
