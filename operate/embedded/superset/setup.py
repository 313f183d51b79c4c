"""The set-up of Superset's database: each step done once, and remembered in that database itself."""

import contextlib
import hashlib
import hmac
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import psycopg

from bi.definition import read_dashboards
from bi.plan import Plan
from bi.superset import apply
from minidata.settings import PROJECT, Settings
from minidata.warehouse.catalogue import read_catalogue
from minidata.warehouse.databases import create_app_database
from operate.embedded import loopback, processes
from operate.embedded.postgres.server import connect_administrator
from operate.embedded.rotation import PREVIOUS_KEY, forget_previous_key
from operate.embedded.settings import read_secrets
from operate.embedded.startup_context import StartupContext
from operate.embedded.state import State
from operate.embedded.superset import environment, service

_SCRIPT = PROJECT / service.INSIDE / "first_run.py"
_SAYS = "mdp: "


def start(start: StartupContext, database: "Future[None]") -> None:
    """Install Superset if it is missing, set up its database, start it, and draw the dashboards in it."""
    state, report = start.state, start.step(service.SERVICE)
    environment.SUPERSET.install(report, processes.marked(state.folder, processes.ONCE))
    database.result()
    with connect_administrator(start.settings) as admin:
        create_app_database(admin, service.DATABASE, start.secrets["MDP_SUPERSET_DATABASE_PASSWORD"])
    if set_up(state, start.settings, report):
        start.supervisor.stop(service.NAME)  # a running one has another version, or knows another password
    start.run(service.SERVICE)
    start.wait(service.SERVICE, lambda: loopback.get(state.port(service.NAME), "/health", "Superset"))
    report("applying the dashboards")
    publish(state, start.settings)
    start.report(service.SERVICE.title, None)


def publish(state: State, settings: Settings) -> Plan:
    """Apply the dashboards, unless the last apply sent the same definitions: changes by hand are kept then.

    Args:
        state: the platform, whose Superset must run.
        settings: how it reaches the warehouse.

    Returns:
        What was done.

    Raises:
        PermanentError: if a definition is wrong, or Superset refuses.
        TransientError: if Superset does not answer.
    """
    dashboards, views = read_dashboards(datasets=settings.datasets_folder), read_catalogue(settings.datasets_folder)
    return apply(service.target(state, settings), dashboards, views, keep_edits=True)


def set_up(state: State, settings: Settings, report: Callable[[str], None]) -> bool:
    """Make Superset's tables, roles and administrator, unless that was done for this very version and password.

    Args:
        state: the platform, whose server must have Superset's database.
        settings: where PostgreSQL is.
        report: told what is being done, in a few words.

    Returns:
        Whether there was anything to do.

    Raises:
        PermanentError: if it fails, with the last lines that it printed; what it made so far does no harm.
    """
    secrets = read_secrets(state)
    password = secrets["MDP_SUPERSET_PASSWORD"]
    script = hashlib.sha256(_SCRIPT.read_bytes()).hexdigest()
    with once(state, settings, "tables", f"{environment.SUPERSET.folder.name} {script} {password}") as wanted:
        if wanted:
            report("setting up its database")
            _run(state, settings, secrets, report)
    forget_previous_key(state)
    return wanted


@contextlib.contextmanager
def once(state: State, settings: Settings, step: str, version: str) -> Iterator[bool]:
    """Tell whether a step must be done, and remember it as done when the block ends without an error.

    Args:
        state: the platform.
        settings: where PostgreSQL is.
        step: its name.
        version: the step is done again when it changes; it may hold secrets: only a keyed digest is kept.
    """
    secrets = read_secrets(state)
    digest = hmac.digest(secrets["MDP_SUPERSET_SECRET_KEY"].encode(), version.encode(), "sha256").hex()
    with _connect(settings, secrets["MDP_SUPERSET_DATABASE_PASSWORD"]) as connection:
        connection.execute("create table if not exists mdp_setup (step text primary key, version text not null)")
        found = connection.execute("select 1 from mdp_setup where (step, version) = (%s, %s)", [step, digest])
        wanted = found.fetchone() is None
        yield wanted
        if wanted:
            connection.execute(
                "insert into mdp_setup values (%s, %s) on conflict (step) do update set version = excluded.version",
                [step, digest],
            )


def _connect(settings: Settings, password: str) -> psycopg.Connection[tuple[object, ...]]:
    """Connect to Superset's own database, as its role."""
    return psycopg.connect(
        host=settings.database_host,
        port=settings.database_port,
        dbname=service.DATABASE,
        user=service.DATABASE,
        password=password,
        sslmode=settings.database_tls,
        autocommit=True,
    )


def _run(state: State, settings: Settings, secrets: dict[str, str], report: Callable[[str], None]) -> None:
    def heard(line: str) -> None:
        if line.startswith(_SAYS):
            report(line.removeprefix(_SAYS).strip())

    state.home.mkdir(mode=0o700, exist_ok=True)
    processes.run(
        processes.in_background([str(environment.python()), "-P", str(_SCRIPT)]),
        "Superset could not make its tables and roles.",
        {
            **processes.once(state.folder, state.home),
            **service.environment(state, settings),
            "MDP_SUPERSET_USER": service.USER,
            "MDP_SUPERSET_PASSWORD": secrets["MDP_SUPERSET_PASSWORD"],
            PREVIOUS_KEY: secrets.get(PREVIOUS_KEY, ""),
            # Thousands of small transactions; if the machine stops now, the set-up is done again anyway.
            "PGOPTIONS": "-c synchronous_commit=off",
        },
        state.home,
        heard=heard,
    )
