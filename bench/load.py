# ruff: noqa: INP001
"""Measures a file's way from the first byte read to the commit, beside the floor and beside pandas, in turn.

The floor is a COPY of the finished rows into the same five tables, with their keys and indexes. Pandas makes the same
rows and writes them with `to_sql` into tables without keys. Nothing counts unless all tables are equal.

Example: ./mdp dev bench load --rows 1000000 --rounds 5
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from psycopg import sql
from validation import make_rows

from etl.extract import extract
from etl.step import run_step
from minidata.dataset import Dataset, read_datasets
from minidata.ledger import look
from minidata.settings import PROJECT, Settings, load_settings
from minidata.store import ObjectStore
from minidata.warehouse.__main__ import Administration
from minidata.warehouse.checksum import checksums
from minidata.warehouse.connection import connect, conninfo
from operate.embedded.postgres import home as postgres_home
from operate.embedded.postgres import server as postgres
from operate.embedded.settings import as_environment, embedded_settings
from operate.embedded.start import start_servers
from operate.embedded.state import State
from operate.embedded.stop import stop_platform

DATASET, PEER = "youtube_stats", "peer"
STEPS = ("validate", "transform", "load")
ENVIRONMENT = PROJECT / ".mdp" / "bench-peers"
Result = dict[str, float]
"""Seconds of `wall` and of `cpu`, the server's included; `peak` memory of a process in MiB; more by name."""


DATA = {"distinct": partial(make_rows, distinct=True), "rolled-up": make_rows}


@dataclass(frozen=True)
class Rig:
    """A platform of which only PostgreSQL and the object store run.

    Attributes:
        state: its folder.
        settings: its settings.
        folder: for files of the benchmark.
    """

    state: State
    settings: Settings
    folder: Path

    @property
    def dataset(self) -> Dataset:
        """The declaration."""
        return read_datasets(self.settings.datasets_folder)[DATASET]

    def server_cpu(self) -> float:
        """Return the seconds of CPU that PostgreSQL has used, in all its processes."""
        pid = (postgres_home.choose(self.state).data / "postmaster.pid").read_text().split("\n", 1)[0]
        postmaster = psutil.Process(int(pid))
        ended = postmaster.cpu_times()
        living = [child.cpu_times() for child in postmaster.children()]
        return ended.children_user + ended.children_system + sum(each.user + each.system for each in living)

    def empty(self) -> None:
        """Empty the tables, the ledger and the buckets, and write what is dirty, so that all runs begin alike."""
        with connect(self.settings, "owner") as owner:
            owner.execute("truncate mdp.files, mdp.batches, mdp.inbox")
            owner.execute(f"drop schema if exists {PEER} cascade; create schema {PEER}".encode())
            owner.execute(f"grant all on schema {PEER} to mdp_loader".encode())
            for table in self.dataset.tables:
                owner.execute(sql.SQL("truncate {}").format(sql.Identifier(DATASET, table)))
        store = ObjectStore(self.settings)
        for version in store.versions(self.settings.raw_bucket):
            store.delete_version(self.settings.raw_bucket, version.key, version.version)
        store.delete_prefix(self.settings.staging_bucket, "")
        with postgres.connect_administrator(embedded_settings(self.state, Administration)) as admin:
            admin.autocommit = True
            admin.execute("checkpoint")

    def checksums(self, schema: str = DATASET) -> dict[str, Any]:
        """Return the checksums of the tables in a schema."""
        with connect(self.settings, "loader") as connection:
            return checksums(connection, self.dataset, schema)

    def run(self, *command: str | Path) -> Result:
        """Run a program that prints its own result; add the server's CPU to it, and keep the program's as `client`."""
        before = self.server_cpu()
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
        result = dict(json.loads(done.stdout))
        return result | {"cpu": result["cpu"] + self.server_cpu() - before, "client": result["cpu"]}

    def put(self, file: Path) -> int:
        """Upload a file and claim it; returns the batch."""
        store = ObjectStore(self.settings)
        with file.open("rb") as opened:
            store.write(self.settings.raw_bucket, file.name, opened)
        with connect(self.settings, "loader") as connection:
            look(connection, store, self.settings, DATASET, full=True)
        batch = extract(DATASET, "bench")
        if batch is None:
            raise SystemExit(f"{file.name} was not claimed.")
        return batch

    def ours(self, file: Path) -> Result:
        """Load a file: its steps, each in a process of its own, with `wall` and `client` of each by its name."""
        batch = self.put(file)
        steps = {step: self.run(sys.executable, __file__, "--step", step, str(batch)) for step in STEPS}
        total = {unit: sum(each[unit] for each in steps.values()) for unit in ("wall", "cpu", "client")}
        single = {f"{step} {unit}": each[unit] for step, each in steps.items() for unit in ("wall", "client")}
        return total | single | {"peak": max(each["peak"] for each in steps.values())}

    def finished(self) -> Path:
        """Write the rows of all tables to files, in the order of their keys."""
        folder = self.folder / "finished"
        folder.mkdir(exist_ok=True)
        with connect(self.settings, "loader") as connection:
            for table, keys in self.dataset.tables.items():
                query = sql.SQL("copy (select * from {} order by {}) to stdout (format csv)").format(
                    sql.Identifier(DATASET, table), sql.SQL(", ").join(map(sql.Identifier, keys))
                )
                with (folder / f"{table}.csv").open("wb") as out, connection.cursor().copy(query) as rows:
                    out.writelines(rows)
        return folder

    def floor(self, folder: Path) -> Result:
        """COPY finished rows into the tables."""
        return self.run(sys.executable, __file__, "--floor", folder)

    def pandas(self, file: Path) -> Result:
        """Load a file with pandas, and compare its tables with ours."""
        python = peers_python()
        return self.run(python, PROJECT / "bench/peers/pandas_load.py", file, conninfo(self.settings, "loader"), PEER)


def peers_python() -> Path:
    """Return the interpreter of the peers' environment, which is made first if it is missing."""
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        pins = PROJECT / "bench/peers/requirements.txt"
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", pins], check=True)
    return python


def timed(do: Callable[[], object]) -> None:
    """Run something and print what it took in this process."""
    cpu, wall = time.process_time(), time.perf_counter()
    do()
    took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    sys.stdout.write(json.dumps(took | {"peak": int(status["VmHWM"].split()[0]) / 1024}))


def copy_finished(folder: Path) -> None:
    """COPY files of finished rows into the tables, in one transaction."""
    with connect(load_settings(), "loader") as connection, connection.transaction():
        for file in folder.iterdir():
            into = sql.SQL("copy {} from stdin (format csv)").format(sql.Identifier(DATASET, file.stem))
            with file.open("rb") as rows, connection.cursor().copy(into) as copy:
                while chunk := rows.read(1 << 18):
                    copy.write(chunk)


def measure(rig: Rig, name: str, rows: int, rounds: int) -> str:
    """Measure all ways of loading one set of data in turn, and describe them as Markdown."""
    file = rig.folder / f"{name}.csv"
    DATA[name](rows).write_csv(file)
    rig.empty()
    rig.ours(file)
    expected, finished = rig.checksums(), rig.finished()
    ways: dict[str, tuple[Callable[[], Result], str]] = {
        "ours": (lambda: rig.ours(file), DATASET),
        "floor": (lambda: rig.floor(finished), DATASET),
        "pandas": (lambda: rig.pandas(file), PEER),
    }
    found: dict[str, list[Result]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, (run, schema) in ways.items():
            rig.empty()
            found[way].append(run())
            if rig.checksums(schema) != expected:
                raise SystemExit(f"{name}: the tables of {way} are not ours: {rig.checksums(schema)}, {expected}")
    counts = ", ".join(f"{table} {count:,}" for table, (count, _) in expected.items())
    about = f"### {name}: {rows:,} rows, {file.stat().st_size / 2**20:.0f} MiB"
    return f"{about}\n\nRows of the tables: {counts}.\n\n{table(found)}"


def table(found: dict[str, list[Result]]) -> str:
    """Describe the rounds of each way: medians, the range, and the median of the ratios to ours in each round."""
    heads = ("way", "wall s", "range", "ratio to ours", "range", "CPU s, with the server", "peak MiB")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for way, rounds in found.items():
        ratios = [each["wall"] / ours["wall"] for each, ours in zip(rounds, found["ours"], strict=True)]
        walls = [each["wall"] for each in rounds]
        cells = [way, f"{median(walls):.1f}", _range(walls, 1), f"{median(ratios):.2f}", _range(ratios, 2)]
        cells += [f"{median(each['cpu'] for each in rounds):.1f}", f"{max(each['peak'] for each in rounds):.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    steps = [f"{name} {median(each[name] for each in found['ours']):.2f}" for name in found["ours"][0] if " " in name]
    return "\n".join([*lines, "", f"Steps of ours, s: {', '.join(steps)}.", ""])


def _range(values: list[float], digits: int) -> str:
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"


def main() -> None:
    """Make the platform, measure, remove it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data", choices=DATA, action="append", help="only this data")
    parser.add_argument("--step", nargs=2, metavar=("STEP", "BATCH"), help=argparse.SUPPRESS)
    parser.add_argument("--floor", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        timed(lambda: run_step(asked.step[0], int(asked.step[1])))
        return
    if asked.floor:
        timed(lambda: copy_finished(asked.floor))
        return
    with rig() as found:
        for name in asked.data or DATA:
            sys.stdout.write(measure(found, name, asked.rows, asked.rounds) + "\n")
            sys.stdout.flush()


@contextmanager
def rig() -> Iterator[Rig]:
    """Make a platform in a temporary folder, and remove it again."""
    with tempfile.TemporaryDirectory(prefix="mdp-bench-") as folder:
        state = State.open(Path(folder) / "state")
        try:
            start_servers(state, lambda *_: None)
            settings = embedded_settings(state)
            os.environ.update(as_environment(settings))
            load_settings.cache_clear()
            yield Rig(state, settings, Path(folder))
        finally:
            stop_platform(state, lambda *_: None)
            postgres_home.remove(state)


if __name__ == "__main__":
    main()
