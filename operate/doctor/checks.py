"""The checks of the doctor: of the machine before a start, and of every part while the platform runs."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing

import psycopg

from minidata.dataset import sound_datasets
from minidata.errors import PlatformError
from minidata.settings import Settings
from operate.doctor.marker import Marker
from operate.doctor.report import Check, Hop, failed, walk
from operate.embedded import machine
from operate.embedded.object_store import seaweedfs
from operate.embedded.ports import require_free
from operate.embedded.postgres import home
from operate.embedded.preflight import require_machine, require_secrets
from operate.embedded.settings import secrets_file
from operate.embedded.state import State, Store
from operate.embedded.status import services_status, status_elsewhere
from operate.embedded.superset.service import belongs_to
from operate.problems import Problem

_SERVERS = {"postgres", "object-store"}  # without which no marker can be sent
_PIPELINE = {"files_failed", "files_quarantined", "not_loading", "stale"}  # what is wrong with files, not with parts


def before_start(state: State) -> Iterator[Check]:
    """Check what a start needs of this machine; nothing is changed."""

    def ports() -> str:
        require_free(state.platform.ports)
        return f"{len(state.platform.ports)} ports are free" if state.platform.ports else "chosen at the first start"

    def secrets() -> str:
        require_secrets(state)
        return str(secrets_file(state)) if secrets_file(state).exists() else "made at the first start"

    def space() -> str:
        require_machine(state)
        return f"{machine.free_disk(state.folder) / 10**9:.1f} GB are free"

    def store() -> str:
        return state.platform.store.label if state.platform.store is Store.MINIO else seaweedfs.program()

    checks: list[Hop] = [
        ("python", lambda: f"{sys.version_info.major}.{sys.version_info.minor}", ""),
        ("postgres", lambda: str(home.wheel_binaries() / "postgres"), ""),
        ("object-store", store, ""),
        ("disk", space, ""),
        ("secrets", secrets, ""),
        ("ports", ports, ""),
    ]
    for check in checks:
        yield from walk([check])
    yield _parts("memory", list(machine.memory_problems()), f"{machine.free_memory() / 10**9:.1f} GB are available")


def running(settings: Settings, state: State | None, patience: float) -> Iterator[Check]:
    """Check every part of a running platform, then send a marker through each dataset's pipeline.

    Args:
        settings: of the platform.
        state: its folder; None for one that only the settings name.
        patience: seconds that a marker may take for each hop.
    """
    found = services_status(state) if state else status_elsewhere(settings)
    problems = [Problem(**problem) for problem in found["problems"]]
    for service in found["services"]:
        own = [p for p in problems if p.subject == service["name"]]
        yield _parts(service["name"], own, f"running, {service['memory_bytes'] / 10**6:.0f} MB")
    named = {service["name"] for service in found["services"]}
    others = [p for p in problems if p.subject not in named]
    if state:
        yield _parts(
            "disk", _take(others, "disk_low", "disk_full"), f"{machine.free_disk(state.folder) / 10**9:.1f} GB are free"
        )
        yield _parts("memory", _take(others, "memory_low"), f"{machine.free_memory() / 10**9:.1f} GB are available")
    files = found["pipeline"]["files"] or {}
    counted = ", ".join(f"{count} {name}" for name, count in files.items()) or "none yet"
    yield from (failed(p.subject, p) for p in others if p.code not in _PIPELINE)
    own = [p for p in others if p.code in _PIPELINE]
    yield from [failed("files", p) for p in own] or [Check("files", "ok", counted)]
    tile = _tile(settings, state)
    away = [s["name"] for s in found["services"] if s["name"] in _SERVERS and s["state"] != "running"]
    for dataset in sound_datasets(settings.datasets_folder).values():
        if away:  # a request would take minutes to give up
            yield Check(f"{dataset.name}: marker", "skipped", f"it needs {' and '.join(away)}")
            continue
        try:
            with closing(Marker(settings, dataset, tile, patience)) as marker:
                for check in walk(marker.hops()):
                    yield Check(f"{dataset.name}: {check.name}", *(check.outcome, check.figure, check.fix, check.code))
        except (PlatformError, psycopg.Error) as error:
            problem = Problem("marker", dataset.name, " ".join(str(error).split()), "`./mdp up` starts what is down.")
            yield failed(f"{dataset.name}: marker", problem)


def _take(problems: list[Problem], *codes: str) -> list[Problem]:
    """Remove the problems of some codes from a list, and return them."""
    found = [p for p in problems if p.code in codes]
    problems[:] = [p for p in problems if p.code not in codes]
    return found


def _parts(name: str, problems: list[Problem], figure: str) -> Check:
    return failed(name, problems[0]) if problems else Check(name, "ok", figure)


def _tile(settings: Settings, state: State | None) -> Callable[[str], int] | None:
    if state is None or not belongs_to(state):
        return None

    def count(key: str) -> int:
        from bi.superset.server import Superset  # noqa: PLC0415  imports httpx, which a start need not
        from operate.embedded.superset.service import target  # noqa: PLC0415

        with Superset(target(state, settings)) as superset:
            return superset.count_rows("file_arrivals", "key", key)

    return count
