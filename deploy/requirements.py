"""Extracts the requirements of each image from the lock: `python deploy/requirements.py [--check]`.

The lock already names what each package needs, so nothing is resolved again: every image has the versions that the
tests ran with. The images of Airflow bring Airflow and its requirements; for them only the rest of what our code
needs is pinned, the command `mdp` included.
"""

# ruff: noqa: INP001  a script
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LOCK = PROJECT / "locks" / "embedded.txt"
AIRFLOW = {"apache-airflow"}
GENERATOR = {"obstore", "pydantic", "zstandard"}
PROVIDERS = {"apache-airflow-providers-apprise"}  # of alerts; the images of Airflow lack it
COMMAND = {"cryptography", "psutil", "rich", "supervisor", "typer"}
_HEADER = "# Made from locks/embedded.txt by deploy/requirements.py: do not edit.\n"
_ENTRY = re.compile(r"^(?P<name>[\w.-]+)==[^\n]*(?:\n[ ]+[^\n]*)*", re.MULTILINE)
_VIA = re.compile(r"^ +# +(?:via )?([\w.-]+)(?: \(.*\))?$", re.MULTILINE)


@dataclass(frozen=True)
class Package:
    """One entry of the lock; a package may have several, for several Pythons.

    Attributes:
        name: of the package.
        pin: its version, with the marker of the machines that want it.
        text: the entry with its hashes.
        parents: packages that need it.
    """

    name: str
    pin: str
    text: str
    parents: frozenset[str]


def read_lock(text: str) -> list[Package]:
    """Read the entries of a lock file that `uv pip compile` has written."""
    packages = []
    for entry in _ENTRY.finditer(text):
        lines = entry[0].split("\n")
        kept = [line for line in lines if not line.lstrip().startswith("#")]
        packages.append(
            Package(entry["name"], lines[0].rstrip(" \\"), "\n".join(kept), frozenset(_VIA.findall(entry[0])))
        )
    return packages


def needed_by(roots: set[str], lock: list[Package]) -> list[Package]:
    """Return some packages and all that they need, in the order of the lock."""
    names = set(roots)
    while more := {package.name for package in lock if package.parents & names} - names:
        names |= more
    return [package for package in lock if package.name in names]


def images(lock: list[Package], direct: list[str]) -> dict[Path, str]:
    """Return each image's file of requirements.

    Args:
        lock: all packages.
        direct: what our code depends on, as pyproject.toml has it.
    """
    roots = {re.split(r"[\[<>=!~ ]", line, maxsplit=1)[0]: line for line in direct}
    airflows = {package.name for package in needed_by(AIRFLOW, lock)}
    ours = [p.pin for p in needed_by(set(roots) | COMMAND | PROVIDERS, lock) if p.name not in airflows]
    shared = [line for name, line in roots.items() if name in airflows]
    hashed = {"generator": GENERATOR, "operate": set(roots) | COMMAND}
    return {
        PROJECT / "requirements.txt": f"{_HEADER}# Airflow is the image's, and so are the versions of what it brings.\n"
        + "\n".join([*ours, *shared, ""]),
        **{
            PROJECT / "deploy" / "requirements" / f"{name}.txt": _HEADER
            + "\n".join([*(p.text.rstrip(" \\") for p in needed_by(wanted, lock)), ""])
            for name, wanted in hashed.items()
        },
    }


def main() -> int:
    """Write the files, or with `--check` say which of them are out of date."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    stale = []
    for file, content in images(read_lock(LOCK.read_text(encoding="utf-8")), project["dependencies"]).items():
        if not file.exists() or file.read_text(encoding="utf-8") != content:
            stale.append(str(file.relative_to(PROJECT)))
            if "--check" not in sys.argv:
                file.parent.mkdir(exist_ok=True)
                file.write_text(content, encoding="utf-8")
    if stale:
        print("Out of date:" if "--check" in sys.argv else "Written:", ", ".join(stale))  # noqa: T201
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
