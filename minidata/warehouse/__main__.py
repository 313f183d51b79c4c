"""Sets up a PostgreSQL server for the platform: roles, databases, migrations, tables and views.

Run as `python -m minidata.warehouse`, with the `MDP_*` settings, before anything else uses the server: by Compose, by
a Helm hook or by hand, as often as you like. It needs the server's administrator, unless the roles and databases
already exist (`--no-roles`).
"""

import argparse
import sys
from collections.abc import Sequence

from pydantic import Field, SecretStr

from minidata.ledger import allow_events
from minidata.one_shot import run_one_shot
from minidata.settings import Settings, read_settings
from minidata.warehouse.connection import connect, connect_administrator
from minidata.warehouse.databases import create_app_database, create_events_role, create_warehouse
from minidata.warehouse.limits import is_superuser, limit_server, limit_warehouse
from minidata.warehouse.migrate import upgrade

APPS = ("airflow", "metabase")  # they may have a role and a database of their own on this server


class Administration(Settings):
    """The settings, and the secrets that only the set-up of a server needs."""

    admin_user: str = Field("mdp_admin", description="Administrator of the PostgreSQL server.")
    admin_password: SecretStr | None = Field(None, description="Its password.")
    events_password: SecretStr | None = Field(
        None, description="Password of `mdp_events`, the role MinIO writes events as."
    )
    airflow_database_password: SecretStr | None = Field(None, description="Password of the role `airflow`.")
    metabase_database_password: SecretStr | None = Field(None, description="Password of the role `metabase`.")
    s3_admin_access_key_id: str | None = Field(None, description="Key of the store's administrator.")
    s3_admin_secret_access_key: SecretStr | None = Field(None, description="Secret of that key.")


def administration() -> Administration:
    """Read the settings from the environment and, what is unset there, from the files in `MDP_SECRETS_FOLDER`.

    Raises:
        PermanentError: if a value is one that its field does not take, or a secret cannot be read.
    """
    return read_settings(Administration)


def set_up(settings: Administration, apps: Sequence[str] = (), *, roles: bool = True) -> list[str]:
    """Create on a server what the platform needs and the server lacks.

    Args:
        settings: where it is, and the secrets.
        apps: those of `APPS` that get a role and a database.
        roles: create roles and databases too; needs the administrator.

    Returns:
        Names of the migrations that were run.

    Raises:
        PermanentError: if a password is unset or refused.
        TransientError: if the server cannot be reached.
    """
    superuser = False
    if roles:
        with connect_administrator(settings, settings.admin_user, settings.secret("admin_password")) as admin:
            create_warehouse(admin, settings)
            superuser = is_superuser(admin)
            if superuser:
                limit_server(admin)
            if settings.events_password:
                create_events_role(admin, settings.database_name, settings.events_password.get_secret_value())
            for app in apps:
                create_app_database(admin, app, settings.secret(f"{app}_database_password"))
    with connect(settings, "owner") as owner:
        applied = upgrade(owner, settings)
        allow_events(owner)
    if superuser:
        with connect_administrator(
            settings, settings.admin_user, settings.secret("admin_password"), settings.database_name
        ) as admin:
            limit_warehouse(admin, settings.secret("bi_password"))
    return applied


def main() -> int:
    """Set up the server, waiting until it answers; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m minidata.warehouse", description=__doc__)
    parser.add_argument("--app", action="append", default=[], choices=APPS, help="also create its role and database")
    parser.add_argument("--no-roles", action="store_true", help="roles and databases already exist")
    parser.add_argument("--wait", type=float, default=60, metavar="SECONDS", help="for the server (default 60)")
    arguments = parser.parse_args()

    def work() -> str:
        applied = set_up(administration(), arguments.app, roles=not arguments.no_roles)
        return f"The warehouse is up to date. Migrations run: {', '.join(applied) or 'none'}."

    return run_one_shot(work, arguments.wait)


if __name__ == "__main__":
    sys.exit(main())
