"""The ordered start: each service once what it needs has been seen to work, and side by side where it can."""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version

from minidata.dataset import read_datasets
from minidata.errors import TransientError
from minidata.events.inbox import CHANNEL
from minidata.settings import Settings
from minidata.warehouse.connection import connect
from minidata.warehouse.mart import apply_mart
from minidata.warehouse.migrate import apply_datasets, create_roles, create_warehouse, migrate
from operate.embedded import airflow, buckets, object_store, postgres, processes
from operate.embedded.doors import require_closed
from operate.embedded.object_store import Buckets, Identities, Identity
from operate.embedded.ports import choose_ports, require_free
from operate.embedded.preflight import require_machine, require_secrets
from operate.embedded.secrets import make_secrets, read_secrets
from operate.embedded.service import PROGRAMS
from operate.embedded.settings import embedded_settings, secrets_file, settings_in_environment
from operate.embedded.state import State
from operate.embedded.supervisor import Supervisor

PORTS = ("postgres", "master", "volume", "filer", "s3", "airflow")
TITLES = {
    "postgres": "PostgreSQL",
    "object-store": "SeaweedFS (S3)",
    "relay": "Event relay",
    "airflow-api": "Airflow API and page",
    "airflow-scheduler": "Airflow scheduler",
    "airflow-processor": "Airflow DAG processor",
    "airflow-triggerer": "Airflow triggerer",
    "simulator": "Simulator",
}
_PROBE_SECONDS = 300

# Told of each service: its title, and what it is doing now; None when it is ready.
Report = Callable[[str, str | None], None]


@dataclass(frozen=True)
class Start:
    """One start of a platform."""

    state: State
    settings: Settings
    secrets: dict[str, str]
    supervisor: Supervisor
    report: Report


def start_platform(state: State, report: Report, *, simulator: bool = True) -> None:
    """Bring every service of a platform up; one that runs already is only looked at.

    Args:
        state: its folder.
        report: told what happens.
        simulator: whether to start the simulator too, and wait for its first rows.

    Raises:
        PermanentError: if something must be mended first; what has been started goes on running.
        KeyboardInterrupt: if the user stops it; what has been started is stopped again.
    """
    with state.exclusive(), _taken_back(state, report):
        start = _prepare(state, report)
        wanted = [name for name in TITLES if simulator or name != "simulator"]
        state.remember(services=wanted)
        with _side_by_side(start) as pool:
            database = pool.submit(_start_database, start)
            objects = pool.submit(_start_objects, start)
            pipeline = pool.submit(_start_airflow, start, database)
            relay = pool.submit(_start_relay, start, database, objects)
            for part in (database, objects, pipeline, relay):
                part.result()
        _await_trigger(start)
        if simulator:
            _start_simulator(start)


def start_servers(state: State, report: Report) -> None:
    """Bring up only what holds data: PostgreSQL with the warehouse, and the object store with its buckets.

    Raises:
        PermanentError: if something must be mended first.
    """
    with state.exclusive(), _taken_back(state, report):
        start = _prepare(state, report)
        with _side_by_side(start) as pool:
            for part in (pool.submit(_start_database, start), pool.submit(_start_objects, start)):
                part.result()


@contextmanager
def _taken_back(state: State, report: Report) -> Iterator[None]:
    """Stop what was started if the user interrupts: nothing is left half-started."""
    supervisor = Supervisor(state)
    ran = {info.name for info in supervisor.info() if info.pid} if supervisor.running() else set()
    try:
        yield
    except KeyboardInterrupt:
        _stop(state, report, keep=ran)
        raise


@contextmanager
def _side_by_side(start: Start) -> Iterator[ThreadPoolExecutor]:
    """Run parts at the same time; once one has failed, or the user interrupts, the others do not go on."""
    with ThreadPoolExecutor() as pool:
        try:
            yield pool
        except BaseException:
            start.supervisor.give_up()
            airflow.kill_migration(start.state)
            raise


def _prepare(state: State, report: Report) -> Start:
    """Make secrets and ports where they are missing, and see that the supervisor runs."""
    require_machine(state)
    require_secrets(state)
    make_secrets(secrets_file(state))
    state.choose_settings(settings_in_environment())
    ports = choose_ports(state, PORTS)
    supervisor = Supervisor(state)
    if not supervisor.running():
        # What a killed supervisor left behind would hold the ports and the data.
        report("Supervisor", "looks for leftovers")
        processes.end(processes.find(state.folder))
        require_free({name: ports[name] for name in PORTS})
    supervisor.launch(PROGRAMS)
    report("Supervisor", None)
    return Start(state, embedded_settings(state), read_secrets(secrets_file(state)), supervisor, report)


def _start_database(start: Start) -> None:
    title, password = TITLES["postgres"], start.secrets["MDP_ADMIN_PASSWORD"]
    start.report(title, "starting")
    target = postgres.server(start.state)
    if postgres.initialise(target, password):
        start.report(title, "made its data folder")
    start.supervisor.start("postgres")
    start.supervisor.wait("postgres", lambda: postgres.probe(target.port, password), _PROBE_SECONDS)
    with postgres.connect_administrator(target.port, password) as admin:
        create_roles(admin, start.settings)
        airflow.create_database(admin, start.secrets["MDP_AIRFLOW_DATABASE_PASSWORD"])
        create_warehouse(admin, start.settings)
    with connect(start.settings, "owner") as owner:
        migrate(owner)
        apply_datasets(owner, read_datasets(start.settings.datasets_folder).values())
        apply_mart(owner)
    start.report(title, None)


def _start_objects(start: Start) -> None:
    title, settings = TITLES["object-store"], start.settings
    start.report(title, "starting")
    names = Buckets(settings.raw_bucket, settings.staging_bucket, settings.archive_bucket, settings.quarantine_bucket)
    people = Identities(
        admin=_identity(start, "admin", "MDP_S3_ADMIN"),
        etl=_identity(start, "etl", "MDP_S3"),
        generator=_identity(start, "generator", "MDP_GENERATOR"),
    )
    object_store.write_config(start.state.weed, people, names)
    start.supervisor.start("object-store")
    client = buckets.connect(settings.s3_endpoint, people.admin)

    def works() -> None:
        buckets.prepare(client, names)
        buckets.probe(client, names.staging)  # never in raw: whatever lies there is taken for a snapshot

    start.supervisor.wait("object-store", works, _PROBE_SECONDS)
    require_closed(start.state)
    start.report(title, None)


def _identity(start: Start, name: str, prefix: str) -> Identity:
    key, secret = (start.secrets[f"{prefix}_{part}"] for part in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"))
    return Identity(name, key, secret)


def _start_airflow(start: Start, database: "Future[None]") -> None:
    database.result()
    installed = version("apache-airflow-core")
    airflow.write_passwords(start.state.airflow, start.secrets["MDP_AIRFLOW_PASSWORD"])
    if start.state.platform.airflow_version != installed:
        start.report(TITLES[airflow.API], "making its tables")
        airflow.migrate(start.state, start.settings)
        start.state.remember(airflow_version=installed)
    for name in airflow.COMPONENTS:
        start.report(TITLES[name], "starting")
        start.supervisor.start(name)
    for name in airflow.COMPONENTS:
        probe = airflow.Probe(start.state.port("airflow"), name)
        start.supervisor.wait(name, probe, _PROBE_SECONDS)
        start.report(TITLES[name], None)


def _start_relay(start: Start, database: "Future[None]", objects: "Future[None]") -> None:
    database.result()
    objects.result()
    start.supervisor.start("relay")
    start.report(TITLES["relay"], None)


def _await_trigger(start: Start) -> None:
    """Wait until the trigger listens: from now on an upload is seen within a second."""
    title = "Upload trigger"
    start.report(title, "starting")

    def listens() -> None:
        password = start.secrets["MDP_ADMIN_PASSWORD"]
        with postgres.connect_administrator(start.state.port("postgres"), password) as admin:
            query = "select 1 from pg_stat_activity where usename = 'mdp_loader' and query = %s"
            if not admin.execute(query, [f"listen {CHANNEL}"]).fetchone():
                raise TransientError("The DAG's trigger does not listen yet.")

    start.supervisor.wait("airflow-triggerer", listens, _PROBE_SECONDS)
    start.report(title, None)


def _start_simulator(start: Start) -> None:
    """Start the simulator, and wait until the first of its rows is in the tables."""
    title = TITLES["simulator"]
    start.report(title, "uploading its history")
    start.supervisor.start("simulator")

    def rows() -> None:
        with connect(start.settings, "loader") as connection:
            if not connection.execute("select 1 from mdp.files where rows_loaded > 0 limit 1").fetchone():
                raise TransientError("No row has been loaded yet.")

    start.supervisor.wait("simulator", rows, _PROBE_SECONDS)
    start.report(title, None)


def stop_platform(state: State, report: Report) -> bool:
    """Stop every service, what depends on others first, and see that no process is left.

    Returns:
        Whether anything ran.
    """
    with state.exclusive():
        left = processes.find(state.folder)
        _stop(state, report)
        return bool(left)


def _stop(state: State, report: Report, keep: Collection[str] = ()) -> None:
    """Stop the services, and the supervisor too unless some services are to be kept."""
    supervisor = Supervisor(state)

    def stop(name: str) -> None:
        report(TITLES[name], "stopping")
        supervisor.stop(name)
        report(TITLES[name], None)

    if supervisor.running():
        running = {info.name for info in supervisor.info() if info.state not in {"STOPPED", "EXITED", "FATAL"}}
        names = [name for name in TITLES if name in running and name not in keep]
        servers = ("postgres", "object-store")
        with ThreadPoolExecutor() as pool:
            list(pool.map(stop, [name for name in names if name not in servers]))
            list(pool.map(stop, [name for name in names if name in servers]))
    if not keep:
        supervisor.shutdown()
        if "s3" in state.platform.ports:
            object_store.clear_sockets(state)
