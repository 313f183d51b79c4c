"""Migrations: numbered SQL files, each run once, in one transaction, and never changed afterwards."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from psycopg import sql

from minidata.dataset import Dataset
from minidata.errors import PermanentError
from minidata.settings import PROJECT, Settings
from minidata.warehouse.connection import Connection
from minidata.warehouse.tables import create_tables

MIGRATIONS = PROJECT / "warehouse" / "migrations"
ROLES = PROJECT / "warehouse" / "roles.sql"
_LOCK = 7_463_001  # any constant; two migrations at once wait for each other


def create_roles(connection: Connection, settings: Settings) -> None:
    """Create the roles of the warehouse and set their passwords; needs the server's administrator."""
    passwords = {f"{role}_password": settings.secret(f"{role}_password") for role in ("owner", "loader", "bi")}
    text = ROLES.read_text(encoding="utf-8")
    for name, password in passwords.items():
        text = text.replace("{" + name + "}", sql.Literal(password).as_string(connection))
    connection.execute(text.encode())
    connection.commit()


def create_warehouse(connection: Connection, settings: Settings) -> None:
    """Create the warehouse's database, and say who may connect; needs the administrator, outside a transaction."""
    database = sql.Identifier(settings.database_name)
    connection.commit()
    connection.autocommit = True
    query = "select 1 from pg_database where datname = %s"
    if not connection.execute(query, [settings.database_name]).fetchone():
        connection.execute(sql.SQL("create database {} owner mdp_owner").format(database))
    connection.execute(sql.SQL("revoke all on database {} from public").format(database))
    connection.execute(sql.SQL("grant connect, temporary on database {} to mdp_loader").format(database))
    connection.execute(sql.SQL("grant connect on database {} to mdp_bi").format(database))


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
