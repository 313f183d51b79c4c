"""What a start needs of the machine, checked before anything is changed."""

import errno
import os
import pwd
import shutil
import sys
from pathlib import Path

from minidata.errors import PermanentError
from operate.embedded.settings import secrets_file
from operate.embedded.state import State

SPACE = 600 * 10**6  # bytes; a new platform takes 200 MB, the store keeps 270 MB free for the database
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def require_machine(state: State) -> None:
    """Check that there is space, and a name for our user.

    Raises:
        PermanentError: naming what is missing and the fix.
    """
    for folder in {state.folder, state.platform.postgres_home or state.folder}:
        if folder.exists():
            require_space(folder, SPACE, "a start needs", "Free some, or choose a folder on another disk with --state.")
    if os.geteuid() != 0 and not (state.folder / "postgres" / "data").exists():
        _require_name()


def require_secrets(state: State) -> None:
    """Check that a platform which was started before still has its secrets: new ones would not open its database.

    Raises:
        PermanentError: if they are gone.
    """
    file = secrets_file(state)
    if state.platform.ports and not file.exists():
        raise PermanentError(
            f"The secrets of this platform, {file}, are gone, and its database accepts no others. Restore the file "
            "from a backup, or start again without the data: `./mdp destroy`, then `./mdp up`."
        )


def require_space(folder: Path, needed: int, what: str, fix: str) -> None:
    """Check that a folder's disk has space.

    Args:
        folder: on that disk.
        needed: bytes.
        what: subject and verb of the sentence about them.
        fix: what to do if there are fewer.

    Raises:
        PermanentError: if there are fewer.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise PermanentError(
            f"The disk that holds {folder} is full: {free / 10**6:.0f} MB are free, and {what} "
            f"{needed / 10**6:.0f} MB. {fix}"
        )


def not_installed(package: str, what: str) -> PermanentError:
    """Return the error of a package that this machine lacks, which brings a server."""
    return PermanentError(
        f"The package {package}, which contains {what}, is not installed for this machine. "
        f"Install the locked environment again: remove the folder {sys.prefix} and run `./mdp up`."
    )


def _require_name() -> None:
    """Check that the system knows our user by name: PostgreSQL's initdb requires one."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        user, group = os.geteuid(), os.getegid()
        raise PermanentError(
            f"This system has no name for your user id {user}, and PostgreSQL creates no database for a user "
            "without one. Run mdp as a user that has an entry in /etc/passwd, or as root add one: "
            f"echo 'mdp:x:{user}:{group}::/tmp:/bin/sh' >> /etc/passwd"
        ) from None
