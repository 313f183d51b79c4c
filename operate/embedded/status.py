"""The state of a platform: its services, its files, how fresh its rows are, and what is wrong."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import psutil
import psycopg

from minidata import ledger
from minidata.dataset import broken_datasets, sound_datasets
from minidata.errors import PlatformError
from minidata.ledger import Health
from minidata.settings import Settings
from minidata.warehouse.__main__ import Administration
from minidata.warehouse.connection import connect
from operate.embedded import machine
from operate.embedded.airflow import metadata
from operate.embedded.hanging import answers, processes_of, suspended
from operate.embedded.launcher import SERVICES
from operate.embedded.object_store.service import RELAY
from operate.embedded.postgres.server import connect_administrator
from operate.embedded.service import Service
from operate.embedded.settings import embedded_settings
from operate.embedded.simulator import SERVICE as SIMULATOR
from operate.embedded.space import disk_status
from operate.embedded.state import State
from operate.embedded.supervisor import ServiceInfo, Supervisor
from operate.problems import Problem, declaration_problem, files_problems, pipeline_problems

_NO_PIPELINE: dict[str, Any] = {
    "files": None,
    "open": None,
    "newest_row_age_seconds": None,
    "upload_to_row_seconds": {"p50": None, "p95": None, "n": None},
}
_SIMULATED_INTERVALS = 8  # without an upload, after which a platform with a simulator is stale
_STALE_SECONDS = 120


def services_status(state: State) -> dict[str, Any]:
    """Return what runs, what it does, and what is wrong.

    Returns:
        `running`, `healthy` (no problem but files in quarantine), `services` (`name`, `state`, `pid`, `address`,
        `memory_bytes`: the proportional set size of the service and its children), `pipeline` (`files` by state, of
        quarantined and failed ones those that are open; `open`: files that wait for a person, `quarantined`, `failed`
        and archived with `rejects`; `newest_row_age_seconds` since its upload arrived; `upload_to_row_seconds`: `p50`,
        `p95`, `n`, over the last 200 files), `disk` (of `disk_status`; None while it does not run) and `problems`
        (`code`, `subject`, `message`, `fix`). What cannot be known is None.
    """
    supervisor = Supervisor(state)
    running = state.exists() and supervisor.running()
    known = {info.name: info for info in supervisor.info()} if running else {}
    services = [_service(state, SERVICES[name], known.get(name)) for name in state.platform.services or SERVICES]
    problems = [*_service_problems(services)] if running else []
    pipeline = _NO_PIPELINE
    if running:
        problems += machine.problems(state)
        settings: Settings = embedded_settings(state)
        try:
            pipeline, found = _pipeline(settings, state)
            problems += found
        except (PlatformError, psycopg.Error) as error:
            problems.append(_unknown(state, error))
    disk = disk_status(state) if running else None
    return _summary(services, pipeline, problems, disk, running=running)


def status_elsewhere(settings: Settings) -> dict[str, Any]:
    """Return the same of a platform that the settings name; its services cannot be seen from here.

    Raises:
        PlatformError: if its warehouse does not answer.
    """
    pipeline, problems = _pipeline(settings, None)
    return _summary([], pipeline, problems, None, running=True)


def _summary(
    services: list[dict[str, Any]],
    pipeline: dict[str, Any],
    problems: list[Problem],
    disk: dict[str, Any] | None,
    *,
    running: bool,
) -> dict[str, Any]:
    healthy = running and all(problem.code == "files_quarantined" for problem in problems)
    found = [asdict(problem) for problem in problems]
    return {
        "running": running,
        "healthy": healthy,
        "services": services,
        "pipeline": pipeline,
        "disk": disk,
        "problems": found,
    }


def _service(state: State, service: Service, info: ServiceInfo | None) -> dict[str, Any]:
    pid = info.pid if info else None
    port = state.platform.ports.get(service.port)
    found = processes_of(state, service.name) if pid else []
    stands = info.state.lower() if info else "stopped"
    if stands == "running" and (suspended(found) or not answers(service.name, port)):
        stands = "hanging"
    return {
        "name": service.name,
        "state": stands,
        "pid": pid,
        "address": f"127.0.0.1:{port}" if port and pid else None,
        "memory_bytes": sum(map(_memory, found)),
    }


def _memory(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        full = process.memory_full_info()
        return int(getattr(full, "pss", None) or full.rss)
    return 0


def _service_problems(services: list[dict[str, Any]]) -> Iterator[Problem]:
    for service in services:
        name = service["name"]
        logs = f"`./mdp logs {name}` shows more."
        if service["state"] == "hanging":
            fix = f"`./mdp doctor --fix` restarts it; {logs}"
            yield Problem("service_hangs", name, f"{name} runs, but does not respond.", fix)
        elif service["state"] != "running":
            yield Problem("service_down", name, f"{name} is {service['state']}.", f"`./mdp up` starts it; {logs}")


def _pipeline(settings: Settings, state: State | None) -> tuple[dict[str, Any], list[Problem]]:
    services = state.platform.services if state else []
    with connect(settings, "loader") as connection:
        waiting = ledger.count_open(connection)
        health = ledger.health(connection, settings.wait_seconds)
        pipeline = {
            "files": ledger.count_states(connection),
            "open": waiting,
            "newest_row_age_seconds": health.row_age_seconds,
            "upload_to_row_seconds": ledger.load_times(connection),
        }
        stale = _stale_seconds(settings, simulated=SIMULATOR.name in services)
        relayed = RELAY.name in services
        problems = [*pipeline_problems(health, settings, relayed=relayed, stale_seconds=stale)]
        problems += files_problems(waiting["quarantined"])
        problems += [
            declaration_problem(name, fault) for name, fault in broken_datasets(settings.datasets_folder).items()
        ]
    if state:
        problems += _airflow_problems(state, settings, health)
    return pipeline, problems


def _airflow_problems(state: State, settings: Settings, health: Health) -> list[Problem]:
    with metadata.connect(state, settings) as connection:
        return [
            *metadata.problems(connection, list(sound_datasets(settings.datasets_folder)), waiting=health.waiting > 0)
        ]


def _stale_seconds(settings: Settings, *, simulated: bool) -> float:
    """Return after how many seconds without an upload in the tables something is wrong; 0 is never."""
    if settings.stale_seconds or not simulated:
        return settings.stale_seconds
    return max(_STALE_SECONDS, _SIMULATED_INTERVALS * settings.simulator_interval_seconds)


def _unknown(state: State, error: Exception) -> Problem:
    """Say why the database tells nothing; the administrator's reserved connections may tell who holds the others."""
    holders = ""
    if "connection slots" in str(error) or "too many" in str(error):
        with suppress(PlatformError, psycopg.Error), connect_administrator(_administration(state)) as admin:
            rows = admin.execute(
                "select usename, count(*) from pg_stat_activity where backend_type = 'client backend' "
                "group by usename order by 2 desc limit 3"
            ).fetchall()
            holders = " Most are held by " + ", ".join(f"{name} ({count})" for name, count in rows) + "."
        message = f"PostgreSQL has no free connection, so the state of the files is unknown.{holders}"
        return Problem("connections_low", "postgres", message, "Close clients that are not needed, or `./mdp restart`.")
    message = f"The state of the files is unknown: {' '.join(str(error).split())}"
    return Problem("unknown", "pipeline", message, "`./mdp up` starts what is down.")


def _administration(state: State) -> Administration:
    return embedded_settings(state, Administration)
