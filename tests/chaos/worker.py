"""A worker: a process that loads what waits, as the runs of the DAG do, and has one fault planted in it."""

import contextlib
import faulthandler
import os
import signal
from datetime import datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from typing import Any

import botocore.auth
import psycopg

import etl.validate
from etl.extract import extract
from etl.step import release_unfinished, run_step
from minidata.errors import PlatformError
from minidata.ledger import look
from minidata.settings import load_settings
from minidata.store import ObjectStore, preload
from minidata.warehouse.connection import connect
from tests.chaos.points import Fault, Points, install

STEPS = ("validate", "transform", "load", "archive")
DATASET = "youtube_stats"
_LOOKS = 12
preload()


def work(
    name: str,
    environment: dict[str, str],
    pipe: Pipe,
    fault: Fault | None,
    *,
    skipped: str = "",
    poison: str = "",
    ahead: timedelta | None = None,
) -> None:
    """Look, claim and load until nothing waits; at the end tell the names of all points that were passed.

    Args:
        name: of the worker; its runs are called after it.
        environment: variables of the settings.
        pipe: to the driver.
        fault: where this worker does what.
        skipped: a task that somebody marks as a success in the first run.
        poison: a key whose content kills the worker.
        ahead: how far the clock of this machine is ahead.
    """
    points = _begin(environment, pipe, fault)
    if poison:
        _poison(poison)
    if ahead:
        _set_clock(ahead)
    for number in range(_LOOKS):
        run = f"{name}-{number}"
        try:
            if not _one_run(run, skipped if number == 0 else ""):
                break
        except (PlatformError, psycopg.Error):  # the run is red; Airflow calls back
            with contextlib.suppress(PlatformError, psycopg.Error):
                release_unfinished(run)
    pipe.send(points.passed)


def _one_run(run: str, skipped: str) -> bool:
    """Do what one run of the DAG does; returns whether more may wait."""
    settings = load_settings()
    with connect(settings, "loader") as connection:
        waiting = look(connection, ObjectStore(settings), settings, DATASET, full=True)
    if not waiting.count or (batch := extract(DATASET, run)) is None:
        return False
    run_batch(batch, skipped)
    return True


def run_batch(batch: int, skipped: str = "") -> None:
    """Run the tasks of a batch; without a valid file, transform and load are skipped."""
    valid = True
    for step in STEPS:
        if step == skipped or not (valid or step == "archive"):
            continue
        counts = run_step(step, batch)
        valid = valid and (step != "validate" or counts["valid"] > 0)


def repeat(name: str, environment: dict[str, str], pipe: Pipe, fault: Fault | None, batch: int) -> None:
    """Run the tasks of a batch once more, as a duplicate or cleared run does."""
    points = _begin(environment, pipe, fault)
    for step in STEPS:
        with contextlib.suppress(PlatformError, psycopg.Error):
            run_step(step, batch)
    pipe.send(points.passed)


def _begin(environment: dict[str, str], pipe: Pipe, fault: Fault | None) -> Points:
    faulthandler.register(signal.SIGUSR1, all_threads=True)  # the round asks a worker that does not end where it is
    os.environ.update(environment)
    points = Points(fault, pipe)
    install(points)
    return points


def _poison(key: str) -> None:
    stored = etl.validate._stored

    def killed(place: Any, file: Any) -> Any:
        if file.key == key:
            os.kill(os.getpid(), signal.SIGKILL)
        return stored(place, file)

    etl.validate._stored = killed


def _set_clock(ahead: timedelta) -> None:
    """Requests are signed with the time of this machine."""
    now = botocore.auth.get_current_datetime
    botocore.auth.get_current_datetime = lambda *given, **named: _later(now(*given, **named), ahead)


def _later(moment: datetime, ahead: timedelta) -> datetime:
    return moment + ahead
