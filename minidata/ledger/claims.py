"""Claims: who works on which files, and for how long.

All times are the database's. A batch is alive until somebody ends it: its worker when it is done, or anybody who
finds its lease run out. What a batch commits, it commits under a lock on its own row while it is alive
(`locked_batch`), so a worker that comes back late can do no harm.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from minidata.errors import PlatformError
from minidata.ledger.lock import claim_lost
from minidata.ledger.release import free_moves, release_dead
from minidata.settings import Settings
from minidata.warehouse.connection import Connection


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
    """Claim files that are due: pending ones to load, and loaded or invalid ones whose move is outstanding.

    Files of a batch that died are claimed apart, in groups half as large, so that one file that kills its
    worker is alone in the end and takes no other along.

    Args:
        connection: to the warehouse, as `mdp_loader`.
        dataset: whose files.
        run: a name for the work, so that `release_run` can find it.
        settings: size of a batch and length of the lease.

    Returns:
        The batch, or None if nothing is due.
    """
    release_dead(connection, settings)
    pending = _due_pending(connection, dataset, settings)
    moves = [
        file_id
        for (file_id,) in connection.execute(
            "select f.file_id from mdp.files f where f.dataset = %s and f.state in ('loaded', 'invalid') "
            "and f.due_at <= clock_timestamp() and f.batch_id is null "
            "order by f.due_at, f.file_id limit %s for update skip locked",
            [dataset, settings.batch_files],
        ).fetchall()
    ]
    if not pending and not moves:
        connection.rollback()
        return None
    row = connection.execute(
        "insert into mdp.batches (dataset, run, lease_until) values (%s, %s, clock_timestamp() + %s) "
        "returning batch_id, token::text",
        [dataset, run, timedelta(seconds=settings.lease_seconds)],
    ).fetchone()
    assert row is not None  # noqa: S101  an insert returns its row
    batch_id, token = row
    connection.execute(
        "update mdp.files set state = 'claimed', batch_id = %s, attempts = attempts + 1, error = null, "
        "claimed_at = clock_timestamp(), validated_at = null where file_id = any(%s)",
        [batch_id, pending],
    )
    connection.execute("update mdp.files set batch_id = %s where file_id = any(%s)", [batch_id, moves])
    # More may wait than one batch takes: let the trigger look again at once.
    connection.execute("select pg_notify('mdp_wake', '')")
    connection.commit()
    return Batch(batch_id, token, dataset)


def _due_pending(connection: Connection, dataset: str, settings: Settings) -> list[int]:
    """Lock the files of the next batch; the oldest one decides whether it is a group of suspects."""
    due = "dataset = %s and state = 'pending' and due_at <= clock_timestamp()"
    head = connection.execute(
        f"select suspect_batch, suspect_files from mdp.files where {due} "
        "order by due_at, file_id limit 1 for update skip locked",
        [dataset],
    ).fetchone()
    if head is None:
        return []
    suspect_batch, suspect_files = head
    rows = connection.execute(
        f"select file_id, size from mdp.files where {due} and suspect_batch is not distinct from %s "
        "order by due_at, file_id limit %s for update skip locked",
        [dataset, suspect_batch, suspect_files or settings.batch_files],
    ).fetchall()
    chosen: list[int] = []
    size = 0
    for file_id, file_size in rows:
        size += file_size
        if chosen and size > settings.batch_bytes:
            break
        chosen.append(file_id)
    return chosen


def renew(connection: Connection, batch_id: int, settings: Settings) -> None:
    """Give a sign of life.

    Raises:
        ClaimLostError: if the batch has been ended.
    """
    alive = connection.execute(
        "update mdp.batches set lease_until = clock_timestamp() + %s where batch_id = %s and ended_at is null",
        [timedelta(seconds=settings.lease_seconds), batch_id],
    ).rowcount
    connection.commit()
    if not alive:
        raise claim_lost(batch_id)


def end_batch(connection: Connection, batch_id: int) -> None:
    """End a batch that did its work; moves that failed stay due and are free for the next one."""
    connection.execute(
        "update mdp.batches set ended_at = clock_timestamp(), outcome = 'done' "
        "where batch_id = %s and ended_at is null",
        [batch_id],
    )
    free_moves(connection, batch_id)
    connection.commit()


def find_batch(connection: Connection, batch_id: int) -> Batch:
    """Return a batch by its id.

    Raises:
        PlatformError: if the ledger has none of this id.
    """
    with connection.cursor(row_factory=class_row(Batch)) as cursor:
        batch = cursor.execute(
            "select batch_id, token::text, dataset from mdp.batches where batch_id = %s", [batch_id]
        ).fetchone()
    connection.commit()
    if batch is None:
        raise PlatformError(f"There is no batch {batch_id} in the ledger.")
    return batch


def report_step(connection: Connection, batch_id: int, step: str, counts: Mapping[str, float]) -> None:
    """Keep what a step counted in the report of its batch."""
    connection.execute(
        "update mdp.batches set report = report || %s where batch_id = %s", [Jsonb({step: counts}), batch_id]
    )
    connection.commit()


def step_counts(connection: Connection, batch_id: int, step: str) -> dict[str, int]:
    """Return what an earlier step of a batch counted; empty if it has not run."""
    row = connection.execute("select report->%s from mdp.batches where batch_id = %s", [step, batch_id]).fetchone()
    connection.commit()
    return dict(row[0]) if row and row[0] else {}


def unswept_batches(connection: Connection, hours: float) -> list[Batch]:
    """Return batches that ended so many hours ago and may still have files in staging, oldest first, at most 20."""
    with connection.cursor(row_factory=class_row(Batch)) as cursor:
        found = cursor.execute(
            "select batch_id, token::text, dataset from mdp.batches "
            "where swept_at is null and ended_at < clock_timestamp() - %s order by batch_id limit 20",
            [timedelta(hours=hours)],
        ).fetchall()
    connection.commit()
    return found


def mark_swept(connection: Connection, batch_id: int) -> None:
    """Enter that a batch has nothing left in staging."""
    connection.execute("update mdp.batches set swept_at = clock_timestamp() where batch_id = %s", [batch_id])
    connection.commit()
