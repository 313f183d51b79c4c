"""What must hold of every Compose model of ours: each rule returns what breaks it."""

import re
from typing import Any

Model = dict[str, Any]

_SECRET = re.compile(r"PASS|SECRET|KEY|TOKEN|CONN", re.IGNORECASE)
_INDIRECT = re.compile(r"_(FILE|CMD|FOLDER)$")  # where to read it, not the secret itself
_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")


def public_ports(model: Model) -> list[str]:
    """Ports that the network can reach."""
    return [
        f"{name}: {port}"
        for name, service in model["services"].items()
        for port in service.get("ports", [])
        if not str(port).startswith("127.0.0.1:")
    ]


def images_without_digest(model: Model) -> list[str]:
    """Images from elsewhere that may be other ones tomorrow."""
    return [
        f"{name}: {service.get('image')}"
        for name, service in model["services"].items()
        if "build" not in service
        and service.get("image") != "mini-data-platform/airflow:latest"  # Astro builds it from our Dockerfile
        and not re.search(r":[\w][\w.-]*@sha256:[0-9a-f]{64}$", str(service.get("image")))
    ]


def is_secret(variable: str) -> bool:
    """Tell whether a variable holds a secret, by its name."""
    return bool(_SECRET.search(variable) and not _INDIRECT.search(variable))


def secrets_in_the_model(model: Model) -> list[str]:
    """Secrets that stand in a file, and so are known to everybody who can read it."""
    return [
        f"{name}: {variable}"
        for name, service in model["services"].items()
        for variable, value in service["environment"].items()
        if (is_secret(variable) and value not in {"", "unset"}) or _URL.search(value)
    ]


def services_off_the_network(model: Model) -> list[str]:
    """Services that Airflow cannot reach, or that are told to be nowhere and everywhere."""
    return [
        name
        for name, service in model["services"].items()
        if list(service.get("networks", [])) != ([] if service.get("network_mode") == "none" else ["airflow"])
    ]


def once(service: Model) -> bool:
    """Tell whether a service runs to its end."""
    return bool(service.get("restart", "no") == "no")


def unwatched_services(model: Model) -> list[str]:
    """Services that go on running and cannot say whether they work."""
    return [name for name, s in model["services"].items() if not once(s) and "healthcheck" not in s]


def wrong_dependencies(model: Model) -> list[str]:
    """Waits for something that never happens, or that says nothing."""
    found = []
    for name, service in model["services"].items():
        for other, how in service["depends_on"].items():
            target = model["services"].get(other)
            right = target is not None and (
                (how["condition"] == "service_completed_successfully" and once(target))
                or (how["condition"] == "service_healthy" and not once(target))
            )
            if not right:
                found.append(f"{name} → {other}: {how['condition']}")
    return found


def order(model: Model) -> list[str]:
    """Return the services in the order in which they start.

    Raises:
        ValueError: if they wait for each other.
    """
    done: list[str] = []
    while len(done) < len(model["services"]):
        ready = [
            name for name, s in model["services"].items() if name not in done and set(s["depends_on"]) <= set(done)
        ]
        if not ready:
            raise ValueError(sorted(set(model["services"]) - set(done)))
        done += sorted(ready)
    return done


def volumes_of(service: Model) -> dict[str, str]:
    """Return the named volumes of a service, and where they are."""
    parts = [str(volume).split(":") for volume in service.get("volumes", [])]
    return {part[0]: part[1] for part in parts if "/" not in part[0]}
