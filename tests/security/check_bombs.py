"""Bombs: validation of each in a process of its own gives the right reason and takes little memory.

`-s` prints the table of docs/threat-model.md: bytes, peak memory, processor seconds.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.security.bombs import BOMBS, Bomb

_MOST = 500  # MiB
_CHILD = """
import json, os, sys, time
from datetime import UTC, datetime
from minidata.contract import Limits
from minidata.contract.validate import validate
from minidata.settings import Settings
from tests.unit.contract.checking import DATASET

path, ending = sys.argv[1:]
def chunks():
    with open(path, "rb") as file:
        while chunk := file.read(4 << 20):
            yield chunk

verdict = validate(
    chunks(), key=f"a{ending}", stored_size=os.path.getsize(path), arrived_at=datetime.now(UTC),
    dataset=DATASET.model_copy(update={"formats": ["csv", "zip", "jsonl"]}),
    limits=Limits.of(Settings()), good=lambda rows: None, rejects=len,
)
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([verdict.reason and verdict.reason.code, peak >> 10, time.process_time()]))
"""


@pytest.mark.parametrize("bomb", BOMBS, ids=[bomb.name for bomb in BOMBS])
def test_a_bomb_gets_its_reason_within_500_mib(bomb: Bomb, tmp_path: Path) -> None:
    file = tmp_path / "bomb"
    file.write_bytes(bomb.data(1))
    child = [sys.executable, "-c", _CHILD, str(file), bomb.ending]
    made = subprocess.run(child, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    code, memory, seconds = json.loads(made.stdout)
    sys.stdout.write(f"\n| {bomb.name} | {file.stat().st_size:,} | `{code or 'good'}` | {memory} | {seconds:.0f} |\n")
    assert code == bomb.code
    assert memory < _MOST
