"""The trigger: wakes the DAG of a dataset while it has unclaimed work.

It lives in an installed package because the triggerer loads no DAG bundle. Airflow merges, doubles and loses
asset events, so an event of ours says only "look"; the ledger knows the work.
"""

import asyncio
import inspect
import logging
import time
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Any

import psycopg
from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from minidata.errors import PlatformError
from minidata.ledger import CHANNEL, TRIGGER, Waiting, look
from minidata.settings import Settings, load_settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import connect, conninfo
from minidata.warehouse.limits import limit_readers

log = logging.getLogger(__name__)


class SnapshotTrigger(BaseEventTrigger):
    """Fires when the waiting work of a dataset changes, and again while it stays unclaimed.

    Args:
        dataset: name of the dataset.
    """

    def __init__(self, dataset: str) -> None:
        super().__init__()
        self.dataset = dataset

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and arguments that Airflow keeps."""
        return "minidata.events.trigger.SnapshotTrigger", {"dataset": self.dataset}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield an event for each time that the DAG should look."""
        settings = load_settings()
        while True:
            try:
                async for waiting in _watch(settings, self.dataset):
                    yield TriggerEvent({"dataset": self.dataset, "waiting": waiting.count})
                    _send_at_once()
            except (PlatformError, psycopg.Error) as error:
                log.warning("The watch over %s starts again: %s", self.dataset, error)
                _turns().list_again()
                await asyncio.sleep(1)


def _send_at_once() -> None:
    """Let Airflow's runner send the event that it has just taken: it looks once a second.

    There is no public way. If a version of Airflow has no such runner, the event is sent up to a second later.
    """
    frame = inspect.currentframe()
    while frame and frame.f_code.co_name != "run_trigger":
        frame = frame.f_back
    runner = frame.f_locals.get("self") if frame else None
    wait = getattr(getattr(runner, "_stop_event", None), "_event", None)  # it ends the wait, and with `stop` the runner
    if isinstance(wait, asyncio.Event) and not wait.is_set():
        wait.set()
        wait.clear()


async def _watch(settings: Settings, dataset: str) -> AsyncIterator[Waiting]:
    """Yield the waiting work each time it justifies a run, until a server becomes unavailable."""
    pace, turns = Pace(settings.wake_seconds, settings.reconcile_seconds), _turns()
    connection = await asyncio.to_thread(connect, settings, "loader")
    connection.execute("select set_config('application_name', %s, false)", [TRIGGER])  # `./mdp status` looks for it
    with connection:
        await asyncio.to_thread(limit_readers, connection)  # whether or not the store works
        store = await asyncio.to_thread(ObjectStore, settings)
        await asyncio.to_thread(store.require_versions, settings.raw_bucket)
        listener = await psycopg.AsyncConnection.connect(conninfo(settings, "loader"), autocommit=True)
        async with listener:
            await listener.execute(f"listen {CHANNEL}")
            while True:
                async with turns.lock:
                    await asyncio.to_thread(limit_readers, connection)
                    now = time.monotonic()
                    full = turns.full_listing_due(now, settings.reconcile_seconds)
                    waiting = await asyncio.to_thread(look, connection, store, settings, dataset, full=full)
                    turns.looked(now, full=full)
                if pace.fires(waiting, time.monotonic()):
                    yield waiting
                async for _ in listener.notifies(timeout=settings.wake_seconds, stop_after=1):
                    pass


class Turns:
    """Lets the triggers of all datasets look in turn: each registers what it sees for all of them.

    They run in one loop, so what the first has listed or taken from the inbox, the others find in the ledger. Several
    triggerers do this independently; the ledger enters each version once.
    """

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self._listed_at: float | None = None

    def full_listing_due(self, now: float, reconcile_seconds: float) -> bool:
        """Return whether a full listing is due at an instant of a monotonic clock."""
        return self._listed_at is None or now - self._listed_at >= reconcile_seconds

    def looked(self, now: float, *, full: bool) -> None:
        """Record a look that succeeded; after one that failed, its listing stays due."""
        if full:
            self._listed_at = now

    def list_again(self) -> None:
        """Make a full listing due at once: a watch that starts again may have missed something."""
        self._listed_at = None


@lru_cache(maxsize=1)
def _turns() -> Turns:
    return Turns()


class Pace:
    """Decides when to fire; pure, so that it can be tested with any clock.

    Args:
        wake_seconds: unclaimed work fires again after so long, if no batch is alive.
        reconcile_seconds: it fires again after so long even while a batch is alive.
    """

    def __init__(self, wake_seconds: float, reconcile_seconds: float) -> None:
        self._wake = wake_seconds
        self._reconcile = reconcile_seconds
        self._fired_at = 0.0
        self._fired_for: tuple[int, int, int] | None = None

    def fires(self, waiting: Waiting, now: float) -> bool:
        """Return whether to wake the DAG: the waiting set has changed, or has stayed unclaimed for too long."""
        if not waiting.count:
            self._fired_for = None
            return False
        patience = self._reconcile if waiting.at_work else self._wake
        fingerprint = (waiting.count, waiting.greatest_id, waiting.least_id)
        if fingerprint == self._fired_for and now - self._fired_at < patience:
            return False
        self._fired_for, self._fired_at = fingerprint, now
        return True
