"""Compares the model of these tests with the engine's own, in CI:

docker compose -f deploy/compose.yaml config --format json | python -m tests.deploy.compare_with_compose
"""

import json
import sys
from typing import Any

from tests.deploy.compose_model import PROJECT, rendered


def of_engine(service: dict[str, Any]) -> dict[str, Any]:
    """Return what is compared, of a service as the engine shows it."""
    return {
        "image": service["image"],
        "environment": service.get("environment", {}),
        "command": escaped(service.get("command")),
        "entrypoint": escaped(service.get("entrypoint")),
        "restart": service.get("restart", "no"),
        "networks": sorted(service.get("networks") or {}),
        "depends_on": {name: how["condition"] for name, how in service.get("depends_on", {}).items()},
        "ports": sorted(f"{p.get('host_ip')}:{p['published']}:{p['target']}" for p in service.get("ports", [])),
        "volumes": sorted(
            f"{str(v['source']).replace(str(PROJECT), '.')}:{v['target']}:{'ro' if v.get('read_only') else 'rw'}"
            for v in service.get("volumes", [])
        ),
    }


def of_ours(service: dict[str, Any]) -> dict[str, Any]:
    """Return the same, of a service as the tests show it."""
    volumes = [str(v).split(":") for v in service.get("volumes", [])]
    return {
        "image": service["image"],
        "environment": service["environment"],
        "command": service.get("command"),
        "entrypoint": service.get("entrypoint"),
        "restart": service.get("restart", "no"),
        "networks": sorted(service.get("networks", [])),
        "depends_on": {name: how["condition"] for name, how in service["depends_on"].items()},
        "ports": sorted(service.get("ports", [])),
        "volumes": sorted(f"{v[0]}:{v[1]}:{'ro' if 'ro' in ''.join(v[2:]).split(',') else 'rw'}" for v in volumes),
    }


def escaped(words: list[str] | None) -> list[str] | None:
    """The engine prints a `$` as it must be written in a file."""
    return [word.replace("$$", "$") for word in words] if words else None


def main() -> int:
    """Compare; return the exit code."""
    engine = json.load(sys.stdin)["services"]
    ours = rendered("compose")["services"]
    differences = [f"{name}: only in one" for name in engine.keys() ^ ours.keys()]
    for name in sorted(engine.keys() & ours.keys()):
        theirs, mine = of_engine(engine[name]), of_ours(ours[name])
        differences += [f"{name}.{key}: {theirs[key]!r} != {mine[key]!r}" for key in mine if theirs[key] != mine[key]]
    print("\n".join(differences) or f"{len(ours)} services are the same.")  # noqa: T201  a script
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
