"""The settings of an embedded platform: its secrets, its ports, and what the user set."""

import os
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
    fields = {name: known[variable] for name, variable in _variables().items() if variable in known}
    try:
        return Settings.model_validate(Settings.model_construct().model_dump() | fields)
    except ValidationError as error:
        lines = [f"MDP_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise PermanentError(
            f"These settings are wrong; mend them in {secrets_file(state)}:\n  " + "\n  ".join(lines)
        ) from error


def as_environment(settings: Settings) -> dict[str, str]:
    """Write settings as the `MDP_*` variables that a child process reads them from."""
    values = {}
    for name, variable in _variables().items():
        value = getattr(settings, name)
        if value is not None:
            values[variable] = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return values


def settings_in_environment() -> dict[str, str]:
    """Return the settings that the caller's environment makes, secrets and addresses aside."""
    mine = {v for n, v in _variables().items() if not n.endswith(("password", "key_id", "access_key"))}
    return {name: os.environ[name] for name in sorted(mine - _OURS) if os.environ.get(name)}


def secrets_file(state: State) -> Path:
    """Return the file of secrets: `.env` beside the code for the default platform, else in its own folder."""
    return (PROJECT if state.folder == PROJECT / ".mdp" else state.folder) / ".env"


_OURS = {"MDP_DATABASE_HOST", "MDP_DATABASE_PORT", "MDP_DATABASE_NAME", "MDP_DATABASE_TLS", "MDP_S3_ENDPOINT"}


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
