"""Services whose process exists, but does nothing: suspended by a signal, or without an answer on their port."""

import urllib.error
from contextlib import suppress

import psutil

from minidata.errors import TransientError
from operate.embedded import loopback, processes
from operate.embedded.state import State

# A page of each server that answers anyone; a refusal is an answer, too.
_PAGES = {"object-store": "/", "airflow-api": "/api/v2/version", "superset": "/health"}


def processes_of(state: State, name: str) -> list[psutil.Process]:
    """Return the living processes of a service."""
    return processes.find(state.folder, name, state.postgres / "data" if name == "postgres" else None)


def suspended(found: list[psutil.Process]) -> bool:
    """Tell whether one of the processes was stopped by a signal and waits to be continued."""
    for process in found:
        with suppress(psutil.Error):
            if process.status() == psutil.STATUS_STOPPED:
                return True
    return False


def answers(name: str, port: int | None) -> bool:
    """Tell whether a service answers on its port; one without a page is believed."""
    if name not in _PAGES or not port:
        return True
    try:
        loopback.get(port, _PAGES[name], name)
    except TransientError as error:
        return isinstance(error.__cause__, urllib.error.HTTPError)
    return True
