"""`mdp upload` and `mdp wait`: files on their way in."""

import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from minidata import ledger
from minidata.errors import PermanentError, TransientError
from minidata.settings import Settings
from minidata.store import ObjectStore
from minidata.text import require_plain
from minidata.warehouse.connection import Connection, connect
from operate.cli.app import app, settings_of
from operate.cli.files import verdict_line
from operate.cli.options import Json, Prefix, Strict, Timeout, Wait, require_wait
from operate.cli.output import print_json, safe, say
from operate.cli.progress import progress_bar
from operate.cli.stuck import require_progress

FINAL = ("archived", "quarantined", "superseded", "failed", "excluded")

_UPLOADS = 8  # at once
_MEMORY_BYTES = 16 * 2**20  # of standard input; more goes to a temporary file
_POLL_SECONDS = 0.1
_OUTAGE_SECONDS = 0.5
_PATIENCE_SECONDS = 5  # without a file that is done, after which it is checked whether one can ever be


@app.command()
def upload(
    context: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            help="Files and folders. Files in a folder keep their relative paths. `-` reads standard input.",
        ),
    ],
    prefix: Prefix = "",
    key: Annotated[str | None, typer.Option(help="Key of a single file, or of standard input.")] = None,
    wait_: Wait = False,
    timeout: Timeout = 0,
    strict: Strict = False,
    json_: Json = False,
) -> None:
    """Upload files into the raw bucket, as any S3 client does.

    With `--wait` it shows what became of each file. A refused file is a failure only with `--strict`.

    Example: ./mdp upload exports/ --prefix sales --wait, or zcat day.csv.gz | ./mdp upload - --key sales/day.csv
    """
    require_wait(wait_, timeout, strict)
    files = _files_below(paths, key)
    settings = settings_of(context)
    prefix = f"{prefix.rstrip('/')}/" if prefix else ""
    files = [(prefix + name, path) for name, path in files]
    require_plain(name for name, _ in files)
    versions = _put(settings, files)
    if wait_:
        wait_for(settings, versions, json_=json_, timeout=timeout, strict=strict)
    elif json_:
        print_json([{"key": name, "version": version} for name, version in versions])
    else:
        number = "1 file" if len(versions) == 1 else f"{len(versions)} files"
        say(f"Uploaded {number}. `./mdp wait` waits until the platform has processed them.")


def _files_below(paths: list[Path], key: str | None) -> list[tuple[str, Path]]:
    """Return key and path of each file; a folder's files are named by their paths below it."""
    if key is not None and (len(paths) > 1 or paths[0].is_dir()):
        raise typer.BadParameter("--key names one file; for several, use --prefix.")
    files = []
    for path in paths:
        if str(path) == "-":
            if key is None:
                raise typer.BadParameter("Standard input has no name: add --key FOLDER/NAME.csv.")
            files.append((key, path))
        elif path.is_dir():
            below = sorted(f for f in path.rglob("*") if f.is_file())
            files += [(f.relative_to(path).as_posix(), f) for f in below]
        elif path.is_file():
            files.append((key or path.name, path))
        else:
            raise typer.BadParameter(f"{path} is neither a file nor a folder.", param_hint="PATH")
    if not files:
        raise PermanentError("There is no file to upload in " + ", ".join(map(str, paths)) + ".")
    return files


def _put(settings: Settings, files: list[tuple[str, Path]]) -> list[tuple[str, str]]:
    """Upload files, (key, path), several at once; return (key, version) of each in the same order."""
    store = ObjectStore(settings)

    def put(file: tuple[str, Path]) -> tuple[str, str]:
        name, path = file
        with ExitStack() as stack:
            if str(path) == "-":
                stream = stack.enter_context(tempfile.SpooledTemporaryFile(_MEMORY_BYTES))
                while data := sys.stdin.buffer.read(2**20):
                    stream.write(data)
                stream.seek(0)
                return name, store.write(settings.raw_bucket, name, stream)
            return name, store.write(settings.raw_bucket, name, stack.enter_context(path.open("rb")))

    # Versions of one key are uploaded in their order.
    repeated = len({name for name, _ in files}) < len(files)
    pool = ThreadPoolExecutor(1 if repeated else _UPLOADS)
    try:
        with progress_bar() as progress:
            return list(progress.track(pool.map(put, files), total=len(files), description="Uploading"))
    finally:
        pool.shutdown(cancel_futures=True)


@app.command()
def wait(context: typer.Context, timeout: Timeout = 0, strict: Strict = False, json_: Json = False) -> None:
    """Wait until the platform has processed every file that is in raw now, and show what became of each.

    Example: ./mdp wait --timeout 60
    """
    settings = settings_of(context)
    listed = ObjectStore(settings).versions(settings.raw_bucket)
    present = [(v.key, v.version) for v in listed if not v.key.endswith("/")]
    wait_for(settings, present, json_=json_, timeout=timeout, strict=strict)


def wait_for(settings: Settings, present: list[tuple[str, str]], *, json_: bool, timeout: float, strict: bool) -> None:
    """Poll the ledger until these versions, (key, version), are in a final state; an outage only delays it.

    Raises:
        PermanentError: after `timeout` seconds; if no time would help, as with a paused DAG; or, with `strict`, if a
            file is not archived in the end.
    """
    started = moved = time.monotonic()
    before = 0
    with closing(_Ledger(settings, present)) as entries, progress_bar() as progress:
        task = progress.add_task("Waiting", total=len(present))
        while True:
            files = entries.files()
            done = sum(file.state in FINAL for file in files)
            progress.update(task, completed=done)
            if done == len(present):
                break
            if done != before:
                before, moved = done, time.monotonic()
            if time.monotonic() - moved > _PATIENCE_SECONDS:
                require_progress(settings, [f.key for f in files if f.state not in FINAL])
                moved = time.monotonic()
            if timeout and time.monotonic() - started > timeout:
                raise PermanentError(
                    f"After {timeout:g} seconds {len(present) - done} of {len(present)} files are not done. "
                    "`./mdp status` and `./mdp files` show more."
                )
            time.sleep(_POLL_SECONDS)
    if json_:
        print_json([{"key": f.key, "version": f.version, "state": f.state, "reasons": f.reasons} for f in files])
    else:
        _print_ends(files)
    others = sum(file.state != "archived" for file in files)
    if strict and others:
        raise PermanentError(
            f"{others} of {len(present)} files are not loaded. `./mdp quarantine ls` and `./mdp files` show why."
        )


def _print_ends(files: list[ledger.FileOutcome]) -> None:
    counts = Counter(file.state for file in files)
    say(", ".join(f"{n} {state}" for state, n in counts.items()) or "Nothing was waiting in raw.")
    for file in files:
        if file.state != "archived" or file.rows_rejected:
            say(f"  {safe(file.key)}: {verdict_line(file)}")


class _Ledger:
    """The ledger's entries of some versions; the connection is made again after an outage."""

    def __init__(self, settings: Settings, present: list[tuple[str, str]]) -> None:
        self._settings = settings
        self._present = present
        self._connection: Connection | None = None

    def files(self) -> list[ledger.FileOutcome]:
        """Return the entries that exist; none while the server is away."""
        try:
            if self._connection is None:
                self._connection = connect(self._settings, "loader")
            return ledger.states_of(self._connection, self._present)
        except (TransientError, psycopg.OperationalError):
            self.close()
            time.sleep(_OUTAGE_SECONDS)
            return []

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
