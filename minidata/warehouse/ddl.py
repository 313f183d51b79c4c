"""Changes of the warehouse's objects while it is used: bounded waits, and the name of the session in the way."""

import time
from collections.abc import Callable
from typing import LiteralString, TypeVar

import psycopg

from minidata.errors import TransientError
from minidata.warehouse.connection import Connection

T = TypeVar("T")
_LOCK = 7_463_001  # any constant; one process at a time changes the warehouse's objects
_WAIT_SECONDS = 2  # for a lock, so long do new readers queue behind us
_TRIES = 5
_PAUSE_SECONDS = 1


def change_objects(connection: Connection, change: Callable[[], T]) -> T:
    """Change objects of the warehouse in one transaction, all or none, without waiting long for anyone.

    Args:
        connection: of the owner.
        change: does it; runs again if a lock was not to be had.

    Raises:
        TransientError: if another session holds a lock after several tries; the message names it.
    """
    for _ in range(_TRIES):
        try:
            with connection.transaction():
                connection.execute("select set_config('lock_timeout', %s, true)", [f"{_WAIT_SECONDS}s"])
                connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
                return change()
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            in_the_way = _sessions_in_the_way(connection)
            time.sleep(_PAUSE_SECONDS)
    raise TransientError(
        f"Tables and views of the warehouse could not be changed, because another session uses them: {in_the_way}. "
        "Nothing was changed. Close that session, or end it with `select pg_terminate_backend(PID)`, and run the "
        "command again."
    )


def _sessions_in_the_way(connection: Connection) -> str:
    """Name the sessions that hold locks on objects of the warehouse, longest transaction first."""
    query: LiteralString = (
        "select format('PID %%s of %%s, whose transaction began at %%s with the last query %%s', a.pid, a.usename, "
        "coalesce(to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC'), 'an unknown time'), "
        "quote_literal(left(regexp_replace(a.query, '\\s+', ' ', 'g'), 100))) "
        "from pg_stat_activity a where a.pid <> pg_backend_pid() and exists (select from pg_locks l "
        "left join pg_class c on c.oid = l.relation where l.pid = a.pid and l.granted and "
        "(l.locktype = 'advisory' and l.objid = %s or c.relkind in ('r', 'v', 'i') and c.relnamespace not in "
        "(select oid from pg_namespace where nspname ~ '^(pg_|information_schema)'))) "
        "order by a.xact_start limit 3"
    )
    with connection.transaction():
        rows = connection.execute(query, [_LOCK]).fetchall()
    return "; ".join(text for (text,) in rows) or "it has ended meanwhile"
