"""Packages that only some platforms need, installed on request: each in a folder of its own below `.mdp`."""

import os
import shutil
import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from minidata.settings import PROJECT
from operate.embedded import processes
from operate.embedded.preflight import require_space

TOOLS = PROJECT / ".mdp"
LOCKS = PROJECT / "locks"
_TOLD = ("Installing", "Downloading", "Building", "Prepared", "Installed")


@dataclass(frozen=True)
class Packages:
    """The packages of one lock.

    Attributes:
        name: of the lock, and of the folder.
        title: what a person calls them.
        size: to download and on disk, in words.
        space: bytes that must be free.
        without: how to do without them, a sentence.
        environment: whether they get a Python of their own, not the platform's.
    """

    name: str
    title: str
    size: str
    space: int
    without: str
    environment: bool = False

    @property
    def locks(self) -> list[Path]:
        """The lock, then the one of the tools that build it, if there is one."""
        return [lock for lock in (LOCKS / f"{self.name}.txt", LOCKS / f"{self.name}.build.txt") if lock.exists()]

    @property
    def folder(self) -> Path:
        """Their folder for the present lock, whether it exists or not; it is complete if it does."""
        checksum = 0
        for lock in self.locks:
            checksum = zlib.crc32(lock.read_bytes(), checksum)
        return TOOLS / f"{self.name}-{checksum}"

    def install(self, report: Callable[[str], None], marked: Mapping[str, str]) -> None:
        """Install them unless they are there, as `./mdp` installs its own: completely or not at all.

        Args:
            report: told what is being done, in a few words; it may raise to end the work.
            marked: variables that mark the installer's processes.

        Raises:
            PermanentError: if that fails, with the last lines that the installer printed.
        """
        if self.folder.exists():
            return
        TOOLS.mkdir(mode=0o700, exist_ok=True)
        self._remove_leftovers()
        require_space(TOOLS, self.space, f"the packages of {self.title} take", f"Free some. {self.without}")

        def heard(line: str) -> None:
            if line.startswith(_TOLD):
                report(line[0].lower() + line[1:].strip())

        option = "--install-environment" if self.environment else "--install-packages"
        script = ["/bin/sh", str(PROJECT / "mdp"), option, str(self.folder), f"{self.title}: {self.size}"]
        try:
            processes.run(
                processes.in_background([*script, sys.executable, *map(str, self.locks)]),
                f"The packages of {self.title} could not be installed; nothing was changed. Is there a network, and "
                f"does pip reach its index? {self.without}",
                {**os.environ, **marked},
                PROJECT,
                heard=heard,
            )
        finally:
            self._remove_leftovers()

    def _remove_leftovers(self) -> None:
        """Remove what killed installations have left."""
        for path in TOOLS.glob(f"{self.name}-*.building.*"):
            if not psutil.pid_exists(int(path.suffix.removeprefix("."))):
                shutil.rmtree(path, ignore_errors=True)


SPARK = Packages(
    "spark",
    "Spark's client",
    "130 MB to download, 420 MB on disk",
    600 * 10**6,
    "MDP_ENGINE=local needs none.",
)
SPARK_SERVER = Packages(
    "spark_server",
    "Spark",
    "490 MB to download, 600 MB on disk",
    10**9,
    "Only tests use it: your cluster is elsewhere.",
)
CELERY = Packages("celery", "Airflow's CeleryExecutor", "6 MB to download, 30 MB on disk", 10**8, "Only tests use it.")
