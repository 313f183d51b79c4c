"""The end of a platform: what depends on others first, and no process is left."""

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

from operate.embedded import object_store, processes
from operate.embedded.service import TITLES
from operate.embedded.state import State
from operate.embedded.supervisor import Supervisor

Report = Callable[[str, str | None], None]


def stop_platform(state: State, report: Report) -> bool:
    """Stop every service, what depends on others first, and see that no process is left.

    Returns:
        Whether anything ran.
    """
    with state.exclusive():
        left = processes.find(state.folder)
        stop_services(state, report)
        return bool(left)


def stop_services(state: State, report: Report, keep: Collection[str] = ()) -> None:
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
        if "filer" in state.platform.ports:  # of SeaweedFS
            object_store.clear_sockets(state)
