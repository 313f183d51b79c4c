"""New secrets for a platform: every password and key is replaced while it is stopped, and applied at its next start."""

import re

from psycopg import sql

from minidata.errors import PermanentError
from operate.embedded import processes
from operate.embedded.files import write_private
from operate.embedded.object_store import certificates, seaweedfs
from operate.embedded.postgres import user
from operate.embedded.postgres.home import Home
from operate.embedded.settings import EMPTY, EXAMPLE, random_secret, read_secrets, secrets_file
from operate.embedded.state import State

PREVIOUS_KEY = "MDP_SUPERSET_PREVIOUS_SECRET_KEY"  # until Superset has encrypted its passwords with the new one
_ELSEWHERE = "MDP_METABASE_"  # of Docker mode, whose servers do not read the file
_ROLES = {
    "mdp_admin": "MDP_ADMIN_PASSWORD",
    "mdp_owner": "MDP_OWNER_PASSWORD",
    "mdp_loader": "MDP_LOADER_PASSWORD",
    "mdp_bi": "MDP_BI_PASSWORD",
    "mdp_events": "MDP_EVENTS_PASSWORD",
    "airflow": "MDP_AIRFLOW_DATABASE_PASSWORD",
    "superset": "MDP_SUPERSET_DATABASE_PASSWORD",
}


def rotate(state: State) -> list[str]:
    """Write new secrets into a stopped platform's file of secrets, and remove the object store's inner ones.

    The database takes its new passwords at the next start (`apply_to_database`). Interrupted at any point, the next
    start applies what the file then has.

    Returns:
        The names of the secrets that were replaced.

    Raises:
        PermanentError: if the file cannot be read or written.
    """
    with state.exclusive():
        file, old = secrets_file(state), read_secrets(state)
        names = [name for name in EMPTY.findall(EXAMPLE.read_text(encoding="utf-8")) if not name.startswith(_ELSEWHERE)]
        state.remember(passwords_outdated=True)
        text = file.read_text(encoding="utf-8")
        for name in names:
            text = re.sub(rf"^{name}=.*$", f"{name}={random_secret(name)}", text, flags=re.MULTILINE)
        if "superset" in state.platform.ports and PREVIOUS_KEY not in old:
            text = f"{text.rstrip()}\n{PREVIOUS_KEY}={old['MDP_SUPERSET_SECRET_KEY']}\n"
        for inner in (*certificates.FILES, seaweedfs.SECURITY):
            (state.weed / inner).unlink(missing_ok=True)
        try:
            write_private(file, text)
        except OSError as error:
            raise PermanentError(f"{file} cannot be written: {error}. The old secrets are still valid.") from error
    return names


def apply_to_database(state: State, place: Home) -> None:
    """Give the roles of a stopped server the passwords of the file of secrets, if they were replaced.

    The server is run without a network for this: it needs no password then.

    Raises:
        PermanentError: if it fails, with the last lines that it printed.
    """
    if not state.platform.passwords_outdated:
        return
    secrets, script = read_secrets(state), place.folder / "passwords.sql"
    lines = [
        f"do $mdp$ begin if exists (select from pg_roles where rolname = '{role}') then "
        f"alter role {role} password {sql.Literal(secrets[name]).as_string()}; end if; end $mdp$\n"
        for role, name in _ROLES.items()
    ]
    failure = "The new passwords could not be set in the database."
    try:
        with user.lend(place.folder, place.data, place.user) as account:
            write_private(script, "".join(lines), account)
            said = processes.run(
                [
                    "/bin/sh", "-c", 'exec "$1" --single -D "$2" postgres <"$3"', "sh",
                    str(place.binaries / "postgres"), str(place.data), str(script),
                ],
                failure,
                processes.once(state.folder, place.folder),
                place.data,
                user=account,
            )  # fmt: skip
    finally:
        script.unlink(missing_ok=True)
    if "ERROR" in said:
        raise PermanentError(f"{failure} {said}")
    state.remember(passwords_outdated=False)


def forget_previous_key(state: State) -> None:
    """Remove Superset's previous key from the file of secrets: nothing is encrypted with it any more."""
    file = secrets_file(state)
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(f"{PREVIOUS_KEY}=")]
    if kept != lines:
        write_private(file, "".join(kept))
