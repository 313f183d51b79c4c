"""Which Superset, who we are there, and how it reaches the warehouse."""

from dataclasses import dataclass, field
from urllib.parse import quote


@dataclass(frozen=True)
class Target:
    """A Superset to work on.

    Attributes:
        url: its address, such as `http://127.0.0.1:8088`.
        password: of its administrator.
        database_host: of PostgreSQL, as Superset sees it.
        database_port: of PostgreSQL.
        database_name: of the warehouse.
        database_password: of the reading role.
        database_tls: PostgreSQL's sslmode.
        database_user: the reading role.
        user: its administrator.
        name: of the connection to the warehouse in Superset.
    """

    url: str
    password: str = field(repr=False)
    database_host: str
    database_port: int
    database_name: str
    database_password: str = field(repr=False)
    database_tls: str = "disable"
    database_user: str = "mdp_bi"
    user: str = "admin"
    name: str = "Warehouse"

    @property
    def database_uri(self) -> str:
        """The address of the warehouse for SQLAlchemy, with its password."""
        return self._uri(quote(self.database_password, safe=""))

    @property
    def masked_uri(self) -> str:
        """The same as Superset shows it."""
        return self._uri("X" * 10)

    def _uri(self, password: str) -> str:
        place = f"{self.database_host}:{self.database_port}/{quote(self.database_name, safe='')}"
        return f"postgresql+psycopg2://{self.database_user}:{password}@{place}?sslmode={self.database_tls}"
