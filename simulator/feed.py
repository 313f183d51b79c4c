"""Snapshots one after another: an endless feed that survives restarts, or a given number at once."""

import json
import logging
import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Self

from minidata.errors import PermanentError, TransientError
from minidata.settings import Settings
from simulator.faults import NO_FAULTS, Delivery, Faults, Outbox, deliver, parse_faults
from simulator.snapshot import Uploader, cells, snapshot_key, to_csv
from simulator.world import World

HISTORY_STEP = timedelta(minutes=5)
HISTORY_FILE = 12  # instants in one file of the history: an hour
RETRY = (1.0, 5.0)  # seconds between two tries while the store is unreachable: first, longest
DEFAULT_START = datetime(2026, 1, 1, tzinfo=UTC)
MAX_VIDEOS, CHANNEL_VIDEOS = 2000, 10  # of a generation's world, and per channel; larger files hold several instants

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FeedState:
    """What a feed remembers across restarts, as JSON."""

    seed: int  # of the world
    channels: int  # in it
    videos: int  # in it at its start
    epoch: datetime  # the world's start
    live_from: datetime  # when the feed was first started; the history lies before
    delivered: datetime  # the latest instant whose snapshot is in the store
    sequence: int = 0  # the number of the next snapshot

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read the state, or return None if there is none yet.

        Raises:
            PermanentError: if the file holds something else.
        """
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            instants = {name: datetime.fromisoformat(fields[name]) for name in ("epoch", "live_from", "delivered")}
            return cls(**(fields | instants))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise PermanentError(
                f"{path} is not the state of a simulator ({error}). Remove it to start a new world; the warehouse "
                "keeps its data."
            ) from error

    def write(self, path: Path) -> None:
        """Replace the file as a whole, so that a reader always finds a complete state."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(path.name + ".new")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, default=datetime.isoformat, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


class Feed:
    """Watches one world and uploads what it sees: a history on the first start, then a snapshot at every tick.

    It may be killed at any instant and started again. The world is a function of the state file and the time, and the
    state moves on only when a snapshot is in the store. What is repeated after a kill has the same name, and in the
    history the same bytes. Only deliveries that were held back (late, out of order) are lost with the process.

    Args:
        uploader: where snapshots go.
        path: of the state file; without the file a new world begins, with a history.
        settings: seed and size of the world, interval, length of the history, and faults; the history has none.
        stop: ends the feed when set.
        now: returns the present instant, in UTC.

    Raises:
        PermanentError: if the state file or the faults cannot be read.
    """

    def __init__(
        self,
        uploader: Uploader,
        path: Path,
        settings: Settings,
        stop: threading.Event,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._uploader, self._path, self._stop, self._now = uploader, path, stop, now
        self._faults, self._outbox = parse_faults(settings.simulator_faults), Outbox()
        self._interval = settings.simulator_interval_seconds
        world = (settings.simulator_seed, settings.simulator_channels, settings.simulator_videos)
        state = FeedState.read(path)
        if state and (state.seed, state.channels, state.videos) != world:
            log.warning("The settings ask for another world than the one in %s. Starting a new one.", path)
            state = None
        if state is None:
            live_from = now().replace(microsecond=0)
            epoch = live_from - timedelta(hours=settings.simulator_backfill_hours)
            state = FeedState(*world, epoch=epoch, live_from=live_from, delivered=epoch)
            state.write(path)
        self._state = state
        self._world = World(state.seed, state.epoch, channels=state.channels, videos=state.videos)

    def run(self) -> None:
        """Feed until stopped.

        Raises:
            PermanentError: if the store refuses.
        """
        if self._history():
            log.info("From now on a snapshot is taken every %g s.", self._interval)
            while self._tick():
                pass
        log.info("Stopped after %d snapshots.", self._state.sequence)

    def _history(self) -> bool:
        """Deliver what is missing of the history; return False when stopped on the way."""
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
        """Wait for the next tick and deliver its snapshot; return False when stopped."""
        now = self._now().timestamp()
        tick = (math.floor(now / self._interval) + 1) * self._interval
        if self._stop.wait(max(0.0, tick - now)):
            return False
        instant = datetime.fromtimestamp(tick, UTC)
        if instant <= self._state.delivered:
            return True  # the machine's clock was set back: nothing to report until it has caught up
        self._world.advance(instant)
        look, sequence = self._world.snapshot, self._state.sequence
        deliveries = deliver(look(), sequence, instant, earlier=look, faults=self._faults, seed=self._state.seed)
        return self._deliver(instant, self._outbox.post(sequence, deliveries))

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
        """Upload, retrying until it works; return False when stopped before. An outage logs two lines in all."""
        delay, tries = RETRY[0], 0
        while True:
            try:
                self._uploader.put(delivery.key, delivery.data)
            except TransientError as error:
                if not tries:
                    log.warning("%s Retrying until it works.", error)
                tries += 1
                if self._stop.wait(delay):
                    return False
                delay = min(delay * 2, RETRY[1])
            else:
                if tries:
                    log.info("The store is back after %d tries.", tries + 1)
                return True


class Written(NamedTuple):
    """An object that was written."""

    key: str  # of the object
    size: int  # in bytes
    rows: int  # how many rows it was written from
    fault: str | None  # what is wrong with it, or None
    snapshots: int  # how many snapshots were taken so far


class Generation:
    """A given number of snapshots of an invented world; the same arguments write the same bytes.

    Args:
        files: how many snapshots; duplicates are added to them.
        rows: rows of each, before any fault.
        seed: of the world and its faults.
        faults: what goes wrong, and how often.
        end: instant of the last snapshot; by default the world starts at DEFAULT_START.

    Attributes:
        world: the world, which moves on as snapshots are taken.
        interval: time between two snapshots; instants in one file are at least a second apart.

    Raises:
        PermanentError: if files or rows are below 1.
    """

    def __init__(
        self,
        *,
        files: int,
        rows: int,
        seed: int = 1,
        faults: Faults = NO_FAULTS,
        end: datetime | None = None,
    ) -> None:
        if files < 1 or rows < 1:
            raise PermanentError(f"Nothing to generate: {files} files of {rows} rows. Ask for at least 1 of 1.")
        self.files, self._rows, self._seed, self._faults = files, rows, seed, faults
        videos = min(rows, MAX_VIDEOS)
        self._instants = -(-rows // videos)
        self.interval = timedelta(seconds=max(15, self._instants))
        start = DEFAULT_START if end is None else end - files * self.interval
        self.world = World(seed, start, channels=-(-videos // CHANNEL_VIDEOS), videos=videos)

    def write(self, uploaders: Sequence[Uploader]) -> Iterator[Written]:
        """Take the snapshots and put each object into every store; yield each as soon as it is there.

        Raises:
            TransientError: if a store is unreachable.
            PermanentError: if a store refuses.
        """
        for snapshots, delivery in self._deliveries():
            for uploader in uploaders:
                uploader.put(delivery.key, delivery.data)
            yield Written(delivery.key, len(delivery.data), delivery.rows, delivery.fault, snapshots)

    def _deliveries(self) -> Iterator[tuple[int, Delivery]]:
        outbox, look, step = Outbox(), self.world.snapshot, self.interval / self._instants
        for number in range(self.files):
            before, after = self.world.now, self.world.now + self.interval
            self.world.advance(after)
            rows = [row for instant in range(1, self._instants + 1) for row in look(before + instant * step)]
            deliveries = deliver(rows[-self._rows :], number, after, earlier=look, faults=self._faults, seed=self._seed)
            yield from ((number + 1, delivery) for delivery in outbox.post(number, deliveries))
        yield from ((self.files, delivery) for delivery in outbox.post(math.inf))
