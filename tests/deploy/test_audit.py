"""The audit of the locks: every pinned package is asked for, and an exception needs a reason and an end."""

import datetime as dt
import json
from pathlib import Path

import pytest

from deploy import audit

TODAY = dt.date(2026, 11, 26)
GOOD = '[GHSA-1]\npackage = "a"\nreason = "the parser that it is about is never called"\nuntil = 2027-01-01\n'


def excepted(folder: Path, text: str) -> tuple[dict[str, str], list[str]]:
    file = folder / "audit.toml"
    file.write_text(text)
    return audit.exceptions(file, TODAY)


def test_every_package_of_every_lock_is_found_once() -> None:
    packages = audit.locked(audit.LOCKS)
    for lock in audit.LOCKS.glob("*.txt"):
        pins = [line for line in lock.read_text().splitlines() if "==" in line.split(";")[0] and line[0] != " "]
        assert len(pins) == sum(lock.name in files for files in packages.values()), lock.name
    assert {"superset.txt"} == {
        file for (name, _), files in packages.items() if name == "apache-superset" for file in files
    }


def test_the_database_is_asked_for_each_package_and_its_answers_keep_their_order() -> None:
    asked: list[dict[str, object]] = []

    def ask(body: bytes) -> bytes:
        queries = json.loads(body)["queries"]
        asked.extend(queries)
        bad = [{"vulns": [{"id": "GHSA-2"}, {"id": "GHSA-1"}]} if q["version"] == "777" else {} for q in queries]
        return json.dumps({"results": bad}).encode()

    packages = [("p", str(number)) for number in range(1200)]
    assert audit.advisories(packages, ask) == {("p", "777"): ["GHSA-1", "GHSA-2"]}
    assert len(asked) == 1200
    assert asked[777] == {"package": {"name": "p", "ecosystem": "PyPI"}, "version": "777"}


def test_what_is_not_excepted_is_reported_with_its_lock_and_a_needless_exception_too() -> None:
    lines = audit.report({("p", "1"): ["dev.txt"]}, {("p", "1"): ["GHSA-1", "GHSA-2"]}, {"GHSA-1": "", "GHSA-9": ""})
    assert lines == ["p 1 (dev.txt): GHSA-2", "GHSA-9: excepted, but no locked package has it: remove it"]


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("2027-01-01", "2026-11-25"),
        GOOD.replace("2027-01-01", "2028-01-01"),
        GOOD.replace("the parser that it is about is never called", "why not"),
        GOOD.replace('package = "a"\n', ""),
    ],
)
def test_an_exception_needs_a_reason_and_an_end(tmp_path: Path, text: str) -> None:
    assert excepted(tmp_path, GOOD)[1] == []
    found, faults = excepted(tmp_path, text)
    assert found == {}
    assert len(faults) == 1


def test_our_own_exceptions_are_well_formed() -> None:
    assert audit.exceptions(audit.FOLDER / "audit.toml", TODAY)[1] == []
