"""The ordered start: each service once what it needs works, and at the same time where possible."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from minidata.warehouse.__main__ import Administration
from operate.embedded import processes
from operate.embedded.airflow import service as airflow
from operate.embedded.launcher import SERVICES
from operate.embedded.object_store import service as object_store
from operate.embedded.ports import choose_ports, require_free
from operate.embedded.postgres import server as postgres
from operate.embedded.preflight import require_machine, require_secrets
from operate.embedded.service import Report
from operate.embedded.settings import embedded_settings, make_secrets, read_secrets, settings_in_environment
from operate.embedded.simulator import SERVICE as SIMULATOR
from operate.embedded.simulator import start as start_simulator
from operate.embedded.startup_context import StartupContext
from operate.embedded.state import State, Store
from operate.embedded.stop import stop_services
from operate.embedded.superset import service as superset
from operate.embedded.superset import setup
from operate.embedded.supervisor import Supervisor

_LOOK_SECONDS = 0.1

Submit = Callable[..., "Future[None]"]


def start_platform(
    state: State, report: Report, *, simulator: bool = True, bi: bool = True, store: Store | None = None
) -> None:
    """Start every service of a platform; one that runs already is only checked.

    The pipeline does not wait for the dashboards: an error there is raised once everything else runs.

    Args:
        state: its folder.
        report: told what happens.
        simulator: whether to start the simulator too, and wait for its first rows; without it, it is stopped.
        bi: whether to start Superset with the dashboards; without it, it is stopped.
        store: the object store of a new platform; None for the one that it has, or SeaweedFS.

    Raises:
        PermanentError: if something must be fixed first; what has been started keeps running.
        KeyboardInterrupt: if the user stops it; what has been started is stopped again.
    """
    with state.exclusive(), _undone_on_interrupt(state, report):
        start = _prepare(state, report, store, bi=bi)
        relayed = state.platform.store is not Store.MINIO  # MinIO writes its events into the inbox itself
        optional = {object_store.RELAY: relayed, superset.SERVICE: bi, SIMULATOR: simulator}
        unwanted = {service.name for service, wanted in optional.items() if not wanted}
        state.remember(services=[name for name in SERVICES if name not in unwanted])
        for name in unwanted:
            start.supervisor.stop(name)
        with _side_by_side(start) as submit:
            database, objects = _submit_servers(start, submit)
            pipeline = submit(airflow.start, start, database)
            relay = submit(object_store.start_relay, start, database, objects) if relayed else objects
            dashboards = submit(setup.start, start, database) if bi else database
            for part in (database, objects, pipeline, relay):
                part.result()
            airflow.unpause(start)
            airflow.await_trigger(start)
            if simulator:
                start_simulator(start)
            dashboards.result()


def start_servers(state: State, report: Report, store: Store | None = None) -> None:
    """Start only what holds data: PostgreSQL with the warehouse, and the object store with its buckets.

    Raises:
        PermanentError: if something must be fixed first.
    """
    with state.exclusive(), _undone_on_interrupt(state, report):
        start = _prepare(state, report, store, bi=False)
        with _side_by_side(start) as submit:
            for part in _submit_servers(start, submit):
                part.result()


def _submit_servers(start: StartupContext, submit: Submit) -> "tuple[Future[None], Future[None]]":
    database = submit(postgres.start, start)
    return database, submit(object_store.start, start, database)


@contextmanager
def _undone_on_interrupt(state: State, report: Report) -> Iterator[None]:
    """Stop what was started if the user interrupts: nothing is left half-started."""
    supervisor = Supervisor(state)
    ran = {info.name for info in supervisor.info() if info.pid} if supervisor.running() else set()
    try:
        yield
    except KeyboardInterrupt:
        stop_services(state, report, keep=ran)
        raise


@contextmanager
def _side_by_side(start: StartupContext) -> Iterator[Submit]:
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
                processes.kill_once(start.state.folder)
                time.sleep(_LOOK_SECONDS)
            raise


def _prepare(state: State, report: Report, store: Store | None, *, bi: bool) -> StartupContext:
    """Make secrets and ports where they are missing, and make sure that the supervisor runs."""
    chosen_settings = settings_in_environment()
    require_machine(state)
    require_secrets(state)
    make_secrets(state)
    if chosen_settings != state.platform.settings:
        state.remember(settings=chosen_settings)  # services that restart later have the same ones
    chosen = object_store.choose_store(state, store, lambda doing: report(object_store.SERVICE.title, doing))
    wanted = ("postgres", *object_store.PORTS[chosen], "airflow", *(["superset"] if bi else []))
    ports = choose_ports(state, wanted)
    supervisor = Supervisor(state)
    processes.kill_once(state.folder)  # of a start that was killed
    if not supervisor.running():
        # What a killed supervisor left behind would hold the ports and the data.
        report("Supervisor", "stopping leftovers")
        processes.end(processes.find(state.folder))
        require_free({name: ports[name] for name in wanted})
    supervisor.launch(SERVICES.values())
    report("Supervisor", None)
    settings = embedded_settings(state, Administration)
    if chosen is not Store.MINIO:
        settings = settings.model_copy(update={"events_password": None})  # no other store writes events
    return StartupContext(state, settings, read_secrets(state), supervisor, report)
