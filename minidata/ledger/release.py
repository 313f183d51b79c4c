"""Release: what becomes of the files of a batch that died."""

from minidata.ledger.claims import free_moves, locked_batch
from minidata.settings import Settings
from minidata.warehouse.connection import Connection

# Seconds to wait after so many failures: doubles from the first delay up to a minute.
_DELAY = "least(%(retry)s * pow(2, least({failures}, 20) - 1), 60) * interval '1 second'"


def release(
    connection: Connection,
    batch_id: int,
    error: str,
    settings: Settings,
    *,
    blameless: bool = False,
) -> bool:
    """End a batch that died and give its files back.

    They are tried again in halves, and a file that was alone and has had all its attempts is `failed`. If the platform
    and not the files was at fault, they stay together, get the attempt back, and are never `failed` for it; the more
    batches died recently, the longer they wait, at most a minute.

    Args:
        connection: to the warehouse, as `mdp_loader`.
        batch_id: the batch.
        error: human-readable error.
        settings: attempts and delays.
        blameless: whether the platform was at fault.

    Returns:
        Whether it was alive.
    """
    with connection.transaction():
        ended = connection.execute(
            "update mdp.batches set ended_at = clock_timestamp(), outcome = 'died', error = %s "
            "where batch_id = %s and ended_at is null",
            [error, batch_id],
        ).rowcount
        if ended:
            if blameless:
                _spare(connection, batch_id, error, settings)
            else:
                _blame(connection, batch_id, None, error, settings)
            free_moves(connection, batch_id)
            connection.execute("select pg_notify('mdp_wake', '')")
    return bool(ended)


def release_run(connection: Connection, run: str, error: str, settings: Settings) -> bool:
    """Release what a run still holds, for a caller that learns of its end before the lease runs out."""
    rows = connection.execute("select batch_id from mdp.batches where run = %s and ended_at is null", [run]).fetchall()
    released = [release(connection, batch_id, error, settings) for (batch_id,) in rows]
    return any(released)


def give_back_file(connection: Connection, batch_id: int, file_id: int, error: str, settings: Settings) -> None:
    """Give one file back that could not be read, while its batch goes on; `failed` if it has had all its attempts.

    Raises:
        ClaimLostError: if the batch has ended.
    """
    with locked_batch(connection, batch_id):
        _blame(connection, batch_id, file_id, error, settings)


def give_back_unread(connection: Connection, batch_id: int) -> int:
    """Give the claimed files of a batch back that have no verdict yet, with their attempt; returns how many.

    Raises:
        ClaimLostError: if the batch has ended.
    """
    with locked_batch(connection, batch_id):
        given = connection.execute(
            "update mdp.files set state = 'pending', batch_id = null, attempts = attempts - 1 "
            "where batch_id = %s and state = 'claimed' and validated_at is null",
            [batch_id],
        ).rowcount
        connection.execute("select pg_notify('mdp_wake', '')")
    return given


def _spare(connection: Connection, batch_id: int, error: str, settings: Settings) -> None:
    """Give the claimed files of a batch back with their attempt; the delay grows with the batches that died."""
    connection.execute(
        "update mdp.files set state = 'pending', batch_id = null, error = %(error)s, attempts = attempts - 1, "
        f"due_at = clock_timestamp() + {_DELAY.format(failures='died.batches')} "
        "from (select count(*) as batches from mdp.batches where outcome = 'died' "
        "and ended_at > clock_timestamp() - interval '5 minutes') died "
        "where batch_id = %(batch)s and state = 'claimed'",
        {"batch": batch_id, "error": error, "retry": settings.retry_seconds},
    )


def _blame(connection: Connection, batch_id: int, file_id: int | None, error: str, settings: Settings) -> None:
    """Give the claimed files of a batch, or the one that is at fault, back as suspects."""
    connection.execute(
        "with died as (select file_id, count(*) over () as files from mdp.files where batch_id = %(batch)s "
        "and state = 'claimed' and (%(file)s::bigint is null or file_id = %(file)s)) "
        "update mdp.files f set batch_id = null, error = %(error)s, "
        "state = (case when files = 1 and attempts >= %(attempts)s then 'failed' else 'pending' end)::mdp.file_state, "
        "suspect_batch = %(batch)s, suspect_files = (files + 1) / 2, "
        "due_at = clock_timestamp() + "
        f"case when files > 1 then interval '0' else {_DELAY.format(failures='attempts')} end "
        "from died d where f.file_id = d.file_id",
        {
            "batch": batch_id,
            "file": file_id,
            "error": error,
            "attempts": settings.max_attempts,
            "retry": settings.retry_seconds,
        },
    )
