"""The settings of an embedded platform: its secrets, its ports, and what the user set."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path

from pydantic import SecretStr, ValidationError

from minidata.errors import PermanentError
from minidata.settings import PROJECT, Settings
from operate.embedded.secrets import read_secrets
from operate.embedded.state import State


def embedded_settings(state: State) -> Settings:
    """Return how to reach a platform, from its own files alone: the caller's environment changes nothing.

    Raises:
        PermanentError: if its secrets or settings are missing or wrong.
    """
    known = {**read_secrets(secrets_file(state)), **state.chosen_settings(), **_addresses(state)}
    return _checked(known, str(secrets_file(state)))


def as_environment(settings: Settings, secrets: Collection[str] | None = None) -> dict[str, str]:
    """Write settings as the `MDP_*` variables that a child process reads them from.

    Args:
        settings: to write.
        secrets: fields that hold the passwords and keys that the process needs; None is all of them.
    """
    values = {}
    for name, variable in _variables().items():
        value = getattr(settings, name)
        if value is not None and (secrets is None or name in secrets or not _is_secret(name)):
            values[variable] = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return values


def settings_in_environment() -> dict[str, str]:
    """Return the settings that the caller's environment makes, secrets and addresses aside.

    Raises:
        PermanentError: if one has a value that it does not take.
    """
    mine = {variable for name, variable in _variables().items() if not _is_secret(name)}
    found = {name: os.environ[name] for name in sorted(mine - _OURS) if os.environ.get(name)}
    _checked(found, "the environment of this command")
    return found


def secrets_file(state: State) -> Path:
    """Return the file of secrets: `.env` beside the code for the default platform, else in its own folder."""
    return (PROJECT if state.folder == PROJECT / ".mdp" else state.folder) / ".env"


_OURS = {"MDP_DATABASE_HOST", "MDP_DATABASE_PORT", "MDP_DATABASE_NAME", "MDP_DATABASE_TLS", "MDP_S3_ENDPOINT"}


def _is_secret(field: str) -> bool:
    return field.endswith(("password", "key_id", "access_key"))


def _checked(values: Mapping[str, str], place: str) -> Settings:
    """Make settings of variables; what is wrong is to be mended in the place that they come from."""
    fields = {name: values[variable] for name, variable in _variables().items() if variable in values}
    try:
        return Settings.model_validate(Settings.model_construct().model_dump() | fields)
    except ValidationError as error:
        lines = [f"MDP_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise PermanentError(f"These settings are wrong; mend them in {place}:\n  " + "\n  ".join(lines)) from error


def _addresses(state: State) -> dict[str, str]:
    return {
        "MDP_DATABASE_HOST": "127.0.0.1",
        "MDP_DATABASE_PORT": str(state.port("postgres")),
        "MDP_DATABASE_NAME": "warehouse",
        "MDP_DATABASE_TLS": "disable",
        "MDP_S3_ENDPOINT": f"http://127.0.0.1:{state.port('s3')}",
    }


def _variables() -> dict[str, str]:
    return {name: f"MDP_{name.upper()}" for name in Settings.model_fields}
