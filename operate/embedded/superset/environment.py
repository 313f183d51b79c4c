"""The environment that Superset runs in: its own, because its pinned packages and ours exclude each other."""

from pathlib import Path

from minidata.errors import PermanentError
from operate.embedded.packages import Packages

SUPERSET = Packages(
    "superset",
    "Superset",
    "230 MB to download, 700 MB on disk",
    10**9,
    "`./mdp up --no-bi` starts without dashboards.",
    environment=True,
)


def python() -> Path:
    """Return the environment's Python.

    Raises:
        PermanentError: if the environment does not exist.
    """
    program = SUPERSET.folder / "bin" / "python"
    if not program.exists():
        raise PermanentError(f"Superset is not installed in {SUPERSET.folder}. `./mdp up` installs it.")
    return program
