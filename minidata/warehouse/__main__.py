"""Sets up a PostgreSQL server for the platform: roles, databases, migrations, tables, views; again without harm.

Run as `python -m minidata.warehouse`, with the `MDP_*` settings, before anything else uses the server: by Compose,
by a Helm hook, or by hand. Needs the server's administrator, unless a person has made the roles (`--no-roles`).
"""

import argparse
import sys
from collections.abc import Sequence

import psycopg
from psycopg import sql
from pydantic import Field, SecretStr

from minidata.dataset import declared_datasets
from minidata.errors import PermanentError, TransientError
from minidata.ledger import allow_events
from minidata.one_shot import run_one_shot
from minidata.settings import Settings, read_settings
from minidata.warehouse import migrate as steps
from minidata.warehouse.connection import Connection, connect, conninfo
from minidata.warehouse.mart import apply_mart

GUESTS = ("airflow", "metabase")  # programs that may have a role and a database of their own on this server


class Administration(Settings):
    """The settings, and the secrets that only whoever sets up a server needs."""

    admin_user: str = Field("mdp_admin", description="Administrator of the PostgreSQL server.")
    admin_password: SecretStr | None = Field(None, description="Its password.")
    events_password: SecretStr | None = Field(None, description="Of `mdp_events`, which MinIO writes events with.")
    airflow_database_password: SecretStr | None = Field(None, description="Of the role `airflow`.")
    metabase_database_password: SecretStr | None = Field(None, description="Of the role `metabase`.")
    s3_admin_access_key_id: str | None = Field(None, description="Key of the store's administrator.")
    s3_admin_secret_access_key: SecretStr | None = Field(None, description="Secret of that key.")


def administration() -> Administration:
    """Read the settings from the environment and, what is unset there, from the files in `MDP_SECRETS_FOLDER`.

    Raises:
        PermanentError: if a value is one that its field does not take, or a secret cannot be read.
    """
    return read_settings(Administration)


def set_up(settings: Administration, guests: Sequence[str] = (), *, roles: bool = True) -> list[str]:
    """Bring a server to what the platform needs, whatever it has already.

    Args:
        settings: where it is, and the secrets.
        guests: of `GUESTS`, who gets a role and a database.
        roles: make roles and databases; needs the administrator.

    Returns:
        The migrations that were run.

    Raises:
        PermanentError: if a password is unset or refused.
        TransientError: if the server is away.
    """
    if roles:
        with connect_administrator(settings) as admin:
            steps.create_roles(admin, settings)
            become(admin, "mdp_owner")
            steps.create_warehouse(admin, settings)
            if settings.events_password:
                create_events_role(admin, settings.database_name, settings.events_password.get_secret_value())
            for guest in guests:
                create_guest(admin, guest, settings.secret(f"{guest}_database_password"))
    with connect(settings, "owner") as owner:
        applied = steps.migrate(owner)
        steps.apply_datasets(owner, declared_datasets(settings).values())
        apply_mart(owner)
        allow_events(owner)
    return applied


def connect_administrator(settings: Administration) -> Connection:
    """Connect to the server's own database; the caller closes the connection.

    Raises:
        PermanentError: if the password is unset or refused.
        TransientError: if the server is away.
    """
    where = f"PostgreSQL at {settings.database_host}:{settings.database_port}"
    password = settings.secret("admin_password")
    try:
        return psycopg.connect(
            conninfo(settings, "owner"), dbname="postgres", user=settings.admin_user, password=password
        )
    except psycopg.OperationalError as error:
        if "authentication failed" not in str(error):
            raise TransientError(f"{where} cannot be reached: {str(error).strip()}.") from error
        raise PermanentError(
            f"{where} refuses the password of {settings.admin_user}. MDP_ADMIN_PASSWORD must be the one that the "
            "server's data were made with; a new value in .env does not change it there."
        ) from error


def create_events_role(admin: Connection, database: str, password: str) -> None:
    """Create `mdp_events`, which may add to the inbox of a database and nothing else, or set its password anew."""
    _role(admin, "mdp_events", password)
    admin.execute(sql.SQL("grant connect on database {} to mdp_events").format(sql.Identifier(database)))


def create_guest(admin: Connection, name: str, password: str) -> None:
    """Create the role and the database of another program, or set the role's password anew."""
    _role(admin, name, password)
    become(admin, name)
    database = sql.Identifier(name)
    if not admin.execute("select from pg_database where datname = %s", [name]).rowcount:
        admin.execute(sql.SQL("create database {0} owner {0}").format(database))
    admin.execute(sql.SQL("revoke all on database {} from public").format(database))


def become(admin: Connection, role: str) -> None:
    """Let an administrator who is no superuser, as on a managed server, make databases that a role owns."""
    admin.execute(
        sql.SQL("grant {} to current_user").format(sql.Identifier(role))
        if not admin.execute("select from pg_roles where rolname = current_user and rolsuper").rowcount
        else sql.SQL("select")
    )
    admin.commit()
    admin.autocommit = True  # databases are not made in a transaction


def _role(admin: Connection, name: str, password: str) -> None:
    role = sql.Identifier(name)
    if not admin.execute("select from pg_roles where rolname = %s", [name]).rowcount:
        admin.execute(sql.SQL("create role {} login").format(role))
    admin.execute(sql.SQL("alter role {} password {}").format(role, sql.Literal(password)))


def main() -> int:
    """Set up the server, waiting until it answers; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m minidata.warehouse", description=__doc__)
    parser.add_argument("--guest", action="append", default=[], choices=GUESTS, help="also its role and database")
    parser.add_argument("--no-roles", action="store_true", help="roles and databases are there already")
    parser.add_argument("--wait", type=float, default=60, metavar="SECONDS", help="for the server (default 60)")
    arguments = parser.parse_args()

    def work() -> str:
        applied = set_up(administration(), arguments.guest, roles=not arguments.no_roles)
        return f"The warehouse is up to date: {', '.join(applied) or 'nothing was lacking.'}"

    return run_one_shot(work, arguments.wait)


if __name__ == "__main__":
    sys.exit(main())
