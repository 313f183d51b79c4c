"""Migrations: numbered SQL files, each run once, in one transaction, and never changed afterwards."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from minidata.dataset import Dataset, declared_datasets
from minidata.errors import PermanentError
from minidata.settings import PROJECT, Settings
from minidata.warehouse.connection import Connection
from minidata.warehouse.mart import apply_mart
from minidata.warehouse.tables import create_tables

MIGRATIONS = PROJECT / "warehouse" / "migrations"
_LOCK = 7_463_001  # any constant; two migrations at once wait for each other


def upgrade(owner: Connection, settings: Settings) -> list[str]:
    """Bring a warehouse up to date: migrations, tables of the datasets, reading views.

    Returns:
        Names of the migrations that were run.
    """
    applied = migrate(owner)
    apply_datasets(owner, declared_datasets(settings).values())
    apply_mart(owner, settings.datasets_folder)
    return applied


def migrate(connection: Connection, folder: Path = MIGRATIONS) -> list[str]:
    """Run the migrations that this database has not seen, and return their names; needs `mdp_owner`.

    Raises:
        PermanentError: if a migration that has been run was changed afterwards.
    """
    connection.execute("select pg_advisory_lock(%s)", [_LOCK])
    try:
        connection.execute(
            "create table if not exists public.mdp_migrations "
            "(name text primary key, sha256 text not null, applied_at timestamptz not null default now())"
        )
        known: dict[str, str] = dict(connection.execute("select name, sha256 from public.mdp_migrations").fetchall())
        connection.commit()
        applied = []
        for file in sorted(folder.glob("*.sql")):
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            if known.get(file.name, digest) != digest:
                raise PermanentError(
                    f"{file.name} was changed after it had been run on this database. "
                    "Put it back as it was and write the change as a new migration."
                )
            if file.name not in known:
                with connection.transaction():
                    connection.execute(file.read_bytes())
                    connection.execute(
                        "insert into public.mdp_migrations (name, sha256) values (%s, %s)",
                        [file.name, digest],
                    )
                applied.append(file.name)
        return applied
    finally:
        connection.rollback()
        connection.execute("select pg_advisory_unlock(%s)", [_LOCK])
        connection.commit()


def apply_datasets(connection: Connection, datasets: Iterable[Dataset]) -> None:
    """Create what a declaration needs and the warehouse lacks: its schema, tables, indexes and mart views.

    Raises:
        PermanentError: if a table exists with other columns than the declaration gives it.
    """
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        for dataset in datasets:
            create_tables(connection, dataset)
