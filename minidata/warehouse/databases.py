"""Roles and databases of a PostgreSQL server, made where they are missing; needs the server's administrator.

Each function may run again: it sets the password and the grants, and keeps what is there.
"""

from psycopg import sql

from minidata.settings import PROJECT, Settings
from minidata.warehouse.connection import Connection
from minidata.warehouse.limits import is_superuser

_ROLE_SETTINGS = PROJECT / "warehouse" / "roles.sql"


def create_warehouse(admin: Connection, settings: Settings) -> None:
    """Create the roles `mdp_owner`, `mdp_loader` and `mdp_bi`, and the warehouse's database.

    Raises:
        PermanentError: if a password is not set.
    """
    for role in ("owner", "loader", "bi"):
        _create_role(admin, f"mdp_{role}", settings.secret(f"{role}_password"))
    admin.execute(_ROLE_SETTINGS.read_bytes())
    _create_database(admin, settings.database_name, "mdp_owner")
    database = sql.Identifier(settings.database_name)
    admin.execute(sql.SQL("grant connect, temporary on database {} to mdp_loader").format(database))
    admin.execute(sql.SQL("grant connect on database {} to mdp_bi").format(database))


def create_app_database(admin: Connection, name: str, password: str) -> None:
    """Create the role and the database of an app that keeps its own data on this server; both have the app's name."""
    _create_role(admin, name, password)
    _create_database(admin, name, name)


def create_events_role(admin: Connection, database: str, password: str) -> None:
    """Create `mdp_events`, the role that MinIO writes its events with (see `ledger.allow_events`)."""
    _create_role(admin, "mdp_events", password)
    admin.execute(sql.SQL("grant connect on database {} to mdp_events").format(sql.Identifier(database)))


def _create_role(admin: Connection, name: str, password: str) -> None:
    admin.autocommit = True  # `create database` does not run in a transaction
    role = sql.Identifier(name)
    if not admin.execute("select from pg_roles where rolname = %s", [name]).rowcount:
        admin.execute(sql.SQL("create role {} login").format(role))
    admin.execute(sql.SQL("alter role {} password {}").format(role, sql.Literal(password)))


def _create_database(admin: Connection, name: str, owner: str) -> None:
    """Create a database that only its owner may connect to."""
    database, role = sql.Identifier(name), sql.Identifier(owner)
    if not is_superuser(admin):
        # The administrator of a managed server is no superuser: only a member of a role may give it a database.
        admin.execute(sql.SQL("grant {} to current_user").format(role))
    if not admin.execute("select from pg_database where datname = %s", [name]).rowcount:
        admin.execute(sql.SQL("create database {} owner {}").format(database, role))
    admin.execute(sql.SQL("revoke all on database {} from public").format(database))
