"""Replay: another chance for files that failed, and what of the refused ones still waits for a person."""

from typing import LiteralString

from psycopg.rows import class_row

from minidata.ledger.files import FILE, File
from minidata.warehouse.connection import Connection

_REFUSED: LiteralString = (
    f"select distinct on (key, coalesce(sha256, version)) {FILE} from mdp.files f "
    "where state in ('invalid', 'quarantined', 'failed') and (%(keys)s::text[] is null or key = any(%(keys)s)) "
    "and not exists (select from mdp.files g where g.sha256 = f.sha256 and g.dataset = f.dataset "
    "and g.state in ('loaded', 'archived')) "
    "order by key, coalesce(sha256, version), arrived_at desc, file_id desc"
)


def retry_failed(connection: Connection, keys: list[str] | None = None) -> list[tuple[str, str]]:
    """Make failed files pending again as if they had just come: no attempt made, under no suspicion.

    Args:
        connection: to the warehouse, as `mdp_loader`.
        keys: whose versions; without them every failed file.

    Returns:
        Key and version of each file that is pending now, oldest arrival first.
    """
    rows = connection.execute(
        "with again as (update mdp.files set state = 'pending', attempts = 0, error = null, "
        "due_at = clock_timestamp(), "
        "suspect_batch = null, suspect_files = null "
        "where state = 'failed' and (%(keys)s::text[] is null or key = any(%(keys)s)) "
        "returning key, version, arrived_at, file_id) "
        "select key, version from again order by arrived_at, file_id",
        {"keys": keys},
    ).fetchall()
    connection.execute("select pg_notify('mdp_wake', '')")
    connection.commit()
    return rows


def refused_files(connection: Connection, *, keys: list[str] | None = None, limit: int | None = None) -> list[File]:
    """Return the files that are not in and wait for a person, newest arrival first.

    Of versions of a key with one content only the newest counts, and none whose content was accepted later.

    Args:
        connection: to the warehouse.
        keys: only versions of these.
        limit: at most so many.
    """
    with connection.cursor(row_factory=class_row(File)) as cursor:
        found = cursor.execute(
            f"select * from ({_REFUSED}) r order by arrived_at desc, file_id desc limit %(limit)s",
            {"keys": keys, "limit": limit},
        ).fetchall()
    connection.commit()
    return found
