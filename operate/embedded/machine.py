"""The machine: disk and memory that run out while the platform runs."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil

from operate.embedded.space import RESERVE, disk_status
from operate.embedded.state import State
from operate.problems import Problem

_DISK_BYTES = 2 * RESERVE
_MEMORY_BYTES = 200 * 10**6
_CGROUP = Path("/sys/fs/cgroup")


def problems(state: State) -> Iterator[Problem]:
    """Yield a problem for a disk that is full or nearly full, and for too little memory."""
    disk = disk_status(state)
    free, path = disk["free_bytes"], disk["path"]
    if disk["full"]:
        message = f"The disk that holds {path} is full: {free / 10**6:.0f} MB are free. Uploads are refused."
        fix = f"Free some: from {disk['needed_bytes'] / 10**6:.0f} MB on, it goes on by itself. Nothing is lost."
        yield Problem("disk_full", path, message, fix)
    elif free < _DISK_BYTES:
        message = f"The disk that holds {path} is nearly full: {free / 10**6:.0f} MB are free."
        yield Problem("disk_low", path, message, "Free some space.")
    yield from memory_problems()


def memory_problems() -> Iterator[Problem]:
    """Yield a problem if memory runs out."""
    if (free := free_memory()) < _MEMORY_BYTES:
        message = f"Memory is running out: {free / 10**6:.0f} MB are available."
        yield Problem("memory_low", "memory", message, "Close other programs, or `./mdp up --no-bi`.")


def free_disk(folder: Path) -> int:
    """Return the free bytes of the disk that holds a folder, or would hold it."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def free_memory(cgroup: Path = _CGROUP) -> int:
    """Return the bytes that programs can still get, within the limit of a container if there is one."""
    available = int(psutil.virtual_memory().available)
    try:
        limit, used = ((cgroup / name).read_text().strip() for name in ("memory.max", "memory.current"))
        cached = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())["inactive_file"]
        return available if limit == "max" else min(available, int(limit) - int(used) + int(cached))
    except (OSError, KeyError, ValueError):  # no such limit here
        return available
