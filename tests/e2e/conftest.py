"""The platform as its user runs it: one `./mdp up` in a temporary state for all end-to-end tests."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Platform:
    """A running platform, reached through its command only."""

    state: Path

    def mdp(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [str(PROJECT / "mdp"), "--state", str(self.state), *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if check and result.returncode:
            raise AssertionError(f"{arguments} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}")
        return result

    def json(self, *arguments: str) -> Any:
        return json.loads(self.mdp(*arguments, "--json").stdout)

    def env(self) -> dict[str, str]:
        script = self.mdp("env").stdout + "\nenv -0"
        out = subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout.decode()
        return dict(line.split("=", 1) for line in out.split("\0") if line)


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Blanks and non-ASCII letters in the path are part of the test."""
    running = Platform(tmp_path_factory.mktemp("état de test") / "une plate-forme")
    try:
        up = running.mdp("up", "--no-bi", "--no-simulator", check=False)
        assert up.returncode == 0, up.stdout + up.stderr
        yield running
    finally:
        running.mdp("down", check=False)
        running.mdp("destroy", "--yes", check=False)
