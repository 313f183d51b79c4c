"""A given number of snapshots at once, into a folder or a bucket, the same bytes for the same seed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from minidata.errors import PermanentError
from simulator.faults import DEFAULT_FAULTS, Faults
from simulator.outbox import Outbox
from simulator.snapshot import Row
from simulator.spoil import Delivery, Draft, deliver
from simulator.upload import Uploader
from simulator.world import World

DEFAULT_START = datetime(2026, 1, 1, tzinfo=UTC)
MOST_VIDEOS = 2000  # in the world; a larger file holds several instants of each video
_CHANNEL_VIDEOS = 10


@dataclass(frozen=True)
class Written:
    """One object that was written.

    Attributes:
        key: of the object.
        size: in bytes.
        rows: how many it was written from.
        fault: what is wrong with it, or None.
        snapshots: how many snapshots were taken until now.
    """

    key: str
    size: int
    rows: int
    fault: str | None
    snapshots: int


class Generation:
    """Snapshots that follow one another in an invented world.

    Args:
        files: how many snapshots; duplicates come on top.
        rows: rows of each, whatever a fault makes of them.
        seed: of the world and its faults.
        faults: what goes wrong, and how often.
        start: of the world; the first snapshot is taken one interval later.
        interval: between two snapshots; longer where a file holds more instants than it has seconds.

    Attributes:
        world: the world, which moves on as snapshots are taken.

    Raises:
        PermanentError: if files or rows are below 1.
    """

    def __init__(
        self,
        *,
        files: int,
        rows: int,
        seed: int = 1,
        faults: Faults = DEFAULT_FAULTS,
        start: datetime = DEFAULT_START,
        interval: timedelta = timedelta(seconds=15),
    ) -> None:
        if files < 1 or rows < 1:
            raise PermanentError(f"{files} files of {rows} rows are nothing to generate; ask for at least 1 of 1.")
        self.files, self.rows, self.seed, self.faults = files, rows, seed, faults
        videos = min(rows, MOST_VIDEOS)
        self._instants = -(-rows // videos)
        self.interval = max(interval, timedelta(seconds=self._instants))
        self.world = World(seed, start, channels=-(-videos // _CHANNEL_VIDEOS), videos=videos)
        self.start = self.world.now

    def write(self, sinks: Sequence[Uploader]) -> Iterator[Written]:
        """Take the snapshots and put each object into every sink; yields each as soon as it is there.

        Raises:
            TransientError: if a sink is away.
            PermanentError: if a sink refuses.
        """
        outbox = Outbox()
        for sequence in range(self.files):
            draft = Draft(sequence, self.start + (sequence + 1) * self.interval, self._next(), self.world.snapshot)
            for delivery in outbox.post(sequence, deliver(draft, self.faults, self.seed)):
                yield _put(delivery, sinks, sequence + 1)
        for delivery in outbox.rest():
            yield _put(delivery, sinks, self.files)

    def _next(self) -> list[Row]:
        """Move the world on by one interval; return the latest rows, at even steps through it."""
        before = self.world.now
        self.world.advance(before + self.interval)
        steps = (before + step * self.interval / self._instants for step in range(1, self._instants + 1))
        rows = [row for instant in steps for row in self.world.snapshot(instant)]
        return rows[-self.rows :]


def _put(delivery: Delivery, sinks: Sequence[Uploader], snapshots: int) -> Written:
    for sink in sinks:
        sink.put(delivery.key, delivery.data)
    return Written(delivery.key, len(delivery.data), delivery.rows, delivery.fault, snapshots)
