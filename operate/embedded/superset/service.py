"""Superset as a service: its command line and its variables."""

import zlib
from urllib.parse import quote

from bi.target import Target, Warehouse
from minidata.settings import PROJECT, Settings
from operate.embedded.processes import in_background
from operate.embedded.service import PYTHON, Launch, Service
from operate.embedded.settings import read_secrets
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
        PermanentError: if its environment does not exist.
    """
    server = [str(python()), "-P", "-m", "gunicorn", "--workers", "1", "--worker-class", "gthread"]
    options = ["--threads", str(_THREADS), "--timeout", "60", "--graceful-timeout", "5", "--no-control-socket"]
    address = f"127.0.0.1:{state.port(NAME)}"
    return in_background([*server, *options, "--bind", address, f"{_APPLICATION}:create_app()"], _NICENESS)


def environment(state: State, settings: Settings) -> dict[str, str]:
    """Return the variables of the server; the password of the warehouse is not among them."""
    secrets = read_secrets(state)
    password = quote(secrets["MDP_SUPERSET_DATABASE_PASSWORD"], safe="")
    address = f"{settings.database_host}:{settings.database_port}"
    return {
        **PYTHON,
        "PYTHONWARNINGS": "ignore",
        "MALLOC_ARENA_MAX": "2",  # threads share arenas, or each of the 8 would keep what it once used
        "SUPERSET_CONFIG_PATH": str(PROJECT / INSIDE / "superset_config.py"),
        "MDP_SUPERSET_SECRET_KEY": secrets["MDP_SUPERSET_SECRET_KEY"],
        "MDP_SUPERSET_DATABASE_URI": f"postgresql+psycopg2://{DATABASE}:{password}@{address}/{DATABASE}",
        "MDP_SUPERSET_COOKIE": f"mdp_superset_{zlib.crc32(bytes(state.folder)):08x}",
    }


def belongs_to(state: State) -> bool:
    """Tell whether the last start of a platform included Superset."""
    return NAME in state.platform.services


def address(state: State) -> str:
    """Return the address of a platform's Superset.

    Raises:
        PermanentError: if the platform was never started with one.
    """
    return f"http://127.0.0.1:{state.port(NAME)}"


def target(state: State, settings: Settings) -> Target:
    """Return the Superset of a platform, and how it reaches the warehouse."""
    return Target(address(state), USER, read_secrets(state)["MDP_SUPERSET_PASSWORD"], Warehouse.of(settings))


def _launch(state: State, settings: Settings) -> Launch:
    return Launch(
        argv=command(state),
        environment=environment(state, settings),
        cwd=state.home,
        ports={NAME: state.port(NAME)},
    )


SERVICE = Service(NAME, "Superset (dashboards)", _launch, port=NAME)
