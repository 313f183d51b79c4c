"""The environment that Superset runs in: its own, because its pinned packages and ours exclude each other."""

import os
import shutil
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from minidata.errors import PermanentError
from minidata.settings import PROJECT
from operate.embedded import processes
from operate.embedded.preflight import require_space

LOCK = PROJECT / "locks" / "superset.txt"
BUILD_LOCK = PROJECT / "locks" / "superset.build.txt"
TOOLS = PROJECT / ".mdp"
SIZE = "230 MB to download, 700 MB on disk"
_SPACE = 10**9  # bytes
_TOLD = ("Installing", "Downloading", "Building", "Prepared", "Installed")


def folder() -> Path:
    """Return the folder of the environment for the present lock, whether it exists or not."""
    checksum = 0
    for file in (LOCK, BUILD_LOCK):
        checksum = zlib.crc32(file.read_bytes(), checksum)
    return TOOLS / f"superset-{checksum}"


def python() -> Path:
    """Return the environment's Python.

    Raises:
        PermanentError: if the environment does not exist.
    """
    program = folder() / "bin" / "python"
    if not program.exists():
        raise PermanentError(f"Superset is not installed in {folder()}. `./mdp up` installs it.")
    return program


def create(report: Callable[[str], None], marked: Mapping[str, str]) -> None:
    """Make the environment unless it exists, as `./mdp` makes its own: complete or not at all.

    Args:
        report: told what is being done, in a few words; it may raise to end the work.
        marked: variables that mark the installer's processes.

    Raises:
        PermanentError: if it cannot be made, with the last lines that the installer printed.
    """
    target = folder()
    if (target / "bin" / "python").exists():
        return
    TOOLS.mkdir(mode=0o700, exist_ok=True)
    _remove_leftovers()
    require_space(TOOLS, _SPACE, "Superset's packages take", "Free some, or go without dashboards: `./mdp up --no-bi`.")

    def heard(line: str) -> None:
        if line.startswith(_TOLD):
            report(line[0].lower() + line[1:].strip())

    try:
        install = ["/bin/sh", str(PROJECT / "mdp"), "--install-superset", str(target), SIZE, sys.executable]
        processes.run(
            processes.in_background([*install, str(LOCK), str(BUILD_LOCK)]),
            "Superset's packages could not be installed; nothing was changed. Is there a network, and does pip reach "
            "its index? `./mdp up --no-bi` starts without dashboards.",
            {**os.environ, **marked},
            PROJECT,
            heard=heard,
        )
    finally:
        _remove_leftovers()


def _remove_leftovers() -> None:
    """Remove what killed installations have left."""
    for path in TOOLS.glob("superset-*.building.*"):
        if not psutil.pid_exists(int(path.suffix.removeprefix("."))):
            shutil.rmtree(path, ignore_errors=True)
