"""The feed: a history on the first start, then a snapshot of the world at every tick, for ever."""

import logging
import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from minidata.errors import TransientError
from simulator.clock import instant_at, seconds
from simulator.faults import DEFAULT_FAULTS, Faults
from simulator.feed_clock import Clock, SystemClock
from simulator.feed_state import FeedState
from simulator.outbox import Outbox
from simulator.snapshot import cells, snapshot_key, to_csv
from simulator.spoil import Delivery, Draft, deliver
from simulator.upload import Uploader
from simulator.world import World

HISTORY_STEP = timedelta(minutes=5)
HISTORY_FILE = 12  # instants in one file of the history: an hour
RETRY = (1.0, 5.0)  # seconds between two tries while the store is away: first, longest

log = logging.getLogger(__name__)


class Feed:
    """Watches one world and uploads what it sees.

    It may be killed at any instant and started again: the world is a function of the state file and the time, and
    the state moves on only when a snapshot is in the store. What is repeated after a kill has the same name, and
    in the history the same bytes. Only deliveries that were held back (late, out of order) die with the process.

    Args:
        uploader: where snapshots go.
        state: path of the state file; without the file a new world begins, with a history.
        seed: of the world and its faults.
        channels: in the world.
        videos: in the world at its start.
        faults: what goes wrong, and how often; the history is spared.
        interval_seconds: between two snapshots; ticks are its multiples since the epoch.
        backfill_hours: length of the history.
        clock: the time.
    """

    def __init__(
        self,
        uploader: Uploader,
        state: Path,
        *,
        seed: int = 1,
        channels: int = 40,
        videos: int = 400,
        faults: Faults = DEFAULT_FAULTS,
        interval_seconds: float = 15,
        backfill_hours: float = 6,
        clock: Clock | None = None,
    ) -> None:
        self._uploader, self._path, self._faults = uploader, state, faults
        self._interval = interval_seconds
        self._clock = clock or SystemClock()
        self._outbox = Outbox()
        self._state = self._known(seed, channels, videos) or self._new(seed, channels, videos, backfill_hours)
        self._world = World(seed, self._state.epoch, channels=channels, videos=videos)

    def run(self) -> None:
        """Feed until the clock says to stop.

        Raises:
            PermanentError: if the store refuses.
        """
        if self._history():
            log.info("A snapshot comes every %g s from now on.", self._interval)
            while self._tick():
                pass
        log.info("Stopped after %d snapshots.", self._state.sequence)

    def _known(self, seed: int, channels: int, videos: int) -> FeedState | None:
        state = FeedState.read(self._path)
        if state and (state.seed, state.channels, state.videos) != (seed, channels, videos):
            log.warning("Another world was asked for than the one in %s: a new one begins.", self._path)
            return None
        return state

    def _new(self, seed: int, channels: int, videos: int, backfill_hours: float) -> FeedState:
        now = instant_at(seconds(self._clock.now()))
        epoch = now - timedelta(hours=backfill_hours)
        state = FeedState(seed, channels, videos, epoch=epoch, live_from=now, delivered=epoch)
        state.write(self._path)
        return state

    def _history(self) -> bool:
        """Deliver what is missing of the history; False when stopped on the way."""
        steps = int((self._state.live_from - self._state.epoch) / HISTORY_STEP)
        instants = [self._state.epoch + step * HISTORY_STEP for step in range(1, steps + 1)]
        for first in range(0, steps, HISTORY_FILE):
            hour = instants[first : first + HISTORY_FILE]
            if hour[-1] <= self._state.delivered:
                continue
            self._world.advance(hour[-1])
            rows = [row for instant in hour for row in self._world.snapshot(instant)]
            key = snapshot_key(hour[-1], self._state.sequence)
            if not self._deliver(hour[-1], [Delivery(key, to_csv(cells(rows)), len(rows))]):
                return False
        return True

    def _tick(self) -> bool:
        """Wait for the next tick and deliver its snapshot; False when stopped."""
        now = seconds(self._clock.now())
        tick = (math.floor(now / self._interval) + 1) * self._interval
        if self._clock.wait(max(0.0, tick - now)):
            return False
        instant = datetime.fromtimestamp(tick, UTC)
        if instant <= self._state.delivered:
            return True  # the machine's clock was set back: nothing new to tell until it has caught up
        self._world.advance(instant)
        draft = Draft(self._state.sequence, instant, self._world.snapshot(), self._world.snapshot)
        deliveries = deliver(draft, self._faults, self._state.seed)
        return self._deliver(instant, self._outbox.post(self._state.sequence, deliveries))

    def _deliver(self, instant: datetime, deliveries: Iterable[Delivery]) -> bool:
        for delivery in deliveries:
            if not self._put(delivery):
                return False
            fault = f" ({delivery.fault})" if delivery.fault else ""
            log.info("%s: %d rows, %d bytes%s", delivery.key, delivery.rows, len(delivery.data), fault)
        self._state = replace(self._state, delivered=instant, sequence=self._state.sequence + 1)
        self._state.write(self._path)
        return True

    def _put(self, delivery: Delivery) -> bool:
        """Upload until it works; False when stopped before. An outage makes two lines in the log, however long."""
        delay, tries = RETRY[0], 0
        while True:
            try:
                self._uploader.put(delivery.key, delivery.data)
            except TransientError as error:
                if not tries:
                    log.warning("%s Trying again until it does.", error)
                tries += 1
                if self._clock.wait(delay):
                    return False
                delay = min(delay * 2, RETRY[1])
            else:
                if tries:
                    log.info("The store is back after %d tries.", tries + 1)
                return True
