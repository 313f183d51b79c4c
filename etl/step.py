"""What every step shares: its batch, its connections, the sign of life, and what happens when it fails."""

import importlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psycopg

from minidata import ledger
from minidata.dataset import Dataset, read_datasets
from minidata.errors import ClaimLostError, PlatformError, TransientError
from minidata.settings import Settings, load_settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import Connection, connect, is_outage

log = logging.getLogger(__name__)
Counts = dict[str, int]


@dataclass(frozen=True)
class Work:
    """A batch and what it takes to work on it.

    Attributes:
        batch: the claim.
        dataset: the declaration that its files fall under.
        connection: to the warehouse, as `mdp_loader`.
        store: the buckets.
        settings: the limits.
    """

    batch: ledger.Batch
    dataset: Dataset
    connection: Connection
    store: ObjectStore
    settings: Settings


def run_step(name: str, batch_id: int) -> Counts:
    """Run one step of a batch, and give its files back if it fails.

    Args:
        name: `validate`, `transform`, `load` or `archive`.
        batch_id: what `extract` returned.

    Returns:
        The step's counts, which the batch's report keeps as well.

    Raises:
        ClaimLostError: if the batch has ended meanwhile.
        Exception: whatever the step failed with; its files are pending again.
    """
    step: Callable[[Work], Counts] = getattr(importlib.import_module(f"etl.{name}"), name)
    settings = load_settings()
    started = time.monotonic()
    with connect(settings, "loader") as connection:
        batch = ledger.find_batch(connection, batch_id)
        work = Work(
            batch=batch,
            dataset=read_datasets(settings.datasets_folder)[batch.dataset],
            connection=connection,
            store=ObjectStore(settings),
            settings=settings,
        )
        try:
            with _sign_of_life(batch_id, settings):
                counts = step(work)
        except Exception as error:
            with suppress(psycopg.Error):  # the connection may be what is lost
                connection.rollback()
            _give_back(work, error)
            raise
        seconds = round(time.monotonic() - started, 3)
        ledger.report_step(connection, batch_id, name, {**counts, "seconds": seconds})
        log.info("%s: %s", name, ", ".join(f"{name} {count}" for name, count in counts.items()))
        return counts


def _give_back(work: Work, error: Exception) -> None:
    """Release the batch; if even the warehouse is away, its lease runs out by itself."""
    if isinstance(error, ClaimLostError):
        return
    message = f"{type(error).__name__}: {error}"
    blameless = isinstance(error, PlatformError) or is_outage(error)
    try:
        with connect(work.settings, "loader") as connection:
            ledger.release(connection, work.batch.batch_id, message, work.settings, blameless=blameless)
    except (PlatformError, psycopg.Error) as away:
        log.warning("Batch %d could not be given back, its lease will run out: %s", work.batch.batch_id, away)


def require_all(what: str, found: int, expected: int) -> None:
    """See that staging gave back all that was put there, before anything is built on it.

    Raises:
        TransientError: if it did not.
    """
    if found != expected:
        raise TransientError(
            f"Staging holds {found} {what} where {expected} were put: does a lifecycle rule or a person remove its "
            "objects? The files are read anew."
        )


@contextmanager
def _sign_of_life(batch_id: int, settings: Settings) -> Iterator[None]:
    """Renew the lease at once, and then every quarter of it, until the block ends."""
    with connect(settings, "loader") as connection:
        ledger.renew(connection, batch_id, settings)
    done = threading.Event()

    def beat() -> None:
        while not done.wait(settings.lease_seconds / 4):
            try:
                with connect(settings, "loader") as connection:
                    ledger.renew(connection, batch_id, settings)
            except (PlatformError, psycopg.Error) as error:
                log.warning("No sign of life could be given: %s", error)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
