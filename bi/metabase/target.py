"""Which Metabase, who we are there, and how it reaches the warehouse."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class WarehouseAddress:
    """The warehouse as Metabase sees it, which may be another host than we see.

    Attributes:
        host: of PostgreSQL.
        port: of PostgreSQL.
        database: name of the database.
        password: of the role `mdp_bi`.
        user: the reading role.
        tls: whether the connection is encrypted.
    """

    host: str
    port: int
    database: str
    password: str = field(repr=False)
    user: str = "mdp_bi"
    tls: bool = False


@dataclass(frozen=True)
class Target:
    """A Metabase to work on.

    Attributes:
        url: its address, such as `http://127.0.0.1:3000`.
        email: of its administrator, whom the first `apply` creates on a fresh server.
        password: of that administrator.
        warehouse: the database that the dashboards ask.
        ready_seconds: how long to wait for a server that is starting.
        sync_seconds: how long to wait until it knows the columns of the views.
        name: of the database, the collection and the site in Metabase.
    """

    url: str
    email: str
    password: str = field(repr=False)
    warehouse: WarehouseAddress
    ready_seconds: float = 300
    sync_seconds: float = 180
    name: str = "Mini Data Platform"

    @property
    def viewers(self) -> str:
        """Name of the group whose members may read the dashboards."""
        return f"{self.name} viewers"


def setup(target: Target, token: str) -> dict[str, Any]:
    """Return the request that creates the administrator of a fresh server."""
    user = {
        "first_name": "Platform",
        "last_name": "Administrator",
        "email": target.email,
        "password": target.password,
    }
    return {"token": token, "user": user, "prefs": {"site_name": target.name, "site_locale": "en"}}


def login(target: Target) -> dict[str, Any]:
    """Return the request that opens a session."""
    return {"username": target.email, "password": target.password}
