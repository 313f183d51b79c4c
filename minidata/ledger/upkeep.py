"""Upkeep: old records are deleted, and a restored ledger learns where its files are now."""

from datetime import datetime

from minidata.ledger.release import release
from minidata.settings import Settings
from minidata.warehouse.connection import Connection

_FINAL = ("archived", "quarantined", "superseded", "excluded")


def prune(connection: Connection, days: float) -> int:
    """Delete batches that ended and alerts that were sent so many days ago; return how many.

    Files of the ledger stay, and so do a batch that a file still names, and the alert of a file that is still in the
    state that was told.
    """
    batches = connection.execute(
        "delete from mdp.batches b where ended_at < clock_timestamp() - %s * interval '1 day' and swept_at is not null "
        "and not exists (select from mdp.files f where b.batch_id in (f.batch_id, f.suspect_batch))",
        [days],
    ).rowcount
    alerts = connection.execute(
        "delete from mdp.alerts a where told_at < clock_timestamp() - %s * interval '1 day' and event <> kind "
        "and not exists (select from mdp.files f where f.file_id::text = a.event and f.state::text = a.kind)",
        [days],
    ).rowcount
    return batches + alerts


def release_all(connection: Connection, error: str, settings: Settings) -> None:
    """Release every batch that has not ended: its workers are gone, through no fault of its files."""
    for (batch,) in connection.execute("select batch_id from mdp.batches where ended_at is null").fetchall():
        release(connection, batch, error, settings, blameless=True)


def known_versions(connection: Connection) -> dict[tuple[str, str], bool]:
    """Return key and version of every file, and whether it has reached its final state."""
    rows = connection.execute("select key, version, state::text from mdp.files")
    return {(key, version): state in _FINAL for key, version, state in rows}


def replace_version(connection: Connection, key: str, old: str, new: str) -> None:
    """Enter that a version lies in raw under another id now."""
    connection.execute("update mdp.files set version = %s where (key, version) = (%s, %s)", [new, key, old])


def enter_version(
    connection: Connection, key: str, version: str, size: int, arrived_at: datetime, dataset: str
) -> None:
    """Enter a version that lies in raw, with the time when it first arrived."""
    connection.execute(
        "insert into mdp.files (key, version, size, arrived_at, dataset) values (%s, %s, %s, %s, %s)",
        [key, version, size, arrived_at, dataset],
    )
