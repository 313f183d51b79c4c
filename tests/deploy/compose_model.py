"""The Compose model as the engine would see it, without an engine: interpolation, merge, `!reset`, short forms.

Only what our files use is understood, by the rules of the Compose specification as compose-go applies them; anything
else is an error here, so that nothing is passed over. CI compares it with `docker compose config`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml

PROJECT = Path(__file__).resolve().parents[2]
OVERRIDE = PROJECT / "docker-compose.override.yml"
OWN_AIRFLOW = PROJECT / "deploy" / "airflow.yaml"
ASTRO = Path(__file__).with_name("astro_base.yaml")
BASES = {"astro": ASTRO, "compose": OWN_AIRFLOW}
_APPENDED = {"volumes", "ports", "env_file", "networks", "security_opt", "cap_drop"}
_REPLACED = {"command", "entrypoint", "test"}
VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?P<rest>[^}]*)\}|(?P<bare>\w+))")


class Reset:
    """A value that takes the one before it away."""


class _Loader(yaml.SafeLoader):
    pass


_Loader.add_constructor("!reset", lambda *_: Reset())


class BareVariableError(Exception):
    """A variable that is empty wherever nobody has set it."""


def read(file: Path) -> dict[str, Any]:
    """Read a Compose file, variables untouched."""
    return dict(yaml.load(file.read_text(encoding="utf-8"), _Loader))


def interpolated(value: Any, environment: Mapping[str, str]) -> Any:
    """Replace `${NAME:-default}` and `$$`.

    Raises:
        BareVariableError: for a variable without a default.
    """
    if isinstance(value, dict):
        return {name: interpolated(item, environment) for name, item in value.items()}
    if isinstance(value, list):
        return [interpolated(item, environment) for item in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        if match["bare"] or not match["rest"].startswith(":-"):
            raise BareVariableError(match[0])
        return environment.get(match["name"]) or match["rest"][2:]

    return VARIABLE.sub(replace, value)


def merged(base: Any, over: Any, name: str = "") -> Any:
    """Merge a later file into an earlier one."""
    if isinstance(over, Reset):
        return over
    if isinstance(base, dict) and isinstance(over, dict):
        both = {key: merged(base[key], over[key], key) for key in base.keys() & over.keys()}
        return {**base, **over, **both}
    if isinstance(base, list) and isinstance(over, list) and name not in _REPLACED:
        assert name in _APPENDED, f"how {name} merges is not known here"
        return base + [item for item in over if item not in base]
    return over


def canonical(service: dict[str, Any]) -> dict[str, Any]:
    """Write out short forms, and drop what was reset."""
    service = {name: value for name, value in service.items() if not isinstance(value, Reset)}
    needs = service.get("depends_on", {})
    if isinstance(needs, list):
        needs = {name: {"condition": "service_started"} for name in needs}
    service["depends_on"] = needs
    files = service.get("env_file", [])
    service["env_file"] = [{"path": files}] if isinstance(files, str) else files
    environment = service.get("environment", {})
    service["environment"] = {k: "" if v is None else str(v) for k, v in environment.items()}
    return service


def rendered(mode: Literal["astro", "compose"], environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the whole model of a mode.

    Args:
        mode: with Astro's Airflow, or with our own.
        environment: the variables that interpolation sees; under Astro, those of .env are not among them.
    """
    base, over = (interpolated(read(file), environment or {}) for file in (BASES[mode], OVERRIDE))
    services: dict[str, Any] = {}
    for part in (base, over):
        for name, service in part["services"].items():
            # A short form is written out before files are merged.
            services[name] = merged(services.get(name, {}), _long(service))
    return {
        "services": {name: canonical(service) for name, service in services.items()},
        "volumes": {**base.get("volumes", {}), **over.get("volumes", {})},
        "networks": {**base.get("networks", {}), **over.get("networks", {})},
    }


def _long(service: dict[str, Any]) -> dict[str, Any]:
    needs = service.get("depends_on")
    if isinstance(needs, list):
        return {**service, "depends_on": {name: {"condition": "service_started"} for name in needs}}
    return dict(service)
