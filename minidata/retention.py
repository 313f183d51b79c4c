"""Retention: what the platform writes about its own work, and is not the user's data, is deleted when it is old."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from minidata.errors import TransientError

# In a task, Airflow replaces these by an address that refuses.
_BLOCKED = ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__CORE__SQL_ALCHEMY_CONN")
_SECONDS = 1800
EVENTS = "openlineage.jsonl"
"""OpenLineage's events, in the folder of the logs."""


def set_aside(file: Path) -> None:
    """Rename a file that only grows, if it exists: its writers begin a new one, and the old one ages."""
    if file.exists():
        file.rename(file.with_stem(f"{file.stem}-{time.time_ns()}"))


def prune_logs(folder: Path, days: float) -> int:
    """Delete the files in a folder that were last written longer ago, and folders that are empty then; return how many.

    Links are not followed. A file that is deleted by someone else meanwhile is fine.
    """
    oldest, count = time.time() - days * 86_400, 0
    for parent, _, files in os.walk(folder, topdown=False):
        for name in files:
            file = Path(parent) / name
            try:
                if file.lstat().st_mtime < oldest:
                    file.unlink()
                    count += 1
            except FileNotFoundError:
                continue
        if Path(parent) != folder and Path(parent).stat().st_mtime < oldest and not any(Path(parent).iterdir()):
            Path(parent).rmdir()
    return count


def clean_airflow(days: float) -> str:
    """Delete old rows of Airflow's own tables with its `db clean`; return what that printed.

    It runs as a program of its own: a task may not use Airflow's database. The address of the database is
    `MDP_AIRFLOW_DATABASE_URL`, or what else Airflow's configuration names.

    Raises:
        TransientError: if it fails, with the end of what it printed.
    """
    before = datetime.now(UTC) - timedelta(days=days)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("_AIRFLOW") and name not in _BLOCKED
    }

    if url := environment.get("MDP_AIRFLOW_DATABASE_URL"):
        environment[_BLOCKED[0]] = url
    command = ["db", "clean", "--clean-before-timestamp", before.isoformat(), "--skip-archive", "--yes"]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise TransientError(f"Airflow's tables were not cleaned within {_SECONDS} s. It is tried again.") from error
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise TransientError(f"Airflow's tables could not be cleaned; it is tried again:\n{said}")
    return done.stdout
