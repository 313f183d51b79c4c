"""Superset as a service: its command, its variables, its database, and how to see that it works."""

import urllib.request
import zlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import psycopg

from minidata.errors import TransientError
from minidata.settings import PROJECT, Settings
from operate.embedded.processes import in_background
from operate.embedded.secrets import read_secrets
from operate.embedded.settings import secrets_file
from operate.embedded.state import State
from operate.embedded.superset.environment import python

NAME = "superset"
DATABASE = "superset"
USER = "admin"
INSIDE = "operate/embedded/superset/inside"
_APPLICATION = "operate.embedded.superset.inside.application"
_THREADS = 8
_NICENESS = 5


def command(state: State) -> list[str]:
    """Return the command line of the server: one worker, whose threads share its memory; the pipeline goes first.

    Raises:
        PermanentError: if its environment is not there.
    """
    server = [str(python()), "-P", "-m", "gunicorn", "--workers", "1", "--worker-class", "gthread"]
    options = ["--threads", str(_THREADS), "--timeout", "60", "--graceful-timeout", "5", "--no-control-socket"]
    address = f"127.0.0.1:{state.port(NAME)}"
    return in_background([*server, *options, "--bind", address, f"{_APPLICATION}:create_app()"], _NICENESS)


def environment(state: State, settings: Settings) -> dict[str, str]:
    """Return the variables of the server; the password of the warehouse is not among them."""
    secrets = read_secrets(secrets_file(state))
    password = quote(secrets["MDP_SUPERSET_DATABASE_PASSWORD"], safe="")
    address = f"{settings.database_host}:{settings.database_port}"
    return {
        "PYTHONPATH": str(PROJECT),
        "PYTHONUNBUFFERED": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONUTF8": "1",
        "PYTHONWARNINGS": "ignore",
        "MALLOC_ARENA_MAX": "2",  # threads share arenas: 8 of them would each keep what they once used
        "SUPERSET_CONFIG_PATH": str(PROJECT / INSIDE / "superset_config.py"),
        "MDP_SUPERSET_SECRET_KEY": secrets["MDP_SUPERSET_SECRET_KEY"],
        "MDP_SUPERSET_DATABASE_URI": f"postgresql+psycopg2://{DATABASE}:{password}@{address}/{DATABASE}",
        "MDP_SUPERSET_COOKIE": f"mdp_superset_{zlib.crc32(bytes(state.folder)):08x}",
    }


def belongs_to(state: State) -> bool:
    """Tell whether the last start of a platform was one with Superset."""
    return NAME in state.platform.services


def address(state: State) -> str:
    """Return the address of a platform's Superset.

    Raises:
        PermanentError: if the platform was never started with one.
    """
    return f"http://127.0.0.1:{state.port(NAME)}"


def connect(settings: Settings, password: str) -> psycopg.Connection[Any]:
    """Connect to Superset's own database, as its role."""
    return psycopg.connect(
        host=settings.database_host,
        port=settings.database_port,
        dbname=DATABASE,
        user=DATABASE,
        password=password,
        sslmode=settings.database_tls,
        autocommit=True,
    )


@dataclass(frozen=True)
class Probe:
    """Sees that the server answers; raises TransientError as long as it does not."""

    port: int

    def __call__(self) -> None:
        """Look once."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{self.port}/health", timeout=10) as answer:
                answer.read()
        except OSError as error:
            raise TransientError(f"Superset on port {self.port} does not answer yet: {error}") from error
