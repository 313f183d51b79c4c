"""Asks an advisory database for the known vulnerabilities of every locked Python package.

Needs a network; ends with 1 if there is a vulnerability that `audit.toml` does not except, or an exception that has
expired or is no longer needed. Only Python itself is required: `python deploy/audit.py`.
"""

# ruff: noqa: INP001  a script
import datetime as dt
import json
import re
import sys
import tomllib
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
LOCKS = FOLDER.parent / "locks"
DATABASE = "https://api.osv.dev/v1/querybatch"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_AT_ONCE = 500  # queries in a request; the database takes 1000

Package = tuple[str, str]  # name and version


def locked(folder: Path) -> dict[Package, list[str]]:
    """Return every pinned package of the lock files in a folder, with the names of these files."""
    found: dict[Package, list[str]] = {}
    for file in sorted(folder.glob("*.txt")):
        for name, version in _PINNED.findall(file.read_text(encoding="utf-8")):
            found.setdefault((name.lower(), version), []).append(file.name)
    return found


def exceptions(file: Path, today: dt.date) -> tuple[dict[str, str], list[str]]:
    """Return the excepted advisories with their reasons, and what is wrong with the file.

    Each table `[ID]` has a `package`, a `reason` of at least 20 characters and a date `until`, at most a year away.
    """
    excepted, faults = {}, []
    for advisory, entry in tomllib.loads(file.read_text(encoding="utf-8")).items():
        if set(entry) != {"package", "reason", "until"} or len(entry["reason"]) < 20:
            faults.append(f"{advisory}: it needs package, reason (20 characters or more) and until")
        elif not today <= entry["until"] <= today + dt.timedelta(days=366):
            faults.append(f"{advisory}: its date {entry['until']} is over, or more than a year away")
        else:
            excepted[advisory] = entry["reason"]
    return excepted, faults


def advisories(packages: Iterable[Package], ask: Callable[[bytes], bytes]) -> dict[Package, list[str]]:
    """Return the ids of the advisories about each package that has some.

    Args:
        packages: to ask for.
        ask: sends a request to the database and returns its answer.
    """
    wanted, found = list(packages), {}
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        queries = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in part]
        results = json.loads(ask(json.dumps({"queries": queries}).encode()))["results"]
        for package, result in zip(part, results, strict=True):
            if result.get("vulns"):
                found[package] = sorted(vulnerability["id"] for vulnerability in result["vulns"])
    return found


def report(packages: dict[Package, list[str]], found: dict[Package, list[str]], excepted: dict[str, str]) -> list[str]:
    """Return a line for each vulnerability that is not excepted, and for each exception that is not needed."""
    lines = [
        f"{name} {version} ({', '.join(packages[name, version])}): {advisory}"
        for (name, version), ids in sorted(found.items())
        for advisory in ids
        if advisory not in excepted
    ]
    present = {advisory for ids in found.values() for advisory in ids}
    return lines + [
        f"{advisory}: excepted, but no locked package has it: remove it" for advisory in excepted.keys() - present
    ]


def _ask(body: bytes) -> bytes:
    request = urllib.request.Request(DATABASE, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return bytes(answer.read())


def main() -> int:
    """Audit the locks and return the exit code."""
    packages = locked(LOCKS)
    excepted, faults = exceptions(FOLDER / "audit.toml", dt.datetime.now(dt.UTC).date())
    faults += report(packages, advisories(packages, _ask), excepted)
    print(f"{len(packages)} locked packages, {len(excepted)} exceptions.", *faults, sep="\n")  # noqa: T201
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
