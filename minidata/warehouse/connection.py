"""Connections to the warehouse, one role for one purpose."""

from typing import Any, Literal

import psycopg

from minidata.errors import PermanentError, TransientError
from minidata.settings import Settings

Role = Literal["owner", "loader", "bi"]
Connection = psycopg.Connection[tuple[Any, ...]]

# Classes of SQLSTATE that speak of the server: connection, rollback, resources, prerequisites, operator, system.
_AWAY = ("08", "40", "53", "55", "57", "58")


def conninfo(settings: Settings, role: Role) -> str:
    """Write the connection string of a role, its password included.

    Raises:
        PermanentError: if the role's password is not set.
    """
    return psycopg.conninfo.make_conninfo(
        host=settings.database_host,
        port=settings.database_port,
        dbname=settings.database_name,
        user=f"mdp_{role}",
        password=settings.secret(f"{role}_password"),
        sslmode=settings.database_tls,
        connect_timeout=5,
        application_name=f"mdp_{role}",
        # A dead peer is noticed in seconds, so that no step hangs on a server that has gone.
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
    )


def connect(settings: Settings, role: Role) -> Connection:
    """Open a connection, which the caller closes.

    Raises:
        PermanentError: if the password is unset or wrong.
        TransientError: if the server cannot be reached.
    """
    try:
        return psycopg.connect(conninfo(settings, role))
    except psycopg.OperationalError as error:
        raise _explained(error, settings, role) from error


def _explained(error: psycopg.OperationalError, settings: Settings, role: Role) -> Exception:
    where = f"PostgreSQL at {settings.database_host}:{settings.database_port}"
    if "password authentication failed" in str(error) or "no password supplied" in str(error):
        return PermanentError(
            f"{where} refuses the password of mdp_{role}. "
            f"MDP_{role.upper()}_PASSWORD must be the one that the server was set up with."
        )
    return TransientError(f"{where} cannot be reached: {str(error).strip()}. Is it running? See `./mdp status`.")


def is_outage(error: BaseException) -> bool:
    """Tell whether an error of the driver means that the server is away or in trouble, not that the query is wrong."""
    if isinstance(error, psycopg.InterfaceError):
        return True
    return isinstance(error, psycopg.OperationalError) and (error.sqlstate or _AWAY[0]).startswith(_AWAY)
