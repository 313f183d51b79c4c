"""Migrations: numbered SQL files, each run once, in one transaction, and never changed afterwards."""

import hashlib
from functools import partial
from pathlib import Path

from minidata.dataset import declared_datasets
from minidata.errors import PermanentError
from minidata.settings import PROJECT, Settings
from minidata.warehouse.connection import Connection
from minidata.warehouse.ddl import change_objects
from minidata.warehouse.mart import apply_mart
from minidata.warehouse.plan import Plan, apply_datasets

MIGRATIONS = PROJECT / "warehouse" / "migrations"


def upgrade(owner: Connection, settings: Settings) -> list[str]:
    """Bring a warehouse up to date: migrations, tables of the datasets, reading views.

    Returns:
        Names of the migrations that were run.
    """
    applied = migrate(owner)
    apply_declarations(owner, settings)
    return applied


def apply_declarations(owner: Connection, settings: Settings) -> list[Plan]:
    """Bring the tables of all datasets and all reading views in line with their declarations, all or none.

    It may run while the platform works, at once with others, and be killed: it commits everything or nothing.

    Returns:
        What was done, for each dataset.

    Raises:
        PermanentError: if a table cannot be made what a declaration says, or a declaration is wrong.
        TransientError: if another session is in the way; the message names it.
    """

    def apply() -> list[Plan]:
        plans = apply_datasets(owner, declared_datasets(settings).values())
        apply_mart(owner, settings.datasets_folder)
        return plans

    return change_objects(owner, apply)


def migrate(connection: Connection, folder: Path = MIGRATIONS) -> list[str]:
    """Run the migrations that this database has not seen, and return their names; needs `mdp_owner`.

    Raises:
        PermanentError: if a migration that has been run was changed afterwards.
        TransientError: if another session is in the way; the message names it.
    """
    files = sorted(folder.glob("*.sql"))
    return [file.name for file in files if change_objects(connection, partial(_migrate, connection, file))]


def _migrate(connection: Connection, file: Path) -> bool:
    connection.execute(
        "create table if not exists public.mdp_migrations "
        "(name text primary key, sha256 text not null, applied_at timestamptz not null default now())"
    )
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    known = connection.execute("select sha256 from public.mdp_migrations where name = %s", [file.name]).fetchone()
    if known and known[0] != digest:
        raise PermanentError(
            f"{file.name} was changed after it had been run on this database. "
            "Put it back as it was and write the change as a new migration."
        )
    if known:
        return False
    connection.execute(file.read_bytes())
    connection.execute("insert into public.mdp_migrations (name, sha256) values (%s, %s)", [file.name, digest])
    return True
