"""Limits of the reading role, set and enforced from outside it."""

from psycopg import sql

from minidata.settings import PROJECT
from minidata.warehouse.connection import Connection

_FOLDER = PROJECT / "warehouse" / "limits"


def is_superuser(admin: Connection) -> bool:
    """Tell whether the administrator may change what belongs to the server; on a managed server it may not."""
    return bool(admin.execute("select from pg_roles where rolname = current_user and rolsuper").rowcount)


def limit_server(admin: Connection) -> None:
    """Set the limits of the server; needs a superuser and its connection to the database `postgres`."""
    admin.execute((_FOLDER / "server.sql").read_bytes())


def limit_warehouse(admin: Connection, password: str) -> None:
    """Revoke dangerous functions from readers and make the watch over them.

    Args:
        admin: a superuser's connection to the migrated warehouse.
        password: of `mdp_bi`, which the watch keeps.
    """
    with admin.transaction():
        admin.execute((_FOLDER / "functions.sql").read_bytes())
        admin.execute((_FOLDER / "watch.sql").read_bytes())
        admin.execute(sql.SQL("alter role mdp_bi password {}").format(sql.Literal(password)))
        admin.execute((_FOLDER / "kept.sql").read_bytes())


def limit_readers(connection: Connection) -> int:
    """End sessions of the reading role that exceed its limits, and undo changes of its settings and its password.

    Args:
        connection: to the warehouse, as `mdp_loader`.

    Returns:
        How many sessions were ended; 0 if the set-up could not make the watch, as on a managed server.
    """
    row = connection.execute("select to_regprocedure('mdp.limit_readers()') is not null").fetchone()
    if row and row[0]:
        row = connection.execute("select mdp.limit_readers()").fetchone()
    return int(row[0]) if row else 0
