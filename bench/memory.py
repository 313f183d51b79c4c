# ruff: noqa: INP001
"""Measures the pipeline's tasks on a huge file and on one of many bad rows, through a platform of its own.

Example: ./mdp dev bench memory --gigabytes 2
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import polars as pl
import psutil
from validation import make_rows

from operate.embedded import processes

PROJECT = Path(__file__).parents[1]
MIB = 2**20


def write_huge(file: Path, size: int) -> None:
    """Write a good file of so many bytes: 100,000 rows, again and again with other videos."""
    header, _, rows = make_rows(100_000).write_csv().encode().partition(b"\n")
    with file.open("wb") as out:
        out.write(header + b"\n")
        number = 0
        while out.tell() < size:
            out.write(rows.replace(b"v00000", b"v%05d" % number))
            number += 1


def write_rejects(file: Path, rows: int = 10_000) -> None:
    """Write a file of which 9 % of the rows have a negative count."""
    bad = pl.int_range(pl.len()) % 100 < 9
    likes = pl.when(bad).then(pl.lit("-1")).otherwise(pl.col("total_likes").cast(pl.String)).alias("total_likes")
    make_rows(rows).with_columns(likes).write_csv(file)


class Peak(Thread):
    """Watches the tasks of a platform, some 20 times a second.

    Attributes:
        resident: the most that one of them had in memory, in bytes.
        own: the same without what it shares with others, such as the interpreter that it was forked from.
    """

    def __init__(self, state: Path) -> None:
        super().__init__(daemon=True)
        self._state, self._stop_now = state, Event()
        self.resident = self.own = 0

    def run(self) -> None:
        """Look, until stopped."""
        (scheduler,) = [
            process
            for process in processes.find(self._state, "airflow-scheduler")
            if process.ppid() not in {other.pid for other in processes.find(self._state, "airflow-scheduler")}
        ]
        while not self._stop_now.wait(0.05):
            for task in _tasks(scheduler):
                with suppress(psutil.Error):  # it has ended
                    memory = task.memory_full_info()
                    self.resident, self.own = max(self.resident, memory.rss), max(self.own, memory.uss)

    def stop(self) -> None:
        """Stop looking."""
        self._stop_now.set()
        self.join()


def _tasks(scheduler: psutil.Process) -> Iterator[psutil.Process]:
    """Yield the processes that the executor's workers have forked: each runs one task."""
    for worker in scheduler.children():
        with suppress(psutil.Error):
            yield from worker.children()


def measure(state: Path, file: Path) -> str:
    """Upload a file, wait until it is archived, and describe what that took."""
    began = time.monotonic()
    peak = Peak(state)
    peak.start()
    mdp(state, "upload", str(file))
    mdp(state, "wait", "--timeout", "3000")
    seconds = time.monotonic() - began
    peak.stop()
    (told,) = [found for found in json.loads(mdp(state, "files", "--json")) if found["key"] == file.name]
    if told["state"] != "archived":
        raise SystemExit(f"{file.name} is {told['state']}: {told['reasons']}")
    rows = f"{told['rows_loaded']:,} rows, {told['rows_rejected']:,} rejected"
    return (
        f"{file.name}: {file.stat().st_size / MIB:,.1f} MiB, {rows}, {seconds:.0f} s; "
        f"largest task {peak.resident / MIB:.0f} MiB resident, {peak.own / MIB:.0f} MiB of its own"
    )


def mdp(state: Path, *arguments: str) -> str:
    """Run the command on the platform, and return what it says."""
    command = [str(PROJECT / "mdp"), "--state", str(state), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    """Measure both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=2)
    asked: Any = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        state, huge, rejects = (Path(folder) / name for name in ("state", "huge.csv", "rejects.csv"))
        write_huge(huge, int(asked.gigabytes * 1e9))
        write_rejects(rejects)
        mdp(state, "up", "--no-bi", "--no-simulator")
        try:
            for file in (rejects, huge):
                sys.stdout.write(measure(state, file) + "\n")
                sys.stdout.flush()
        finally:
            mdp(state, "destroy", "--yes")


if __name__ == "__main__":
    main()
