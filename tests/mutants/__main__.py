"""Plants one bug after another in a copy of the project, and runs the tests that must find it.

The tests with servers share one PostgreSQL and one object store.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from minidata.settings import PROJECT
from tests.integration.conftest import SHARED_SERVERS, started
from tests.mutants import Mutant, mutants

_LIMIT = 240  # seconds; a test that hangs has found the bug too


def main() -> int:
    """Run the mutants; the exit code is 1 if one survives."""
    parser = argparse.ArgumentParser(prog="./mdp dev mutants", description=__doc__)
    parser.add_argument("--name", default="", help="only those whose names or files hold this text")
    parser.add_argument("--skip", type=int, default=0, help="leave out so many at the beginning")
    parser.add_argument("--check", action="store_true", help="first run all of the tests without a bug")
    options = parser.parse_args()
    chosen = [mutant for mutant in mutants() if options.name in mutant.name or options.name in mutant.file]
    chosen = chosen[options.skip :]
    survivors = 0
    with tempfile.TemporaryDirectory(prefix="mdp-mutants-") as folder:
        copy = _copy(Path(folder) / "project")
        with started(Path(folder) / "state") as state:
            if options.check and (failed := _red(copy, _all_tests(chosen), str(state.folder))):
                sys.exit(f"Without a bug the tests are red already:\n{failed}")
            print("| planted bug | file | found by | seconds |\n| --- | --- | --- | ---: |")
            for mutant in chosen:
                began = time.monotonic()
                found = _found_by(copy, mutant, "" if mutant.own_servers else str(state.folder))
                survivors += not found
                took = time.monotonic() - began
                print(f"| {mutant.name} | {mutant.file} | {found or '**survives**'} | {took:.0f} |", flush=True)
    print(f"\n{len(chosen) - survivors} of {len(chosen)} found.")
    return int(survivors > 0)


def _copy(target: Path) -> Path:
    """Copy the project's files, as Git knows them."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=PROJECT, capture_output=True, check=True).stdout.decode().split("\0"):
        if name and (PROJECT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, target / name)
    return target


def _found_by(copy: Path, mutant: Mutant, servers: str) -> str:
    """Return the first test that fails with the bug planted; empty if none does."""
    file = copy / mutant.file
    original = file.read_text(encoding="utf-8")
    file.write_text(mutant.planted(copy), encoding="utf-8")
    try:
        return _red(copy, mutant.tests, servers)
    finally:
        file.write_text(original, encoding="utf-8")


def _red(copy: Path, tests: list[str], servers: str) -> str:
    """Run tests until one fails; return its name, or nothing if all pass."""
    # Bytecode is recognised by time and size: a bug of the same length within a second would go unseen.
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", SHARED_SERVERS: servers}
    command = [sys.executable, "-P", "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", *tests]
    with contextlib.suppress(subprocess.TimeoutExpired):
        result = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=_LIMIT, check=False
        )
        if result.returncode not in {0, 1}:
            raise SystemExit(f"pytest ended with {result.returncode}:\n{result.stdout}\n{result.stderr}")
        failed = [line for line in result.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
        return failed[0].split(" - ")[0].split("::")[-1] if failed else ""
    return "a test that hangs"


def _all_tests(chosen: list[Mutant]) -> list[str]:
    return sorted({test for mutant in chosen if not mutant.own_servers for test in mutant.tests})


if __name__ == "__main__":
    sys.exit(main())
