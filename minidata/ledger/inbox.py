"""The inbox: events of the store, as S3 notifications, each no more than a hint to look."""

from collections.abc import Iterable
from typing import Any

from psycopg.types.json import Jsonb

from minidata.warehouse.connection import Connection

CHANNEL = "mdp_wake"  # of the NOTIFY that comes with a new row, and whenever more waits than a batch takes
_AT_ONCE = 1000
_STALE_SECONDS = 60


def write_inbox(connection: Connection, notifications: Iterable[dict[str, Any]]) -> None:
    """Add notifications to the inbox, all in one transaction."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "insert into mdp.inbox (event_time, event_data) values (now(), %s)", [(Jsonb(n),) for n in notifications]
        )


def read_inbox(connection: Connection) -> dict[int, Any]:
    """Return the oldest notifications in the inbox by their id, at most 1,000."""
    rows = connection.execute(
        "select inbox_id, event_data from mdp.inbox order by inbox_id limit %s", [_AT_ONCE]
    ).fetchall()
    connection.commit()
    return dict(rows)


def clear_inbox(connection: Connection, done: list[int]) -> None:
    """Delete events whose versions are in the ledger, and all that are older than a minute."""
    connection.execute(
        "delete from mdp.inbox where inbox_id = any(%s) or event_time < clock_timestamp() - make_interval(secs => %s)",
        [done, _STALE_SECONDS],
    )
    connection.commit()


def allow_events(owner: Connection) -> None:
    """Let `mdp_events`, if there is one, add to the inbox; MinIO also checks that the table exists."""
    with owner.transaction():
        if owner.execute("select from pg_roles where rolname = 'mdp_events'").rowcount:
            owner.execute("grant usage on schema mdp to mdp_events")
            owner.execute("grant select, insert on mdp.inbox to mdp_events")
