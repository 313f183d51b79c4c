"""Connections to the warehouse, one role for one purpose."""

from typing import Any, Literal

import psycopg

from minidata.errors import PermanentError, TransientError
from minidata.settings import Settings

Role = Literal["owner", "loader", "bi"]
Connection = psycopg.Connection[tuple[Any, ...]]

# Classes of SQLSTATE that speak of the server: connection, rollback, resources, prerequisites, operator, system.
_AWAY = ("08", "40", "53", "55", "57", "58")
# It ended a transaction that waited too long for its client; it does not give our roles their rights.
_OURS = {"25P03", "42501"}


def conninfo(settings: Settings, role: Role) -> str:
    """Return the connection string of a role, with its password.

    Raises:
        PermanentError: if the role's password is not set.
    """
    return psycopg.conninfo.make_conninfo(
        _server(settings),
        dbname=settings.database_name,
        user=f"mdp_{role}",
        password=settings.secret(f"{role}_password"),
        application_name=f"mdp_{role}",
    )


def connect(settings: Settings, role: Role, *, idle_seconds: float | None = None) -> Connection:
    """Open a connection, which the caller closes; the loader's commits each statement outside a transaction block.

    Args:
        settings: address and passwords.
        role: who connects.
        idle_seconds: after which the server ends a transaction whose client does nothing, and frees its locks; by
            default what the role has.

    Raises:
        PermanentError: if the password is unset or wrong.
        TransientError: if the server cannot be reached.
    """
    place = conninfo(settings, role)
    if idle_seconds is not None:
        limit = f"-c idle_in_transaction_session_timeout={idle_seconds * 1000:.0f}"
        place = psycopg.conninfo.make_conninfo(place, options=limit)
    connection = _connect(settings, place, f"mdp_{role}", f"MDP_{role.upper()}_PASSWORD")
    connection.autocommit = role == "loader"
    return connection


def connect_administrator(settings: Settings, user: str, password: str, database: str = "postgres") -> Connection:
    """Open a connection of the server's administrator to a database, which the caller closes.

    Raises:
        PermanentError: if the password is wrong.
        TransientError: if the server cannot be reached.
    """
    place = psycopg.conninfo.make_conninfo(_server(settings), dbname=database, user=user, password=password)
    return _connect(settings, place, user, "MDP_ADMIN_PASSWORD")


def connect_app(settings: Settings, app: str, password: str) -> Connection:
    """Open a connection of an app to the database of its name, which the caller closes.

    Raises:
        PermanentError: if the password is wrong.
        TransientError: if the server cannot be reached.
    """
    place = psycopg.conninfo.make_conninfo(_server(settings), dbname=app, user=app, password=password)
    return _connect(settings, place, app, f"MDP_{app.upper()}_DATABASE_PASSWORD")


def _server(settings: Settings) -> str:
    return psycopg.conninfo.make_conninfo(
        host=settings.database_host,
        port=settings.database_port,
        sslmode=settings.database_tls,
        connect_timeout=5,
        # A dead peer is noticed in seconds, so that no step hangs on a server that has gone.
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
    )


def _connect(settings: Settings, place: str, user: str, variable: str) -> Connection:
    try:
        return psycopg.connect(place)
    except psycopg.OperationalError as error:
        where = f"PostgreSQL at {settings.database_host}:{settings.database_port}"
        if "password authentication failed" in str(error) or "no password supplied" in str(error):
            raise PermanentError(
                f"{where} refuses the password of {user}. Set {variable} to the password that the server was set up "
                "with; a new value in .env does not change it there."
            ) from error
        raise TransientError(f"{where} cannot be reached: {str(error).strip()}. Check `./mdp status`.") from error


def is_outage(error: BaseException) -> bool:
    """Return whether an error of the driver means that the server or our rights are in trouble, not the query."""
    if isinstance(error, psycopg.InterfaceError) or getattr(error, "sqlstate", None) in _OURS:
        return True
    return isinstance(error, psycopg.OperationalError) and (error.sqlstate or _AWAY[0]).startswith(_AWAY)
