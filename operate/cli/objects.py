"""`mdp upload` and `mdp wait`: files on their way in."""

import re
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from minidata import ledger
from minidata.errors import PermanentError, TransientError
from minidata.settings import Settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import Connection, connect
from operate.cli.app import app, settings_of
from operate.cli.output import console, errors, print_json, safe

FINAL = ("archived", "quarantined", "superseded", "failed", "excluded")
Wait = Annotated[bool, typer.Option("--wait", help="Wait until the platform is done with them.")]
Timeout = Annotated[float, typer.Option(min=0, help="Wait at most so many seconds; 0 is without end.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit code 1 if a file ends other than archived.")]

_ODD = re.compile(r"\\|//|^/|[\x00-\x1f\ud800-\udfff\ufffd-\uffff]|(^|/)\.uploads/|\.versions/")
_POLL_SECONDS = 0.1
_OUTAGE_SECONDS = 0.5


def progress_bar() -> Progress:
    """Return a bar on standard error, which only a terminal shows."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )


@app.command()
def upload(
    context: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", exists=True, help="Files; of folders, all files with their paths below them."),
    ],
    prefix: Annotated[str, typer.Option(help="Put before each key.")] = "",
    wait_: Wait = False,
    timeout: Timeout = 0,
    strict: Strict = False,
    json_: Annotated[bool, typer.Option("--json", help="For a script.")] = False,
) -> None:
    """Upload files into the raw bucket, as any S3 client would.

    A file that is refused is no failure of the upload, unless it is `--strict`: `--wait` says what became of each.

    Example: ./mdp upload snapshots/ --prefix youtube_stats --wait
    """
    require_wait(wait_, timeout, strict)
    files = _files_below(paths)
    settings = settings_of(context)
    store = ObjectStore(settings)
    prefix = f"{prefix.rstrip('/')}/" if prefix else ""
    require_plain(prefix + name for name, _ in files)
    versions: list[tuple[str, str]] = []
    with progress_bar() as progress:
        for name, path in progress.track(files, description="Uploading"):
            with path.open("rb") as stream:
                versions.append((prefix + name, store.write(settings.raw_bucket, prefix + name, stream)))
    if wait_:
        wait_for(settings, versions, json_=json_, timeout=timeout, strict=strict)
    elif json_:
        print_json([{"key": key, "version": version} for key, version in versions])
    else:
        console.print(f"Uploaded {len(versions)} files. `./mdp wait` tells what becomes of them.")


def _files_below(paths: list[Path]) -> list[tuple[str, Path]]:
    """Return key and path of each file: a folder's files are named by their paths below it."""
    files = []
    for path in paths:
        if path.is_dir():
            below = sorted(f for f in path.rglob("*") if f.is_file())
            files += [(f.relative_to(path).as_posix(), f) for f in below]
        elif path.is_file():
            files.append((path.name, path))
        else:
            raise PermanentError(f"{path} is neither a file nor a folder.")
    if not files:
        raise PermanentError("There is no file to upload in " + ", ".join(map(str, paths)) + ".")
    return files


def require_plain(keys: Iterable[str]) -> None:
    """See that a store keeps the keys as they are: what it writes otherwise or hides would be waited for in vain.

    Raises:
        PermanentError: if one holds what SeaweedFS or XML does not carry.
    """
    odd = [safe(key) for key in keys if _ODD.search(key)]
    if odd:
        raise PermanentError(
            "Object stores write such names otherwise, or hide them (a backslash, //, a control character, .uploads/, "
            f".versions/); nothing was uploaded. Rename: {', '.join(odd)}."
        )


@app.command()
def wait(
    context: typer.Context,
    timeout: Timeout = 0,
    strict: Strict = False,
    json_: Annotated[bool, typer.Option("--json", help="For a script.")] = False,
) -> None:
    """Wait until all that is in raw now has reached a final state, and say what became of it.

    Example: ./mdp wait --timeout 60
    """
    settings = settings_of(context)
    listed = ObjectStore(settings).versions(settings.raw_bucket)
    present = [(v.key, v.version) for v in listed if not v.key.endswith("/")]
    wait_for(settings, present, json_=json_, timeout=timeout, strict=strict)


def require_wait(wait_: bool, timeout: float, strict: bool) -> None:
    """See that nobody says how to wait without asking to.

    Raises:
        BadParameter: if somebody does.
    """
    if (timeout or strict) and not wait_:
        raise typer.BadParameter("--timeout and --strict say how to wait: add --wait.")


def wait_for(settings: Settings, present: list[tuple[str, str]], *, json_: bool, timeout: float, strict: bool) -> None:
    """Poll the ledger until these versions, (key, version), are in a final state; an outage is waited out.

    Raises:
        PermanentError: if the time, in seconds, is over; or, being strict, if one is not archived in the end.
    """
    started = time.monotonic()
    with closing(_Ledger(settings, present)) as entries, progress_bar() as progress:
        task = progress.add_task("Waiting", total=len(present))
        while True:
            states = entries.states()
            done = [row for row in states if row[2] in FINAL]
            progress.update(task, completed=len(done))
            if len(done) == len(present):
                break
            if timeout and time.monotonic() - started > timeout:
                raise PermanentError(
                    f"After {timeout:g} seconds {len(present) - len(done)} of {len(present)} files are not done. "
                    "`./mdp status` and `./mdp files` tell more."
                )
            time.sleep(_POLL_SECONDS)
    _print_ends(states, json_=json_)
    others = sum(row[2] != "archived" for row in states)
    if strict and others:
        raise PermanentError(
            f"{others} of {len(present)} files are not in. `./mdp quarantine ls` and `./mdp files` tell why."
        )


def _print_ends(states: list[tuple[str, str, str, list[str]]], *, json_: bool) -> None:
    """Print what became of each file, given as `_Ledger.states` does."""
    if json_:
        print_json([{"key": k, "version": v, "state": s, "reasons": r} for k, v, s, r in states])
        return
    counts = Counter(row[2] for row in states)
    console.print(", ".join(f"{n} {state}" for state, n in counts.items()) or "Nothing was waiting in raw.")
    for key, _, state, reasons in states:
        if state != "archived":
            console.print(f"  {safe(key)}: {state} {', '.join(reasons)}", markup=False, soft_wrap=True)


class _Ledger:
    """The ledger's word on some versions, asked again and again; a server that restarts meanwhile is reached anew."""

    def __init__(self, settings: Settings, present: list[tuple[str, str]]) -> None:
        self._settings = settings
        self._present = present
        self._connection: Connection | None = None

    def states(self) -> list[tuple[str, str, str, list[str]]]:
        """Return key, version, state and reasons of those that it knows; none while the server is away."""
        try:
            if self._connection is None:
                self._connection = connect(self._settings, "loader")
                self._connection.autocommit = True
            return ledger.states_of(self._connection, self._present)
        except (TransientError, psycopg.OperationalError):
            self.close()
            time.sleep(_OUTAGE_SECONDS)
            return []

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
