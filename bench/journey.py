"""Traces one good and one bad file from the upload event to the archive, and prints which of our files they enter.

A file is entered when one of its functions is called; imports do not count. Its lines are all its lines. PostgreSQL
and the object store are real; the trigger and the DAG's own task functions are called as Airflow calls them.

Example: ./mdp dev bench journey
"""

# ruff: noqa: INP001, T201  a script
import argparse
import asyncio
import importlib
import inspect
import os
import pkgutil
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Self

import etl
import minidata
from minidata import ledger
from minidata.events.trigger import SnapshotTrigger
from minidata.settings import PROJECT, Settings, load_settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import connect
from operate.embedded.postgres import home as postgres_home
from operate.embedded.settings import as_environment, embedded_settings
from operate.embedded.start import start_servers
from operate.embedded.state import State
from operate.embedded.stop import stop_platform
from tests.dags.graph import load

DATASET = "youtube_stats"
HEADER = (
    "video_id,channel_id,channel_name,channel_subscribers,description,"
    "total_views,total_likes,total_dislikes,date_created,date_updated\n"
)
ROW = 'v{0},c1,A channel,10,"About it, ""{0}""",{0},1,0,2020-01-01 00:00:00,2026-11-01 12:00:{0:02}\n'
FILES = {
    "good": HEADER + "".join(map(ROW.format, range(20))),
    "bad": "video_id,chanel_id\n1,2\n",
}


class Footprints:
    """Within `with`: notes each file of the project of which a function is called, in any thread."""

    def __init__(self) -> None:
        self.entered: dict[Path, None] = {}  # in order

    def __enter__(self) -> Self:
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_flags & inspect.CO_OPTIMIZED:  # the body of a module or class is no function
            file = Path(code.co_filename)
            if file.is_relative_to(PROJECT) and file.parts[len(PROJECT.parts)] in {"dags", "etl", "minidata"}:
                self.entered[file] = None


def import_all() -> None:
    """Import every module before the first footprint, so that no function runs only because of an import."""
    for package in (minidata, etl):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def upload(settings: Settings, key: str, content: str) -> None:
    """Put a file into `raw` and its event into the inbox, as a store that notifies does."""
    ObjectStore(settings).write(settings.raw_bucket, key, content.encode())
    event = {"Records": [{"s3": {"bucket": {"name": settings.raw_bucket}, "object": {"key": key}}}]}
    with connect(settings, "loader") as connection:
        ledger.write_inbox(connection, [event])


async def first_event() -> Any:
    """Return what the trigger wakes the DAG with."""
    events = SnapshotTrigger(DATASET).run()
    try:
        return await anext(events)
    finally:
        await events.aclose()


def journey(tasks: dict[str, Callable[..., Any]], key: str) -> Footprints:
    """Run the tasks as Airflow does: a batch with no valid file goes from `validate` to `archive`."""
    with Footprints() as footprints:
        asyncio.run(first_event())
        batch = tasks["extract"](run_id=key)
        if tasks["validate"](batch):
            tasks["load"](tasks["transform"](batch))
        tasks["archive"](batch)
    return footprints


def report(found: dict[str, Footprints], settings: Settings) -> None:
    """Print where the files ended, and one line for each of our files that they entered."""
    with connect(settings, "loader") as connection:
        for file in reversed(ledger.find_files(connection)):
            print(f"{file.key}: {file.state}, {file.rows_loaded} rows")
    lines = {f: len(f.read_text(encoding="utf-8").splitlines()) for prints in found.values() for f in prints.entered}
    print(f"\n{'file':<42}{'lines':>7}" + "".join(f"{name:>6}" for name in found))
    for file, count in lines.items():
        marks = "".join(f"{'x' if file in prints.entered else '':>6}" for prints in found.values())
        print(f"{file.relative_to(PROJECT)!s:<42}{count:>7}{marks}")
    for name, prints in found.items():
        print(f"{name} file: {len(prints.entered)} files, {sum(lines[file] for file in prints.entered)} lines")


def main() -> None:
    """Make the servers, trace both files, and remove the servers again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mdp-journey-") as folder:
        os.environ |= {"AIRFLOW_HOME": f"{folder}/airflow", "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        state = State.open(Path(folder) / "state")
        try:
            start_servers(state, lambda *_: None)
            settings = embedded_settings(state)
            os.environ.update(as_environment(settings))
            load_settings.cache_clear()
            import_all()
            tasks = {task.task_id: task.python_callable for task in load().dags[DATASET].tasks}
            found = {}
            for name, content in FILES.items():
                upload(settings, f"{DATASET}/{name}.csv", content)
                found[name] = journey(tasks, f"{DATASET}/{name}.csv")
            report(found, settings)
        finally:
            stop_platform(state, lambda *_: None)
            postgres_home.remove(state)


if __name__ == "__main__":
    main()
