"""The ordered start: each service once what it needs has been seen to work, and side by side where it can."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from operate.embedded import airflow, processes
from operate.embedded.parts import Start
from operate.embedded.parts.dashboards import start_dashboards
from operate.embedded.parts.objects import start_objects
from operate.embedded.parts.pipeline import RELAY, SIMULATOR, await_trigger, start_airflow, start_relay, start_simulator
from operate.embedded.parts.storage import start_database
from operate.embedded.ports import choose_ports, require_free
from operate.embedded.preflight import require_machine, require_secrets
from operate.embedded.secrets import make_secrets, read_secrets
from operate.embedded.service import PROGRAMS, TITLES
from operate.embedded.settings import embedded_settings, secrets_file, settings_in_environment
from operate.embedded.state import State, Store
from operate.embedded.stop import Report, stop_services
from operate.embedded.stores import PORTS, choose_store, tells_of_uploads
from operate.embedded.superset import service as superset
from operate.embedded.superset import setup
from operate.embedded.supervisor import Supervisor

_LOOK_SECONDS = 0.1

Submit = Callable[..., "Future[None]"]


def start_platform(
    state: State, report: Report, *, simulator: bool = True, bi: bool = True, store: Store | None = None
) -> None:
    """Bring every service of a platform up; one that runs already is only looked at.

    The pipeline waits for no dashboard: what goes wrong there is told once everything else is up.

    Args:
        state: its folder.
        report: told what happens.
        simulator: whether to start the simulator too, and wait for its first rows; without it, it is stopped.
        bi: whether to start Superset with the dashboards; without it, it is stopped.
        store: the object store of a new platform; None for the one that it has, or SeaweedFS.

    Raises:
        PermanentError: if something must be mended first; what has been started goes on running.
        KeyboardInterrupt: if the user stops it; what has been started is stopped again.
    """
    with state.exclusive(), _taken_back(state, report):
        start = _prepare(state, report, store, bi=bi)
        relayed = not tells_of_uploads(state.platform.store)
        parts = ((RELAY, relayed), (superset.NAME, bi), (SIMULATOR, simulator))
        unwanted = {name for name, wanted in parts if not wanted}
        state.remember(services=[name for name in TITLES if name not in unwanted])
        for name in unwanted:
            start.supervisor.stop(name)
        with _side_by_side(start) as submit:
            database = submit(start_database, start)
            objects = submit(start_objects, start, database)
            pipeline = submit(start_airflow, start, database)
            relay = submit(start_relay, start, database, objects)
            dashboards = submit(start_dashboards, start, database) if bi else database
            for part in (database, objects, pipeline, relay):
                part.result()
            await_trigger(start)
            if simulator:
                start_simulator(start)
            dashboards.result()


def start_servers(state: State, report: Report, store: Store | None = None) -> None:
    """Bring up only what holds data: PostgreSQL with the warehouse, and the object store with its buckets.

    Raises:
        PermanentError: if something must be mended first.
    """
    with state.exclusive(), _taken_back(state, report):
        start = _prepare(state, report, store, bi=False)
        with _side_by_side(start) as submit:
            database = submit(start_database, start)
            for part in (database, submit(start_objects, start, database)):
                part.result()


@contextmanager
def _taken_back(state: State, report: Report) -> Iterator[None]:
    """Stop what was started if the user interrupts: nothing is left half-started."""
    supervisor = Supervisor(state)
    ran = {info.name for info in supervisor.info() if info.pid} if supervisor.running() else set()
    try:
        yield
    except KeyboardInterrupt:
        stop_services(state, report, keep=ran)
        raise


@contextmanager
def _side_by_side(start: Start) -> Iterator[Submit]:
    """Run parts at the same time; once one has failed, or the user interrupts, the others do not go on."""
    parts: list[Future[None]] = []
    with ThreadPoolExecutor() as pool:

        def submit(part: Callable[..., None], *arguments: object) -> "Future[None]":
            parts.append(pool.submit(part, *arguments))
            return parts[-1]

        try:
            yield submit
        except BaseException:
            start.supervisor.give_up()
            while not all(part.done() for part in parts):  # one may be about to run a program
                airflow.kill_migration(start.state)
                setup.kill(start.state)
                time.sleep(_LOOK_SECONDS)
            raise


def _prepare(state: State, report: Report, store: Store | None, *, bi: bool) -> Start:
    """Make secrets and ports where they are missing, and see that the supervisor runs."""
    chosen_settings = settings_in_environment()
    require_machine(state)
    require_secrets(state)
    make_secrets(secrets_file(state))
    state.choose_settings(chosen_settings)
    chosen = choose_store(state, store, lambda doing: report(TITLES["object-store"], doing))
    wanted = ("postgres", *PORTS[chosen], "airflow", *([superset.NAME] if bi else []))
    ports = choose_ports(state, wanted)
    supervisor = Supervisor(state)
    if not supervisor.running():
        # What a killed supervisor left behind would hold the ports and the data.
        report("Supervisor", "looks for leftovers")
        processes.end(processes.find(state.folder))
        require_free({name: ports[name] for name in wanted})
    supervisor.launch(PROGRAMS)
    report("Supervisor", None)
    return Start(state, embedded_settings(state), read_secrets(secrets_file(state)), supervisor, report)
