"""The state of a platform: its services, its files, and how fresh its rows are."""

from typing import Any

import psutil

from minidata import ledger
from minidata.errors import PlatformError
from minidata.settings import Settings
from minidata.warehouse.connection import connect
from operate.embedded import processes
from operate.embedded.postgres import home
from operate.embedded.service import Service
from operate.embedded.services import SERVICES
from operate.embedded.settings import embedded_settings
from operate.embedded.space import disk_status
from operate.embedded.state import State
from operate.embedded.supervisor import ServiceInfo, Supervisor

_NO_PIPELINE: dict[str, Any] = {
    "files": {},
    "open": {"quarantined": 0, "failed": 0, "rejects": 0},
    "newest_row_age_seconds": None,
    "upload_to_row_seconds": {"p50": None, "p95": None, "n": 0},
}


def services_status(state: State) -> dict[str, Any]:
    """Return what runs and what it does.

    Returns:
        `running`, `healthy`, `services` (`name`, `state`, `pid`, `address`, `memory_bytes`: the proportional set
        size of the service and its children), `pipeline` (`files` by state, of quarantined and failed ones those that
        are open; `open`: files that wait for a person, `quarantined`, `failed` and archived with `rejects`;
        `newest_row_age_seconds`; `upload_to_row_seconds`: `p50`, `p95`, `n`, over the last 200 files) and `disk` (of
        `disk_status`; None while it does not run).
    """
    supervisor = Supervisor(state)
    running = state.exists() and supervisor.running()
    known = {info.name: info for info in supervisor.info()} if running else {}
    services = [_service(state, SERVICES[name], known.get(name)) for name in state.platform.services or SERVICES]
    pipeline, answers = _NO_PIPELINE, False
    if running:
        try:
            pipeline, answers = _pipeline(embedded_settings(state)), True
        except PlatformError:
            answers = False
    healthy = answers and all(service["state"] == "running" for service in services)
    disk = disk_status(state) if running else None
    healthy = healthy and not (disk and disk["full"])
    return {"running": running, "healthy": healthy, "services": services, "pipeline": pipeline, "disk": disk}


def status_elsewhere(settings: Settings) -> dict[str, Any]:
    """Return the same of a platform that the settings name; its services cannot be seen from here.

    Raises:
        PlatformError: if its warehouse does not answer.
    """
    return {"running": True, "healthy": True, "services": [], "pipeline": _pipeline(settings), "disk": None}


def _service(state: State, service: Service, info: ServiceInfo | None) -> dict[str, Any]:
    pid = info.pid if info else None
    port = state.platform.ports.get(service.port)
    return {
        "name": service.name,
        "state": info.state.lower() if info else "stopped",
        "pid": pid,
        "address": f"127.0.0.1:{port}" if port and pid else None,
        "memory_bytes": _memory(state, service.name) if pid else 0,
    }


def _memory(state: State, name: str) -> int:
    total = 0
    hidden = home.choose(state).data if name == "postgres" else None
    for process in processes.find(state.folder, name, hidden):
        try:
            full = process.memory_full_info()
            total += getattr(full, "pss", None) or full.rss
        except psutil.Error:
            continue
    return total


def _pipeline(settings: Settings) -> dict[str, Any]:
    with connect(settings, "loader") as connection:
        files, (age, times) = ledger.count_states(connection), ledger.freshness(connection)
        waiting = ledger.count_open(connection)
    return {"files": files, "open": waiting, "newest_row_age_seconds": age, "upload_to_row_seconds": times}
