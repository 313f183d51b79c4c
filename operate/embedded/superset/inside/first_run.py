"""Makes Superset's tables, roles and administrator, or brings them up to date. Prints what it is doing.

All in one process: each of Superset's own commands takes ten seconds to start. Its modules are imported where they
are used: most of them need the application, and all of them are slow to import.
"""

import logging
import os
import sys

from flask import Flask

SAYS = "mdp: "  # begins the lines that are meant for the caller
_EVERY = 40


class _Steps(logging.Handler):
    """Says how many of the migrations are done."""

    def __init__(self, total: int) -> None:
        super().__init__()
        self._total, self._done = total, 0

    def emit(self, record: logging.LogRecord) -> None:
        if str(record.msg).startswith("Running"):
            self._done += 1
            if self._done % _EVERY == 0:
                _say(f"making its tables ({100 * self._done // self._total} %)")


def _say(text: str) -> None:
    sys.stdout.write(f"{SAYS}{text}\n")
    sys.stdout.flush()


def _make_tables(app: Flask) -> None:
    from alembic.script import ScriptDirectory  # noqa: PLC0415
    from flask_migrate import upgrade  # noqa: PLC0415

    folder = app.extensions["migrate"].directory
    total = len(list(ScriptDirectory(folder).walk_revisions()))
    app.config["ALEMBIC_SKIP_LOG_CONFIG"] = True  # its own would remove our handler
    logger = logging.getLogger("alembic.runtime.migration")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(_Steps(total))
    upgrade()


def _encrypt_again(previous_key: str) -> None:
    from superset.utils.encrypt import SecretsMigrator  # noqa: PLC0415

    SecretsMigrator(previous_secret_key=previous_key).run()


def _make_roles() -> None:
    from superset import appbuilder, security_manager  # noqa: PLC0415

    appbuilder.add_permissions(update_perms=True)
    security_manager.sync_role_definitions()


def _make_administrator(name: str, password: str) -> None:
    from superset import security_manager  # noqa: PLC0415

    user = security_manager.find_user(username=name)
    if user:
        security_manager.reset_password(user.id, password)
        return
    role = security_manager.find_role("Admin")
    security_manager.add_user(name, "Platform", "Administrator", f"{name}@localhost", role, password=password)


def main() -> None:
    """Do everything in order."""
    _say("reading its modules")
    from operate.embedded.superset.inside.application import create_app  # noqa: PLC0415

    app = create_app()
    with app.app_context():
        _say("making its tables")
        _make_tables(app)
        if previous := os.environ.get("MDP_SUPERSET_PREVIOUS_SECRET_KEY"):
            _say("encrypting its passwords with the new key")
            _encrypt_again(previous)
        _say("making its roles")
        _make_roles()
        _make_administrator(os.environ["MDP_SUPERSET_USER"], os.environ["MDP_SUPERSET_PASSWORD"])


if __name__ == "__main__":
    main()
