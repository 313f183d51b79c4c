"""Every command of the README does what it says, in the order in which it stands there."""

import os
import re
import subprocess
from pathlib import Path

from tests.e2e.conftest import PROJECT, Platform

# Of these the first and the last two are run by the fixture, around all end-to-end tests; one runs this test.
RUN_ELSEWHERE = {"./mdp up", "./mdp test", "./mdp test --all", "./mdp down", "./mdp destroy"}


def commands() -> list[str]:
    """Return the lines of the README's shell blocks, without their comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (PROJECT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    lines = [re.sub(r"\s+#\s.*", "", line).strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def test_the_commands_of_the_readme_work(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "mdp").symlink_to(PROJECT / "mdp")
    found = [line for line in commands() if line not in RUN_ELSEWHERE]
    assert len(found) > 5
    for line in found:
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=tmp_path,
            env={**os.environ, "MDP_STATE": str(platform.state)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        assert done.stdout.strip() or done.stderr.strip(), line
