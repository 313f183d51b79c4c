"""Log-ins that end: a session's cookie is worth nothing after its log-out, a new password, or a week.

Superset keeps a session in its signed cookie alone, which is valid wherever it was copied to. Here, each log-in is a
row as well; the cookie names it.
"""

import secrets
from typing import Any

from flask import Flask, g, session
from flask_login import user_logged_in, user_logged_out
from sqlalchemy import text
from superset import db
from superset.security import SupersetSecurityManager

_KEY = "mdp_log_in"
_DAYS = 7
_TABLE = """
create table if not exists mdp_log_ins (id text primary key, user_id int not null, began timestamptz not null)
"""
_ALIVE = """
select 1 from mdp_log_ins where id = :id and user_id = :user and began > now() - :days * interval '1 day'
"""


class SecurityManager(SupersetSecurityManager):
    """Superset's, with log-ins that end."""

    def load_user(self, pk: Any) -> Any:
        """Return the user of a session while its log-in lasts."""
        row = {"id": session.get(_KEY), "user": int(pk), "days": _DAYS}
        return super().load_user(pk) if db.session.execute(text(_ALIVE), row).first() else None

    def load_user_jwt(self, _jwt_header: Any, jwt_data: Any) -> Any:
        """Return the user of a token, which lasts for minutes and has no session."""
        g.user = SupersetSecurityManager.load_user(self, jwt_data["sub"])
        return g.user

    def reset_password(self, userid: Any, password: str) -> None:
        """Change a password, and end the log-ins that were made with the old one."""
        super().reset_password(userid, password)
        _execute("delete from mdp_log_ins where user_id = :user", user=userid)


def remember_log_ins(app: Flask) -> None:
    """Write each log-in down, and strike it out at its log-out."""
    with db.engine.begin() as connection:
        connection.execute(text(_TABLE))

    @user_logged_in.connect_via(app)
    def begin(_: Flask, user: Any) -> None:
        session[_KEY] = secrets.token_urlsafe(16)
        _execute("delete from mdp_log_ins where began < now() - :days * interval '1 day'", days=_DAYS)
        _execute("insert into mdp_log_ins values (:id, :user, now())", id=session[_KEY], user=user.id)

    @user_logged_out.connect_via(app)
    def end(_: Flask, user: Any) -> None:  # noqa: ARG001
        _execute("delete from mdp_log_ins where id = :id", id=session.pop(_KEY, None))


def _execute(statement: str, **values: Any) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(statement), values)
