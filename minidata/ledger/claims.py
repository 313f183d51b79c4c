"""Claims: who works on which files, and for how long.

All times are the database's. A batch is alive until somebody ends it: its worker when it is done, or anybody who
finds its lease run out. What a batch commits, it commits under a lock on its own row while it is alive
(`locked_batch`), so a worker that comes back late can do no harm.
"""

from dataclasses import dataclass
from datetime import timedelta

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
