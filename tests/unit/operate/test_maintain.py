"""`mdp test`: what the long tiers are, and what they ask for."""

import subprocess
import sys
from pathlib import Path

import pytest

from minidata.errors import PermanentError
from minidata.settings import PROJECT
from operate.cli import maintain


def test_a_program_that_the_long_tiers_lack_is_named_with_the_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PermanentError, match=r"chromium: .*apt-get install chromium"):
        maintain._require_programs()
    for name in maintain._PROGRAMS:
        (tmp_path / name).touch(mode=0o755)
    maintain._require_programs()


def test_the_long_tiers_are_the_files_called_check_but_the_one_of_a_running_docker_mode() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *maintain._LONG]
    collected = subprocess.run([*command, "tests/deploy"], cwd=PROJECT, capture_output=True, text=True, check=True)
    files = {line.partition("::")[0] for line in collected.stdout.splitlines()}
    assert {"tests/deploy/real_minio/check_minio.py", "tests/deploy/test_images.py"} <= files
    assert "tests/deploy/check_docker.py" not in files
