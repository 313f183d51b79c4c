"""The set-up of Superset's database: each step done once, and remembered in that database itself."""

import contextlib
import hashlib
import hmac
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from minidata.errors import PermanentError
from minidata.settings import PROJECT, Settings
from operate.embedded import processes
from operate.embedded.secrets import read_secrets
from operate.embedded.settings import secrets_file
from operate.embedded.state import State
from operate.embedded.superset import service
from operate.embedded.superset.environment import folder, python

_SCRIPT = PROJECT / service.INSIDE / "first_run.py"
_SAYS = "mdp: "
_SETUP = "superset-setup"


def set_up(state: State, settings: Settings, report: Callable[[str], None]) -> bool:
    """Make Superset's tables, roles and administrator, unless that was done for this very version and password.

    Args:
        state: the platform, whose database must answer and have Superset's database.
        settings: where PostgreSQL is.
        report: told what is being done, in a few words.

    Returns:
        Whether there was anything to do.

    Raises:
        PermanentError: if it fails, with its last words; what it made so far does no harm.
    """
    secrets = read_secrets(secrets_file(state))
    script = hashlib.sha256(_SCRIPT.read_bytes()).hexdigest()
    with once(state, settings, "tables", f"{folder().name} {script} {secrets['MDP_SUPERSET_PASSWORD']}") as wanted:
        if wanted:
            report("sets its database up")
            _run(state, settings, secrets["MDP_SUPERSET_PASSWORD"], report)
    return wanted


@contextlib.contextmanager
def once(state: State, settings: Settings, step: str, version: str) -> Iterator[bool]:
    """Say whether a step is to be done, and remember it as done when the block ends well.

    Args:
        state: the platform.
        settings: where PostgreSQL is.
        step: its name.
        version: what makes it necessary again when it changes; it may hold secrets, for only a keyed digest is kept.
    """
    secrets = read_secrets(secrets_file(state))
    digest = hmac.digest(secrets["MDP_SUPERSET_SECRET_KEY"].encode(), version.encode(), "sha256").hex()
    with service.connect(settings, secrets["MDP_SUPERSET_DATABASE_PASSWORD"]) as connection:
        connection.execute("create table if not exists mdp_setup (step text primary key, version text not null)")
        found = connection.execute("select 1 from mdp_setup where (step, version) = (%s, %s)", [step, digest])
        wanted = found.fetchone() is None
        yield wanted
        if wanted:
            connection.execute(
                "insert into mdp_setup values (%s, %s) on conflict (step) do update set version = excluded.version",
                [step, digest],
            )


def marked(state: State) -> dict[str, str]:
    """Return the variable by which the programs of the set-up are found."""
    return {processes.MARKER: processes.marker(state.folder, _SETUP)}


def kill(state: State) -> None:
    """Kill the programs of a set-up or installation that runs: whoever waits for them then fails."""
    for process in processes.find(state.folder, _SETUP):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


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
        **marked(state),
    }
    said = []
    with subprocess.Popen(
        processes.in_background([str(python()), "-P", str(_SCRIPT)]),
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
