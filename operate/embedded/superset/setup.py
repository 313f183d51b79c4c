"""The set-up of Superset's database: done once, and remembered in that database itself."""

import hashlib
import hmac
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg

from minidata.errors import PermanentError
from minidata.settings import PROJECT, Settings
from operate.embedded.secrets import read_secrets
from operate.embedded.settings import secrets_file
from operate.embedded.state import State
from operate.embedded.superset import service
from operate.embedded.superset.environment import folder, python

_SCRIPT = PROJECT / service.INSIDE / "first_run.py"
_SAYS = "mdp: "


def set_up(state: State, settings: Settings, report: Callable[[str], None]) -> bool:
    """Make Superset's tables, roles and administrator, unless that was done for this very version and password.

    Args:
        state: the platform, whose database must answer and have Superset's (`service.create_database`).
        settings: where PostgreSQL is.
        report: told what is being done, in a few words.

    Returns:
        Whether there was anything to do.

    Raises:
        PermanentError: if it fails, with its last words; what it made so far does no harm.
    """
    secrets = read_secrets(secrets_file(state))
    wanted = _fingerprint(secrets)
    with psycopg.connect(
        host=settings.database_host,
        port=settings.database_port,
        dbname=service.DATABASE,
        user=service.DATABASE,
        password=secrets["MDP_SUPERSET_DATABASE_PASSWORD"],
        sslmode=settings.database_tls,
        autocommit=True,
    ) as connection:
        connection.execute("create table if not exists mdp_setup (fingerprint text not null)")
        if connection.execute("select 1 from mdp_setup where fingerprint = %s", [wanted]).fetchone():
            return False
        _run(state, settings, secrets["MDP_SUPERSET_PASSWORD"], report)
        with connection.transaction():
            connection.execute("delete from mdp_setup")
            connection.execute("insert into mdp_setup values (%s)", [wanted])
    return True


def _fingerprint(secrets: dict[str, str]) -> str:
    """Return what changes when the set-up must be done again; it gives nothing of the password away."""
    said = f"{folder().name} {hashlib.sha256(_SCRIPT.read_bytes()).hexdigest()} {secrets['MDP_SUPERSET_PASSWORD']}"
    return hmac.digest(secrets["MDP_SUPERSET_SECRET_KEY"].encode(), said.encode(), "sha256").hex()


def _run(state: State, settings: Settings, password: str, report: Callable[[str], None]) -> None:
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(state.home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        **service.environment(state, settings),
        "MDP_SUPERSET_USER": service.USER,
        "MDP_SUPERSET_PASSWORD": password,
        # Thousands of small transactions; if the machine stops now, the set-up is done again anyway.
        "PGOPTIONS": "-c synchronous_commit=off",
    }
    said = []
    with subprocess.Popen(
        [str(python()), "-P", str(_SCRIPT)],
        cwd=_working_folder(state),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            said.append(line.rstrip())
            if line.startswith(_SAYS):
                report(line.removeprefix(_SAYS).strip())
    if process.returncode:
        raise PermanentError("Superset could not make its tables and roles:\n" + "\n".join(said[-20:]))


def _working_folder(state: State) -> Path:
    state.home.mkdir(mode=0o700, exist_ok=True)
    return state.home
