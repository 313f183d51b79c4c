"""Space on the disk: how the store divides it, what is kept for the database, and the wait when there is none."""

import shutil
import sys
import time
from pathlib import Path
from typing import Any

from operate.embedded.state import State

RESERVE = 256 * 2**20  # bytes; below this the store takes no uploads, so that the database can still write
LEAST = 64 * 2**20  # bytes; below this no server starts: it would only fail
_POLL_SECONDS = 2.0
_VOLUMES = 256  # parts of a disk; each bucket needs one at least
_VOLUME_MB = 64, 1024


def volume_megabytes(folder: Path) -> int:
    """Return the size in MiB of the files that the store keeps objects in: a part of the disk, from 64 to 1024.

    The store leaves the space of one such file free however fast uploads come; it looks for `RESERVE` once a minute.
    """
    least, most = _VOLUME_MB
    return max(least, min(most, shutil.disk_usage(folder).total // 2**20 // _VOLUMES))


def wait_for_space(folder: Path) -> None:
    """Wait until a server can write to a disk, with a line in its log when the wait begins and ends."""
    waited = False
    while (free := shutil.disk_usage(folder).free) < LEAST:
        if not waited:
            say = f"The disk that holds {folder} is full: {free / 10**6:.0f} MB are free. Waiting for"
            print(f"{say} {LEAST / 10**6:.0f} MB.", file=sys.stderr, flush=True)  # noqa: T201  into its log
        waited = True
        time.sleep(_POLL_SECONDS)
    if waited:
        print(f"{free / 10**6:.0f} MB are free: starting.", file=sys.stderr, flush=True)  # noqa: T201


def disk_status(state: State) -> dict[str, Any]:
    """Return `path`, `free_bytes` and `needed_bytes` of the platform's fullest disk, and whether it is `full`."""
    folders = {state.folder, state.platform.postgres_home or state.folder}
    free, folder = min((shutil.disk_usage(folder).free, folder) for folder in folders if folder.exists())
    return {"path": str(folder), "free_bytes": free, "needed_bytes": RESERVE, "full": free < RESERVE}
