"""The page of licences: it is about the packages that are locked now, and none has a licence that we may not use."""

import re

import pytest

from deploy.audit import LOCKS, locked
from deploy.licences import PAGE, installed, licence

ROW = re.compile(r"^\| (?!package|---)([a-z0-9._-]+) \| (.+) \|$", re.MULTILINE)
PIN = re.compile(r"^([\w.-]+)==\S+ \\$", re.MULTILINE)  # on every system
# Copyleft that reaches our own code when it is imported; the LGPL and MPL do not.
STRONG = re.compile(r"(?<!L)(?<!Lesser )GPL|AGPL|(?<!Lesser )General Public License|SSPL|proprietary", re.IGNORECASE)


@pytest.mark.parametrize("lock", ["embedded.txt", "superset.txt"])
def test_every_locked_package_is_listed_and_no_other(lock: str) -> None:
    [section] = [s for s in PAGE.read_text().split("\n## ") if s.startswith(f"locks/{lock}")]
    listed = {name for name, _ in ROW.findall(section)}
    everywhere = {name.lower() for name in PIN.findall((LOCKS / lock).read_text())}
    assert len(everywhere) > 100
    assert everywhere - listed == set(), "run `python -m deploy.licences`"
    assert listed <= {name for (name, _), files in locked(LOCKS).items() if lock in files}


def test_no_package_is_under_a_licence_that_would_bind_our_code() -> None:
    rows = ROW.findall(PAGE.read_text())
    bound = [(n, text) for n, text in rows if STRONG.search(text) and "LGPL" not in text and "Artistic" not in text]
    assert bound == []
    assert STRONG.search("GNU Affero General Public License v3")
    assert not STRONG.search("LGPL-3.0-only")


def test_a_licence_is_read_from_metadata_of_every_age() -> None:
    import sys
    from pathlib import Path

    packages = installed(Path(p) for p in sys.path if p.endswith("site-packages"))
    assert licence(packages["pydantic"]) == "MIT"
    assert licence(packages["boto3"]) == "Apache-2.0"
    assert "Apache" in licence(packages["zizmor"]) or "MIT" in licence(packages["zizmor"])
