"""The settings of an embedded platform: its secrets, its ports, and what the user chose."""

import os
import re
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeVar

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError

from minidata.errors import PermanentError
from minidata.settings import PROJECT, Settings, is_secret
from operate.embedded.files import write_private
from operate.embedded.state import State

EXAMPLE = PROJECT / "example.env"
EMPTY = re.compile(r"^(MDP_[A-Z0-9_]+)=[ \t]*$", re.MULTILINE)
_NAMED = re.compile(r"^(MDP_[A-Z0-9_]+)=", re.MULTILINE)
_OURS = {"MDP_DATABASE_HOST", "MDP_DATABASE_PORT", "MDP_DATABASE_NAME", "MDP_DATABASE_TLS", "MDP_S3_ENDPOINT"}
_Model = TypeVar("_Model", bound=Settings)


def secrets_file(state: State) -> Path:
    """Return the file of secrets: `.env` in the project for the default platform, else in its own folder."""
    return (PROJECT if state.folder == PROJECT / ".mdp" else state.folder) / ".env"


def make_secrets(state: State) -> None:
    """Make the file of secrets from `example.env`, or fill in its empty values; what is set stays.

    Raises:
        PermanentError: if the file cannot be read or written.
    """
    file = secrets_file(state)
    try:
        example = EXAMPLE.read_text(encoding="utf-8")
        text = file.read_text(encoding="utf-8") if file.exists() else example
        lacking = [name for name in EMPTY.findall(example) if name not in _NAMED.findall(text)]
        filled = "\n".join([*text.splitlines(), *(f"{name}=" for name in lacking)]) + "\n"
        filled = EMPTY.sub(lambda match: f"{match[1]}={random_secret(match[1])}", filled)
        if filled != text or not file.exists() or file.stat().st_mode & 0o077:
            write_private(file, filled)
    except (OSError, UnicodeDecodeError) as error:
        raise PermanentError(
            f"The secrets in {file} cannot be read or written: {error}. Check that you may read {file} and write to "
            "its folder, and that the disk has space, then try again."
        ) from error


def read_secrets(state: State) -> dict[str, str]:
    """Read the `MDP_*` variables of a platform's file of secrets.

    Raises:
        PermanentError: if the file is missing or unreadable.
    """
    file = secrets_file(state)
    try:
        with file.open(encoding="utf-8") as stream:
            values = dotenv_values(stream=stream, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise PermanentError(
            f"The secrets in {file} cannot be read: {error}. `./mdp up` makes the file if it is missing. "
            "If it was lost, restore it from a backup: the servers know only the old passwords."
        ) from error
    return {name: value for name, value in values.items() if name.startswith("MDP_") and value}


def embedded_settings(state: State, model: type[_Model] = Settings) -> _Model:  # type: ignore[assignment]
    """Return how to reach a platform, from its own files alone: the caller's environment changes nothing.

    Args:
        state: the platform.
        model: the settings to read, `Settings` or more.

    Raises:
        PermanentError: if its secrets or settings are missing or wrong.
    """
    known = {**read_secrets(state), **state.platform.settings, **_addresses(state)}
    return _checked(known, str(secrets_file(state)), model)


def as_environment(settings: Settings, secrets: Collection[str] | None = None) -> dict[str, str]:
    """Write settings as the `MDP_*` variables that a child process reads them from.

    Args:
        settings: to write.
        secrets: fields that hold the passwords and keys that the process needs; None is all of them.
    """
    values = {}
    for name, variable in _variables(Settings).items():
        value = getattr(settings, name)
        if value is not None and (secrets is None or name in secrets or not is_secret(name)):
            values[variable] = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return values


def settings_in_environment() -> dict[str, str]:
    """Return the settings in the caller's environment, without passwords, keys and addresses of servers.

    Raises:
        PermanentError: if a value is one that its setting does not take.
    """
    mine = {variable for name, variable in _variables(Settings).items() if not is_secret(name) or name == "alerts"}
    found = {name: os.environ[name] for name in sorted(mine - _OURS) if os.environ.get(name)}
    _checked(found, "the environment of this command", Settings)
    return found


def _variables(model: type[Settings]) -> dict[str, str]:
    """Return the environment variable of each field."""
    return {name: f"MDP_{name.upper()}" for name in model.model_fields}


def random_secret(name: str) -> str:
    """Make a secret of letters and digits, which no shell, URL or INI file misreads."""
    return secrets.token_hex(10 if name.endswith("_ACCESS_KEY_ID") else 32)


def _checked(values: Mapping[str, str], place: str, model: type[_Model]) -> _Model:
    """Make settings of variables; an error names the place that they come from."""
    fields = {name: values[variable] for name, variable in _variables(model).items() if variable in values}
    try:
        return model.model_validate(model.model_construct().model_dump() | fields)
    except ValidationError as error:
        lines = [f"MDP_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise PermanentError(f"These settings are wrong; fix them in {place}:\n  " + "\n  ".join(lines)) from error


def _addresses(state: State) -> dict[str, str]:
    return {
        "MDP_ADMIN_USER": "mdp_admin",
        "MDP_DATABASE_HOST": "127.0.0.1",
        "MDP_DATABASE_PORT": str(state.port("postgres")),
        "MDP_DATABASE_NAME": "warehouse",
        "MDP_DATABASE_TLS": "disable",
        "MDP_S3_ENDPOINT": f"http://127.0.0.1:{state.port('s3')}",
    }
