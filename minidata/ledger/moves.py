"""Moves: what of a batch is still to be brought from `raw` to its place; tried for ever, and never loaded again."""

from datetime import timedelta

from psycopg.rows import class_row

from minidata.ledger.files import BATCH_FILE, BatchFile
from minidata.warehouse.connection import Connection

_LONGEST_DELAY = timedelta(minutes=1)


def due_moves(connection: Connection, batch_id: int) -> list[BatchFile]:
    """Return the files of a batch that are loaded or invalid and still in `raw`."""
    with connection.cursor(row_factory=class_row(BatchFile)) as cursor:
        found = cursor.execute(
            f"select {BATCH_FILE} from mdp.files where batch_id = %s and state in ('loaded', 'invalid') "
            "order by file_id",
            [batch_id],
        ).fetchall()
    connection.commit()
    return found


def mark_moved(connection: Connection, file: BatchFile, archive_key: str) -> None:
    """Enter that a file is in its place and gone from `raw`."""
    connection.execute(
        "update mdp.files set state = (case state when 'loaded' then 'archived' else 'quarantined' end)"
        "::mdp.file_state, archive_key = %s, moved_at = clock_timestamp(), batch_id = null, error = null "
        "where file_id = %s and state in ('loaded', 'invalid')",
        [archive_key, file.file_id],
    )
    connection.commit()


def postpone_move(connection: Connection, file: BatchFile, error: str) -> None:
    """Enter that a move failed; it is due again after as long as it has been outstanding, at most a minute."""
    connection.execute(
        "update mdp.files set error = %s, batch_id = null, due_at = clock_timestamp() + "
        "least(interval '1 second' + clock_timestamp() - coalesce(loaded_at, validated_at), %s) "
        "where file_id = %s and state in ('loaded', 'invalid')",
        [error, _LONGEST_DELAY, file.file_id],
    )
    connection.commit()
