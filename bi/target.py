"""Where dashboards are drawn: a Superset or a Metabase, and how it reaches the warehouse."""

from dataclasses import dataclass, field
from typing import Self

from minidata.settings import Settings


@dataclass(frozen=True)
class Warehouse:
    """The warehouse as the tool sees it, possibly at a different host from ours.

    Attributes:
        host: of PostgreSQL.
        port: of PostgreSQL.
        database: name of the database.
        password: of the reading role.
        user: the reading role.
        sslmode: PostgreSQL's sslmode.
    """

    host: str
    port: int
    database: str
    password: str = field(repr=False)
    user: str = "mdp_bi"
    sslmode: str = "disable"

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the warehouse of the settings, for a tool that sees it at the same address."""
        return cls(
            host=settings.database_host,
            port=settings.database_port,
            database=settings.database_name,
            password=settings.secret("bi_password"),
            sslmode=settings.database_tls,
        )


@dataclass(frozen=True)
class Target:
    """A server that draws dashboards.

    Attributes:
        url: its address, such as `http://127.0.0.1:8088`.
        user: its administrator; an e-mail address for Metabase.
        password: of its administrator.
        warehouse: the database that the dashboards ask.
    """

    url: str
    user: str
    password: str = field(repr=False)
    warehouse: Warehouse
