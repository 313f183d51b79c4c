"""One round of chaos: workers with faults in them, and what makes everything settle at its end."""

import contextlib
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from minidata.errors import PlatformError
from minidata.warehouse.connection import connect
from tests.chaos import worker as workers
from tests.chaos.points import Action, Fault
from tests.chaos.proxy import Weather
from tests.chaos.servers import PATIENCE, Servers, Worker
from tests.chaos.world import World
from tests.integration.conftest import Pipeline, empty


class Round(World):
    """A round on empty servers: some files, and the workers that load them."""

    def __init__(self, servers: Servers, seed: int, files: int = 4) -> None:
        super().__init__(servers.settings, empty(servers.settings), seed)
        self.servers = servers
        self._workers: list[Worker] = []
        for _ in range(files):
            self.put()

    def place(self) -> int:
        """Choose the number of a fault point."""
        return self.chance.randrange(_points_of_a_run(len(self.uploaded)))

    def start(self, action: Action | None = None, place: int | str | None = None, **options: Any) -> Worker:
        """Start a worker, with a fault planted at a point of chance unless one is named."""
        fault = Fault(action, self.place() if place is None else place) if action else None
        worker = self.servers.start(workers.work, f"w{len(self._workers)}", fault, **options)
        self._workers.append(worker)
        return worker

    def repeat(self, batch: int, action: Action | None = None) -> Worker:
        """Start a worker that runs the tasks of a batch again."""
        fault = Fault(action, self.place()) if action else None
        worker = self.servers.start(workers.repeat, f"w{len(self._workers)}", fault, batch)
        self._workers.append(worker)
        return worker

    @contextmanager
    def held(self, action: Action = "stop", **options: Any) -> Iterator[Worker]:
        """Hold a worker at a fault point for the block, then let it go on to its end."""
        worker = self.start(action, **options)
        worker.reached()
        self.notes.append(worker.point or "no point")
        try:
            yield worker
        finally:
            worker.go_on()
            worker.join()

    def other(self, seconds: float = 3) -> None:
        """Let another worker load what it can; one that waits for a lock is left behind."""
        self.start().join(seconds)

    def time_passes(self) -> None:
        """Let every lease run out and every delay be over, as if hours had passed."""
        self.execute(
            "update mdp.batches set lease_until = clock_timestamp() - interval '1 hour' where ended_at is null"
        )
        self.execute("update mdp.files set due_at = clock_timestamp()")

    def execute(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement as the loader, waiting for no lock longer than two seconds."""
        with connect(self.settings, "loader") as loader, contextlib.suppress(psycopg.errors.LockNotAvailable):
            loader.execute("set lock_timeout = '2s'")
            cursor = loader.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description else []
        return []

    def weather(self, trouble: Any, share: float) -> None:
        """Change the network between workers and store."""
        self.servers.proxy.weather = Weather(trouble, share, self.chance)

    def settle(self) -> None:
        """Stop all faults and load with a healthy worker until nothing waits."""
        met = self.servers.proxy.weather.met
        self.notes += [f"{met} requests"] if met else []
        self.servers.proxy.weather = Weather()
        for worker in self._workers:
            worker.go_on()
            if not worker.join():
                worker.signal(signal.SIGUSR1)
                raise AssertionError(f"a worker does not end, after {worker.point or 'no fault point'}")
            assert worker.process.exitcode in {0, -signal.SIGKILL}, f"a worker broke, after {worker.point}"
        self.servers.wait()
        deadline = time.monotonic() + PATIENCE
        with connect(self.settings, "loader") as loader:
            pipeline = Pipeline(self.settings, self.store, loader)
            while True:
                self.time_passes()
                with contextlib.suppress(PlatformError):
                    pipeline.drain()
                unfinished = [
                    (key, state, error)
                    for key, version, state, error in self.execute(
                        "select key, version, state::text, error from mdp.files where state in "
                        "('pending', 'claimed', 'loaded', 'invalid')"
                    )
                    if state not in self.touched.get((key, version), ())
                ]
                if not unfinished:
                    return
                assert time.monotonic() < deadline, f"these never reach a final state: {unfinished[:3]}"

    def end(self) -> None:
        """Kill what is left of the round."""
        self.servers.proxy.weather = Weather()
        time.sleep(0.5)
        for worker in self._workers:
            worker.signal(signal.SIGKILL)
        self.servers.wait()


def _points_of_a_run(files: int) -> int:
    """Return about how many points a worker passes that loads so many files alone; measured."""
    return 110 + 26 * files
