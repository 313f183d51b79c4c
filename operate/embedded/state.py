"""The folder that holds one embedded platform: its paths, and what was chosen at its first start."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from minidata.errors import PermanentError
from operate.embedded.files import write_private

_LAYOUT = 1
_FOLDERS = ("run", "logs", "home", "weed", "objects", "airflow")
_KNOWN = {
    *_FOLDERS,
    "postgres", "superset", "platform.json", "platform.json.new", "platform.lock", "simulator.json", "lock",
    "supervisor.conf", "supervisor.conf.new", ".env", ".env.new",
}  # fmt: skip
# Programs, not data, in the folder of the default platform.
_TOOLS = ("env-", "superset-", "spark-", "spark_server-", "celery-", "uv", "cache", "tools")
# A path of a unix socket ends after 103 bytes on macOS; supervisor appends a pid while it makes its own.
_SOCKET_BYTES = 90


class Store(StrEnum):
    """Object stores that a platform can have."""

    SEAWEEDFS = "seaweedfs"
    MINIO = "minio"

    @property
    def label(self) -> str:
        """Its own name."""
        return {Store.SEAWEEDFS: "SeaweedFS", Store.MINIO: "MinIO"}[self]


class Platform(BaseModel):
    """What `platform.json` remembers.

    Attributes:
        layout: version of the folder's layout.
        ports: TCP port on 127.0.0.1 by service.
        postgres_home: folder of PostgreSQL's data, chosen once.
        run_folder: where an earlier version put the sockets, if the state's own path was too long for them.
        settings: `MDP_*` settings that the user chose for this platform.
        store: its object store, chosen at its first start.
        services: what the last `up` was to start.
        passwords_outdated: whether the database still has other passwords than the file of secrets.
        airflow_version: the version that Airflow's own tables were made for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    layout: int = Field(default=_LAYOUT, ge=_LAYOUT, le=_LAYOUT)
    ports: dict[str, int] = {}
    postgres_home: Path | None = None
    run_folder: Path | None = None
    settings: dict[str, str] = {}
    store: Store = Store.SEAWEEDFS
    services: list[str] = []
    passwords_outdated: bool = False
    airflow_version: str | None = None


@dataclass(frozen=True)
class State:
    """One platform's folder, 0700 and owned by the user who runs it. Make it with `State.open`."""

    folder: Path

    @classmethod
    def open(cls, folder: Path) -> "State":
        """Open the folder, or make it with its subfolders.

        Raises:
            PermanentError: if it belongs to another user, holds other things, cannot be written, or has another
                version.
        """
        folder = folder.resolve()  # one name, for processes are found by it
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _require_ours(folder)
            _require_nothing_unexpected(folder)
            _ = cls(folder).platform
            folder.chmod(0o700)
            for name in _FOLDERS:
                (folder / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise PermanentError(
                f"The platform's folder {folder} cannot be used: {error}. Choose another with --state."
            ) from error
        return cls(folder)

    def exists(self) -> bool:
        """Tell whether a platform was ever started here."""
        return (self.folder / "platform.json").exists()

    @property
    def logs(self) -> Path:
        """Log files of the supervisor and of each service."""
        return self.folder / "logs"

    @property
    def home(self) -> Path:
        """HOME of every service: none of them reads the user's own files."""
        return self.folder / "home"

    @property
    def weed(self) -> Path:
        """Configuration, keys and certificates of the object store."""
        return self.folder / "weed"

    @property
    def objects(self) -> Path:
        """Data of the object store."""
        return self.folder / "objects"

    @property
    def postgres(self) -> Path:
        """Folder of PostgreSQL: its data and, if it runs as another user, its programs."""
        return self.platform.postgres_home or self.folder / "postgres"

    @property
    def airflow(self) -> Path:
        """AIRFLOW_HOME."""
        return self.folder / "airflow"

    @property
    def platform(self) -> Platform:
        """What was chosen so far.

        Raises:
            PermanentError: if `platform.json` is damaged or of another layout.
        """
        file = self.folder / "platform.json"
        try:
            content = json.loads(file.read_bytes())
            layout = content.get("layout", _LAYOUT) if isinstance(content, dict) else _LAYOUT
            if layout != _LAYOUT:
                raise PermanentError(
                    f"The platform in {self.folder} was made by another version of this program (layout {layout}; "
                    f"this one knows {_LAYOUT}). Run it with that version, or choose another folder with --state."
                )
            return Platform.model_validate(content)
        except FileNotFoundError:
            return Platform()
        except (OSError, ValueError) as error:
            raise PermanentError(
                f"{file} is damaged: {' '.join(str(error).split())}. Restore it from a backup; without it the ports "
                "of the platform and the place of its database are unknown."
            ) from error

    def remember(self, **choices: object) -> Platform:
        """Change fields of `platform.json`, in one step and safely on the disk when this returns.

        Threads and processes that change different fields at the same time wait for each other.
        """
        with (self.folder / "platform.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            platform = Platform.model_validate(self.platform.model_dump() | choices)
            write_private(self.folder / "platform.json", platform.model_dump_json(indent=2) + "\n")
        return platform

    def port(self, service: str) -> int:
        """Return the port of a service.

        Raises:
            PermanentError: if none has been chosen yet.
        """
        try:
            return self.platform.ports[service]
        except KeyError:
            raise PermanentError(
                f"The platform in {self.folder} has no port for {service} yet: it was never started. "
                "Start it with `./mdp up`."
            ) from None

    @property
    def run(self) -> Path:
        """Folder of sockets and pids, short enough for a socket's path; it is there while the platform runs."""
        own = self.folder / "run"
        if len(os.fsencode(own / "supervisor.sock")) <= _SOCKET_BYTES:
            return own
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return self.platform.run_folder or Path(f"/tmp/mdp-{os.geteuid()}-{name}")  # noqa: S108  see make_run

    def make_run(self) -> None:
        """Make the folder of sockets; a reboot may have removed it.

        Raises:
            PermanentError: if another user has taken its name.
        """
        self.run.mkdir(mode=0o700, exist_ok=True)
        if self.run.is_symlink():
            raise PermanentError(f"{self.run} is a link. Remove it, or choose another folder with --state.")
        _require_ours(self.run)

    def clear_run(self) -> None:
        """Remove the folder of sockets if it lies outside."""
        if self.run.parent != self.folder:
            shutil.rmtree(self.run, ignore_errors=True)

    def remove(self) -> list[str]:
        """Remove the platform, which must be stopped, and the folder if nothing else is in it.

        Returns:
            Names in the folder that are not the platform's, and so were left alone.
        """
        self.clear_run()
        for name in sorted(_KNOWN, key="platform.json".__eq__):  # last: it marks a platform's folder
            path = self.folder / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        left = sorted(path.name for path in self.folder.iterdir())
        if not left:
            self.folder.rmdir()
        return [name for name in left if not name.startswith(_TOOLS)]

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the platform's lock: one command at a time starts, stops or changes it.

        Raises:
            PermanentError: if another command holds it.
        """
        with (self.folder / "lock").open("a") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise PermanentError(
                    f"Another `mdp` command is starting or stopping the platform in {self.folder}. "
                    "Wait for it to end, then try again."
                ) from None
            yield


def _require_ours(folder: Path) -> None:
    owner = folder.stat().st_uid
    if owner != os.geteuid():
        raise PermanentError(
            f"{folder} belongs to the user with id {owner}, you are {os.geteuid()}. "
            "Run mdp as its owner, or choose another folder with --state."
        )


def _require_nothing_unexpected(folder: Path) -> None:
    if (folder / "platform.json").exists() or folder.name == ".mdp":
        return
    unexpected = sorted({path.name for path in folder.iterdir()} - _KNOWN)
    if unexpected:
        raise PermanentError(
            f"{folder} is not a platform's folder: it holds {', '.join(unexpected[:3])}. "
            "Choose an empty or a new folder with --state."
        )
