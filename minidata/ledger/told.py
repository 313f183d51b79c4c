"""What people were told of: each event once."""

from collections.abc import Collection, Sequence
from typing import Literal

from minidata.ledger.markers import PATTERN
from minidata.warehouse.connection import Connection


def untold_files(connection: Connection, state: Literal["quarantined", "failed"]) -> list[tuple[str, str, str]]:
    """Return event, key and reason of each open file of a state that was not told, oldest entry first."""
    return connection.execute(
        "select file_id::text, key, coalesce(nullif(array_to_string(reasons, ', '), ''), error, '') from mdp.files f "
        "where open and state::text = %(state)s and key !~ %(markers)s and not exists "
        "(select from mdp.alerts a where a.kind = %(state)s and a.event = f.file_id::text) order by file_id",
        {"state": state, "markers": PATTERN},
    ).fetchall()


def was_told(connection: Connection, kind: str) -> bool:
    """Return whether a condition was told and has lasted since."""
    return connection.execute("select from mdp.alerts where (kind, event) = (%s, %s)", [kind, kind]).rowcount > 0


def remember_told(connection: Connection, kind: str, events: Sequence[str]) -> None:
    """Enter that people were told of some events."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "insert into mdp.alerts (kind, event) values (%s, %s) on conflict do nothing",
            [(kind, event) for event in events],
        )


def forget_told(connection: Connection, kinds: Collection[str]) -> None:
    """Forget conditions that are over, so that they are told when they come back."""
    connection.execute("delete from mdp.alerts where kind = event and kind = any(%s)", [list(kinds)])
