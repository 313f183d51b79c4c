"""A file of one's own: declared, applied and loaded by the command alone, on a platform that runs."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import PROJECT, Platform


@pytest.fixture
def name() -> Iterator[str]:
    """Yield the name of a dataset whose declaration is removed afterwards."""
    made = "own_data_test"
    yield made
    shutil.rmtree(PROJECT / "datasets" / made, ignore_errors=True)


def test_a_sample_becomes_a_table_without_an_edit(platform: Platform, name: str, tmp_path: Path) -> None:
    sample = tmp_path / "sold.csv"
    sample.write_text("Nr;Verkauft am;Betrag\n1;25.11.2026;1.249,90\n2;26.11.2026;89,00\n", encoding="windows-1252")
    platform.mdp("dataset", "new", name, str(sample))
    platform.mdp("dataset", "apply", name)
    platform.mdp("upload", str(sample), "--prefix", name, "--wait", "--timeout", "120")
    rows = platform.json("sql", f"select nr, verkauft_am::text as day, betrag::text from {name} order by nr")
    assert rows == [
        {"nr": 1, "day": "2026-11-25", "betrag": "1249.90"},
        {"nr": 2, "day": "2026-11-26", "betrag": "89.00"},
    ]
