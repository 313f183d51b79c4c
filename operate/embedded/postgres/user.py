"""The system user that PostgreSQL runs as if root starts it: an id of its own, without an entry in /etc/passwd.

No other process of the machine has the id, so only root can reach the data or signal the server. The owner of the
data folder is the only record of it.
"""

import contextlib
import grp
import os
import pwd
import random
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from minidata.errors import PermanentError

_FIRST_ID, _LAST_ID = 30_000, 59_999  # above what systems give to people one by one, below what systemd gives


def user_of(uid: int, gid: int | None = None) -> pwd.struct_passwd:
    """Return a user by its id; its group is the one with the same id, unless another is given."""
    return pwd.struct_passwd((f"user {uid}", "x", uid, uid if gid is None else gid, "", "/", ""))


def give(folder: Path, user: pwd.struct_passwd) -> None:
    """Make a user the owner of a folder and all that is in it, except files that have a second name elsewhere."""
    for path in (*folder.rglob("*"), folder):
        found = path.lstat()
        if found.st_nlink == 1 or stat.S_ISDIR(found.st_mode):
            os.lchown(path, user.pw_uid, user.pw_gid)


@contextlib.contextmanager
def lend(home: Path, data: Path, owner: pwd.struct_passwd | None) -> Iterator[pwd.struct_passwd | None]:
    """Lend a data folder to an account that the system has a name for: `initdb` and single-user mode require one.

    The account is in the owner's group. That keeps its other processes out: they can neither enter the home nor trace
    the program.

    Args:
        home: holds the data folder.
        data: the folder; the server must be stopped.
        owner: whose it is; None is our own user, who has a name.

    Yields:
        The user to run the program as.

    Raises:
        PermanentError: if the system has no user except root.
    """
    if owner is None:
        yield None
        return
    account = _named(owner)
    home.chmod(0o710)
    give(data, account)
    try:
        yield account
    finally:
        give(data, owner)
        home.chmod(0o700)


def _named(user: pwd.struct_passwd) -> pwd.struct_passwd:
    people = sorted((p for p in pwd.getpwall() if p.pw_uid), key=lambda p: p.pw_name != "nobody")
    if not people:
        raise PermanentError(
            "You are root, which PostgreSQL refuses, and this system has no other user to create the database as. "
            "Add one: echo 'mdp:x:30000:30000::/tmp:/bin/sh' >> /etc/passwd"
        )
    return user_of(people[0].pw_uid, user.pw_gid)


def free(folders: Iterable[Path]) -> pwd.struct_passwd:
    """Choose a user id at random that no account, group or process has.

    Args:
        folders: of other platforms, whose owners are taken too.

    Raises:
        PermanentError: if none is found.
    """
    taken = {uid for process in psutil.process_iter() for uid in _ids(process)}
    for folder in folders:
        with contextlib.suppress(FileNotFoundError):  # it is being removed
            taken.add(folder.stat().st_uid)
    taken |= {group.gr_gid for group in grp.getgrall()}
    ids = range(_FIRST_ID, _LAST_ID + 1)
    for uid in random.sample(ids, len(ids)):
        if uid not in taken and not has_name(uid):
            return user_of(uid)
    raise PermanentError(f"Every user id from {_FIRST_ID} to {_LAST_ID} is taken. Run mdp as a normal user.")


def _ids(process: psutil.Process) -> tuple[int, ...]:
    try:
        return tuple(process.uids())
    except psutil.Error:
        return ()  # it has ended


def has_name(uid: int) -> bool:
    """Tell whether an account of the system has the id."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
