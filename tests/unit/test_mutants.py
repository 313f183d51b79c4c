"""The planted bugs still fit the code, and name tests that exist."""

import ast

import pytest

from minidata.settings import PROJECT
from tests.mutants import Mutant, mutants

MUTANTS = mutants()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_has_its_place_and_its_tests(mutant: Mutant) -> None:
    planted = mutant.planted()
    if mutant.file.endswith(".py"):
        ast.parse(planted)
    assert mutant.find != mutant.put
    for test in mutant.tests:
        path, _, name = test.partition("::")
        assert (PROJECT / path).exists(), test
        assert not name or f"def {name.partition('[')[0]}(" in (PROJECT / path).read_text(encoding="utf-8"), test


def test_there_are_thirty_and_none_twice() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 30
