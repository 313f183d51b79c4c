"""Every command of the README works, in the order of the page, and prints what the page shows."""

import os
import re
import subprocess
from pathlib import Path

from tests.e2e.conftest import PROJECT, Platform

# The fixture of all end-to-end tests runs the first; the second runs this test.
RUN_ELSEWHERE = {"./mdp up", "./mdp test"}


def commands() -> list[str]:
    """Return the lines of the README's shell blocks, without their comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (PROJECT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    lines = [re.sub(r"\s+#\s.*", "", line).strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def test_the_commands_of_the_readme_work(platform: Platform, tmp_path: Path) -> None:
    for name in ("mdp", "datasets"):
        (tmp_path / name).symlink_to(PROJECT / name)
    shown = re.findall(r"^```\n(mine/.*?)^```", (PROJECT / "README.md").read_text(), re.DOTALL | re.MULTILINE)[0]
    printed = ""
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
        # `status` ends with 1 because of the files that other tests of this platform have left in quarantine.
        waits = line == "./mdp status" and re.search("There is 1 problem:\n .* files are in quarantine", done.stderr)
        assert done.returncode == (1 if waits else 0), f"{line}\n{done.stdout}\n{done.stderr}"
        assert done.stdout.strip() or done.stderr.strip(), line
        printed += done.stdout
    assert shown in printed
