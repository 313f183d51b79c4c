"""Times the pipeline's steps on many small files, without Airflow: real PostgreSQL, real object store, steps in order.

Prints the seconds and milliseconds a file of each step, and the checksum of the tables; `--profile STEP` prints where
the step's own thread spends its time; `--lineage` traces a channel that many files name. With `--airflow`, a whole
platform loads them, from a DAG that was paused.

Example: ./mdp dev bench small_files --files 2000 --rows 100, or with --files 10000 --airflow
"""

# ruff: noqa: INP001, T201  a script
import argparse
import cProfile
import os
import pstats
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from memory import mdp
from validation import make_rows

from etl.extract import extract
from etl.step import STEPS, run_step
from minidata import ledger
from minidata.dataset import read_datasets
from minidata.rebuild import Archive, trace
from minidata.settings import Settings, load_settings
from minidata.store import ObjectStore
from minidata.warehouse.checksum import checksums
from minidata.warehouse.connection import Connection, connect
from operate.embedded.airflow import metadata
from operate.embedded.postgres import home as postgres_home
from operate.embedded.settings import as_environment, embedded_settings
from operate.embedded.start import start_servers
from operate.embedded.state import State
from operate.embedded.stop import stop_platform

DATASET = "youtube_stats"


@contextmanager
def servers() -> Iterator[Settings]:
    """Run a PostgreSQL and an object store of their own, and let this process's steps use them."""
    with tempfile.TemporaryDirectory(prefix="mdp-small-") as folder:
        state = State.open(Path(folder) / "state")
        try:
            start_servers(state, lambda *_: None)
            settings = embedded_settings(state)
            os.environ.update(as_environment(settings))
            load_settings.cache_clear()
            yield settings
        finally:
            stop_platform(state, lambda *_: None)
            postgres_home.remove(state)


def upload(settings: Settings, files: int, rows: int) -> None:
    """Put so many files into `raw`, each with other rows of the same world."""
    store = ObjectStore(settings)
    world = make_rows(files * rows)

    def put(number: int) -> None:
        content = world[number * rows : (number + 1) * rows].write_csv().encode()
        store.write(settings.raw_bucket, f"{DATASET}/{number % 10}/{number:06}.csv", content)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(files)))


def drain(settings: Settings, profiled: dict[str, cProfile.Profile]) -> Counter[str]:
    """Load all that waits, batch after batch; return the seconds of each step."""
    seconds: Counter[str] = Counter()

    def timed(name: str, call: Any, *arguments: Any) -> Any:
        began, profile = time.monotonic(), profiled.get(name)
        result = profile.runcall(call, *arguments) if profile else call(*arguments)
        seconds[name] += time.monotonic() - began
        return result

    with connect(settings, "loader") as connection:
        timed("look", lambda: ledger.look(connection, ObjectStore(settings), settings, DATASET, full=True))
    while (batch := timed("extract", extract, DATASET, f"run {seconds.total()}")) is not None:
        for step in STEPS:
            timed(step, run_step, step, batch)
    return seconds


def through_airflow(files: int, rows: int) -> None:
    """Upload files with the command while the DAG is paused, then load them; print files a second of both."""
    with tempfile.TemporaryDirectory(prefix="mdp-small-") as place:
        state, folder, world = Path(place) / "state", Path(place) / "files", make_rows(files * rows)
        for number in range(files):
            file = folder / DATASET / str(number % 10) / f"{number:06}.csv"
            file.parent.mkdir(parents=True, exist_ok=True)
            world[number * rows : (number + 1) * rows].write_csv(file)
        mdp(state, "up", "--no-bi", "--no-simulator")
        try:
            platform = State.open(state)
            settings = embedded_settings(platform)
            with metadata.connect(platform, settings) as airflow:
                airflow.execute("update dag set is_paused = true where dag_id = %s", [DATASET])
                airflow.commit()
                began = time.monotonic()
                mdp(state, "upload", str(folder))
                print(f"upload: {files / (time.monotonic() - began):,.0f} files/s")
                metadata.unpause(airflow, [DATASET])
                airflow.commit()
            began = time.monotonic()
            mdp(state, "wait", "--timeout", "1000")
            print(f"unpaused → all archived: {files / (time.monotonic() - began):,.1f} files/s")
            print(mdp(state, "status", "--latency"), mdp(state, "checksum"), sep="\n")
        finally:
            mdp(state, "destroy", "--yes")


def lineage(settings: Settings, connection: Connection) -> None:
    """Trace the row of the channel with the most videos; print how long that took, and how many files it names."""
    query = "select channel_id from youtube_stats.channel_stats order by total_videos desc, channel_id limit 1"
    [(channel,)] = connection.execute(query).fetchall()
    archive = Archive(ObjectStore(settings), settings, connection)
    dataset = read_datasets(settings.datasets_folder)[DATASET]
    began = time.monotonic()
    found = trace(connection, dataset, "channel_stats", {"channel_id": channel}, archive)
    files = {origin.file.file_id for origins in found.origins.values() for origin in origins}
    print(f"lineage: {time.monotonic() - began:.1f} s, values from {len(files):,} files")


def main() -> None:
    """Upload, load, and print what took how long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--profile", action="append", default=[], help="name of a step; may be given several times")
    parser.add_argument("--lineage", action="store_true", help="trace a row of channel_stats afterwards")
    parser.add_argument("--airflow", action="store_true", help="through a whole platform")
    asked = parser.parse_args()
    if asked.airflow:
        through_airflow(asked.files, asked.rows)
        return
    profiled = {name: cProfile.Profile() for name in asked.profile}
    with servers() as settings:
        began = time.monotonic()
        upload(settings, asked.files, asked.rows)
        print(f"upload: {asked.files / (time.monotonic() - began):,.0f} files/s")
        seconds = drain(settings, profiled)
        with connect(settings, "loader") as connection:
            print("states:", ledger.count_states(connection))
            print(
                "checksums:",
                {
                    name: digest[:8]
                    for name, (_, digest) in checksums(
                        connection, read_datasets(settings.datasets_folder)[DATASET]
                    ).items()
                },
            )
            if asked.lineage:
                lineage(settings, connection)
    for name, took in seconds.items():
        print(f"{name:<10}{took:>8.2f} s{1000 * took / asked.files:>8.2f} ms a file")
    print(f"{'all':<10}{seconds.total():>8.2f} s{asked.files / seconds.total():>8.1f} files/s")
    for name, profile in profiled.items():
        print(f"\n{name}")
        pstats.Stats(profile).sort_stats("cumulative").print_stats(45)


if __name__ == "__main__":
    main()
