"""Every command of README, tutorial and how-to works, in the order of its page, and prints what is shown."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import PROJECT, Platform

# The fixture of all end-to-end tests runs the first; the second runs this test; the third needs a BI tool, and
# tests/integration/check_superset.py runs it.
RUN_ELSEWHERE = {"./mdp up", "./mdp test", "./mdp dashboards apply"}


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page in a language."""
    text = (PROJECT / page).read_text(encoding="utf-8")
    found: list[tuple[str, str]] = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [block for of, block in found if of == language]


def commands(page: str) -> list[str]:
    """Return the lines of the shell blocks of a page, without their comments."""
    lines = [re.sub(r"\s+#\s.*", "", line).strip() for block in blocks(page, "sh") for line in block.splitlines()]
    return [line for line in lines if line and line not in RUN_ELSEWHERE]


@pytest.fixture
def folder(platform: Platform, tmp_path: Path) -> Iterator[Path]:
    """Yield a folder in which the commands of a page find what they name; no dataset stays declared."""
    (tmp_path / "mdp").symlink_to(PROJECT / "mdp")
    (tmp_path / "datasets").symlink_to(platform.datasets)
    yield tmp_path
    shutil.rmtree(platform.datasets / "sales", ignore_errors=True)


def run(platform: Platform, folder: Path, line: str) -> str:
    """Run a line of a page as a reader would, and return what it prints."""
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env={**os.environ, "MDP_STATE": str(platform.state)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    # `status` ends with 1 because of the files that other tests of this platform have left in quarantine.
    waits = line == "./mdp status" and re.search("There is 1 problem:\n .* files are in quarantine", done.stderr)
    assert done.returncode == (1 if waits else 0), f"{line}\n{done.stdout}\n{done.stderr}"
    assert done.stdout.strip() or done.stderr.strip() or line.startswith("sed "), line
    return done.stdout


def test_the_commands_of_the_readme_work(platform: Platform, folder: Path) -> None:
    [shown] = [block for block in blocks("README.md", "") if block.startswith("mine/")]
    lines = commands("README.md")
    assert len(lines) > 5
    assert shown in "".join(run(platform, folder, line) for line in lines)


def test_the_commands_of_the_how_to_fix_a_file_work(platform: Platform, folder: Path) -> None:
    lines = commands("docs/fixing.md")
    assert len(lines) > 5
    printed = "".join(run(platform, folder, line) for line in lines)
    assert "2_304" in printed
    assert b"2_304" in (folder / "original.csv").read_bytes()


def test_the_tutorial_ends_with_the_rows_that_it_shows(platform: Platform, folder: Path) -> None:
    [sample] = blocks("docs/own-data.md", "csv")
    (folder / "sales.csv").write_text(sample, encoding="utf-8")
    guessed, zone, newest = blocks("docs/own-data.md", "yaml")
    [shown] = [block for block in blocks("docs/own-data.md", "") if block.startswith("status")]
    declare, *rest = commands("docs/own-data.md")
    assert len(rest) > 5
    run(platform, folder, declare)
    declaration = folder / "datasets" / "sales" / "dataset.yaml"
    found = re.sub(" +#.*", "", declaration.read_text(encoding="utf-8"))
    assert [line for line in guessed.splitlines() if line not in found.splitlines()] == []
    corrected = re.sub("(?m)^  bestellt_am:.*\n", zone, found).replace(guessed[guessed.index("newest:") :], newest)
    declaration.write_text(corrected, encoding="utf-8")
    assert shown in "".join(run(platform, folder, line) for line in rest)
