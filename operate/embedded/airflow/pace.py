"""The pace of the scheduler: quick while it has work, slow while it has none, and awake as soon as a file arrives."""

import logging
import time
from collections.abc import Hashable

import psycopg

from minidata.errors import PlatformError
from minidata.ledger import CHANNEL
from minidata.settings import Settings
from minidata.warehouse.connection import conninfo

log = logging.getLogger(__name__)
QUICK, STEADY, SLOW = 0.02, 0.1, 1.0  # seconds between two loops
_AWAKE_SECONDS = 3.0  # after the last change
_CONNECT_AGAIN_SECONDS = 10.0


class Pace:
    """Waits between two loops of the scheduler, which polls Airflow's tables.

    Args:
        settings: where files are announced.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._work: Hashable = None
        self._changed_at = self._failed_at = -_CONNECT_AGAIN_SECONDS
        self._listener: psycopg.Connection | None = None

    def rest(self, work: Hashable) -> None:
        """Wait as long as the work allows; `work` is what runs now, and false if nothing does."""
        now = time.monotonic()
        if work != self._work:
            self._work, self._changed_at = work, now
        if now - self._changed_at < _AWAKE_SECONDS:
            time.sleep(QUICK)
        elif work:
            time.sleep(STEADY)
        elif self._announced(now):
            self._changed_at = time.monotonic()

    def _announced(self, now: float) -> bool:
        """Wait until a file is announced, at most the slow pace; without the warehouse, the steady one."""
        if self._listener is None and now - self._failed_at < _CONNECT_AGAIN_SECONDS:
            time.sleep(STEADY)
            return False
        try:
            if self._listener is None:
                place = conninfo(self._settings, "loader")
                self._listener = psycopg.connect(place, autocommit=True, application_name="mdp_scheduler")
                self._listener.execute(f'listen "{CHANNEL}"')  # quoted: `./mdp up` looks for the trigger's own
            return any(self._listener.notifies(timeout=SLOW, stop_after=1))
        except (PlatformError, psycopg.Error) as error:
            log.warning("The scheduler does not hear of uploads for a while, and looks ten times a second: %s", error)
            self._listener, self._failed_at = None, now
            return False
