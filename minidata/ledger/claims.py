"""Claims: which worker holds which files, and for how long.

All times are the database's. A batch is alive until it is ended: by its worker, or by anyone who finds that its lease
has run out. What a batch commits, it commits under a lock on its own row while it is alive, so a worker that comes
back late can do no harm.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import psycopg
from psycopg.rows import class_row

from minidata.errors import ClaimLostError, PlatformError
from minidata.ledger.queue import due_pending
from minidata.settings import Settings
from minidata.warehouse.connection import Connection, connect

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Batch:
    """A claim on some files.

    Attributes:
        batch_id: what passes from step to step.
        token: names its folder in staging.
        dataset: of all its files.
    """

    batch_id: int
    token: str
    dataset: str


def claim(connection: Connection, dataset: str, run: str, settings: Settings) -> Batch | None:
    """Claim files that are due: pending ones to load, and loaded or invalid ones to move.

    Files of a batch that died are claimed apart, in groups half as large, so that a file that kills its worker ends up
    alone and takes no other with it. `run` names the work, for `release_run`.

    Files that may take long (large or compressed ones, and suspects) are claimed apart too, and only as long as a
    slot stays free for small ones. Folders and sizes take turns, so that many files of one kind do not hold up others.

    Returns:
        The batch, or None if nothing is due.
    """
    with connection.transaction():
        lock_dataset(connection, f"{dataset}: claim")  # what is at work decides what is claimed
        pending = due_pending(connection, dataset, settings)
        moves = [
            file_id
            for (file_id,) in connection.execute(
                "select file_id from mdp.files where dataset = %s and state in ('loaded', 'invalid') "
                "and due_at <= clock_timestamp() and batch_id is null "
                "order by due_at, file_id limit %s for update skip locked",
                [dataset, settings.batch_files],
            )
        ]
        if not pending and not moves:
            return None
        batch = (
            connection.cursor(row_factory=class_row(Batch))
            .execute(
                "insert into mdp.batches (dataset, run, lease_until) values (%s, %s, clock_timestamp() + %s) "
                "returning batch_id, token::text, dataset",
                [dataset, run, timedelta(seconds=settings.lease_seconds)],
            )
            .fetchone()
        )
        assert batch is not None  # noqa: S101  an insert returns its row
        connection.execute(
            "update mdp.files set state = 'claimed', batch_id = %s, attempts = attempts + 1, error = null, "
            "claimed_at = clock_timestamp(), validated_at = null where file_id = any(%s)",
            [batch.batch_id, pending],
        )
        connection.execute("update mdp.files set batch_id = %s where file_id = any(%s)", [batch.batch_id, moves])
        # More may wait than one batch takes: let the trigger look again at once.
        connection.execute("select pg_notify('mdp_wake', '')")
        return batch


def late_batches(connection: Connection) -> list[int]:
    """Return the ids of the batches whose lease has run out; they are locked until the caller's transaction ends."""
    # A row that another transaction locks belongs to a batch that is committing: it is alive.
    rows = connection.execute(
        "select batch_id from mdp.batches where ended_at is null and lease_until < clock_timestamp() "
        "for update skip locked"
    )
    return [batch_id for (batch_id,) in rows]


def find_batch(connection: Connection, batch_id: int) -> Batch:
    """Return a batch by its id.

    Raises:
        PlatformError: if the ledger has none of this id.
    """
    query = "select batch_id, token::text, dataset from mdp.batches where batch_id = %s"
    batch = connection.cursor(row_factory=class_row(Batch)).execute(query, [batch_id]).fetchone()
    if batch is None:
        raise PlatformError(f"There is no batch {batch_id} in the ledger.")
    return batch


@contextmanager
def heartbeat(batch_id: int, settings: Settings) -> Iterator[None]:
    """Renew the lease of a batch at once, and then every quarter of it, until the block ends.

    Raises:
        ClaimLostError: if the batch has ended already.
    """
    done = threading.Event()

    def beat() -> None:
        with connect(settings, "loader") as connection:
            renew(connection, batch_id, settings)

    def keep_beating() -> None:
        while not done.wait(settings.lease_seconds / 4):
            try:
                beat()
            except ClaimLostError:
                return  # the step learns of it when it commits
            except (PlatformError, psycopg.Error) as error:
                log.warning("Heartbeat failed: %s", error)

    beat()
    thread = threading.Thread(target=keep_beating, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def renew(connection: Connection, batch_id: int, settings: Settings) -> None:
    """Renew the lease of a batch.

    Raises:
        ClaimLostError: if the batch has ended.
    """
    alive = connection.execute(
        "update mdp.batches set lease_until = clock_timestamp() + %s where batch_id = %s and ended_at is null",
        [timedelta(seconds=settings.lease_seconds), batch_id],
    ).rowcount
    if not alive:
        raise _claim_lost(batch_id)


def lock_dataset(connection: Connection, dataset: str) -> None:
    """Lock the tables of a dataset for a load until the caller's transaction ends.

    The lock is a row that only the loader can lock: a reader could take an advisory lock and stop all loads.
    """
    connection.execute("insert into mdp.locks (dataset) values (%s) on conflict do nothing", [dataset])
    connection.execute("select from mdp.locks where dataset = %s for update", [dataset])


@contextmanager
def locked_batch(connection: Connection, batch_id: int) -> Iterator[None]:
    """Run a short transaction that holds the lock on the batch's row; it commits at the end of the block.

    Raises:
        ClaimLostError: if the batch has ended; nothing is committed.
    """
    with connection.transaction():
        assert_claim(connection, batch_id)
        yield


def assert_claim(connection: Connection, batch_id: int) -> None:
    """Lock the batch's row until the caller's transaction ends, so that the batch cannot be ended before it.

    Raises:
        ClaimLostError: if the batch has ended; the caller must not commit.
    """
    alive = connection.execute(
        "select from mdp.batches where batch_id = %s and ended_at is null for update", [batch_id]
    ).rowcount
    if not alive:
        raise _claim_lost(batch_id)


def _claim_lost(batch_id: int) -> ClaimLostError:
    """Return the error of a batch that may not go on."""
    return ClaimLostError(
        f"Batch {batch_id} has ended, or its lease ran out and its files were given back. "
        "It committed nothing more; another batch loads the files."
    )


def end_batch(connection: Connection, batch_id: int) -> None:
    """End a batch that did its work; failed moves are left for the next batch."""
    with connection.transaction():
        connection.execute(
            "update mdp.batches set ended_at = clock_timestamp(), outcome = 'done' "
            "where batch_id = %s and ended_at is null",
            [batch_id],
        )
        free_moves(connection, batch_id)
        connection.execute("select pg_notify('mdp_wake', '')")  # a file may wait for this slot


def free_moves(connection: Connection, batch_id: int) -> None:
    """Let the next batch take the moves that this one leaves outstanding."""
    connection.execute(
        "update mdp.files set batch_id = null where batch_id = %s and state in ('loaded', 'invalid')", [batch_id]
    )
