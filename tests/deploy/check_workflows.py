"""The workflows and shell scripts under their linters: `pytest tests/deploy/check_workflows.py`, and CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.compose_model import PROJECT

PROGRAMS = Path(sys.executable).parent
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
SCRIPTS = [PROJECT / "mdp", PROJECT / ".ci" / "run", *sorted((PROJECT / "deploy").glob("*.sh"))]
LINTERS = {
    "actionlint": ["-shellcheck", str(PROGRAMS / "shellcheck")],
    "zizmor": ["--offline", "--persona=pedantic", "--no-progress", "--quiet"],
    "shellcheck": ["--severity=warning"],
}

TRAPS = """\
on: push
permissions: {}
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
      - run: echo "${{ github.event.head_commit.message }}"
"""


def lint(name: str, files: list[Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAMS / name, *LINTERS[name], *files],
        cwd=PROJECT, env=os.environ | {"NO_COLOR": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("name", "files"), [("actionlint", WORKFLOWS), ("zizmor", WORKFLOWS), ("shellcheck", SCRIPTS)])
def test_nothing_is_found(name: str, files: list[Path]) -> None:
    assert len(files) >= 3
    done = lint(name, files)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("name", "says"), [("actionlint", "untrusted"), ("zizmor", "template-injection")])
def test_a_word_of_a_stranger_in_a_script_is_found(name: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "trap.yml").write_text(TRAPS)
    done = lint(name, [tmp_path / "trap.yml"])
    assert done.returncode != 0
    assert says in done.stdout


def test_a_script_in_a_workflow_is_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "trap.yml").write_text(TRAPS.replace('echo "${{ github.event.head_commit.message }}"', "rm $(ls)"))
    assert "SC2046" in lint("actionlint", [tmp_path / "trap.yml"]).stdout


def test_a_trap_in_a_script_is_found(tmp_path: Path) -> None:
    (tmp_path / "trap.sh").write_text("#!/bin/sh\ncd /nowhere\nrm -rf *\n")
    assert "SC2164" in lint("shellcheck", [tmp_path / "trap.sh"]).stdout
