"""The end of a platform: the servers stop after what depends on them, and no process is left."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

from operate.embedded import processes
from operate.embedded.launcher import SERVICES
from operate.embedded.object_store import service as object_store
from operate.embedded.object_store.seaweedfs import clear_sockets
from operate.embedded.postgres import server as postgres
from operate.embedded.service import Report, Service
from operate.embedded.state import State
from operate.embedded.supervisor import Supervisor

_SERVERS = (postgres.SERVICE, object_store.SERVICE)


def stop_platform(state: State, report: Report) -> bool:
    """Stop every service, the servers last, and make sure that no process is left.

    Returns:
        Whether anything ran.
    """
    with state.exclusive():
        left = processes.find(state.folder)
        stop_services(state, report)
        return bool(left)


def stop_services(state: State, report: Report, keep: Collection[str] = ()) -> None:
    """Stop the services, and the supervisor too unless some services are kept."""
    supervisor = Supervisor(state)

    def stop(service: Service) -> None:
        report(service.title, "stopping")
        supervisor.stop(service.name)
        report(service.title, None)

    if supervisor.running():
        running = {info.name for info in supervisor.info() if info.state not in {"STOPPED", "EXITED", "FATAL"}}
        stopping = [SERVICES[name] for name in SERVICES if name in running and name not in keep]
        with ThreadPoolExecutor() as pool:
            list(pool.map(stop, [service for service in stopping if service not in _SERVERS]))
            list(pool.map(stop, [service for service in stopping if service in _SERVERS]))
    if not keep:
        supervisor.shutdown()
    if object_store.SERVICE.name not in keep and "filer" in state.platform.ports:  # a port of SeaweedFS
        clear_sockets(state)
    if not keep:
        state.clear_run()
