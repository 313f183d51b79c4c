"""`mdp files`: the ledger of files."""

import shlex
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from minidata import ledger
from minidata.errors import PermanentError
from minidata.ledger import File, FileOutcome, FileState
from minidata.warehouse.connection import connect
from operate.cli.app import app, settings_of
from operate.cli.options import Json, Limit
from operate.cli.output import bytes_of, print_json, print_table, safe, say

_HINTS = 5  # at most, under the list

files_app = typer.Typer(invoke_without_command=True)
app.add_typer(files_app, name="files")


@files_app.callback()
def files(
    context: typer.Context,
    status: Annotated[FileState | None, typer.Option("--status", "--in", help="Only files in this state.")] = None,
    prefix: Annotated[str | None, typer.Option(help="Only keys that begin with this.")] = None,
    limit: Limit = 50,
    all_: Annotated[bool, typer.Option("--all", help="Show all files.")] = False,
    json_: Json = False,
) -> None:
    """List the files that the platform has seen, newest first.

    Example: ./mdp files --status quarantined --prefix sales/
    """
    if context.invoked_subcommand:
        return
    most = None if all_ or json_ else limit + 1  # one more tells that there are more
    with connect(settings_of(context), "loader") as connection:
        found = ledger.find_files(connection, state=status, prefix=prefix, limit=most)
    if json_:
        print_json([file_json(file) for file in found])
        return
    more = most is not None and len(found) == most
    shown = found[:limit] if more else found
    if not shown:
        say(
            "No file matches."
            if status or prefix
            else "No file has been uploaded yet. `./mdp upload FILE.csv` uploads one."
        )
        return
    several = len({f.dataset for f in shown}) > 1
    rows = [
        [
            f.key,
            f.dataset if several else None,
            bytes_of(f.size),
            f.state,
            ", ".join(f.reasons) or (f.duplicate_of and f"same content as {f.duplicate_of}"),
            f.rows_loaded,
            f.rows_rejected or None,
            f"{f.arrived_at:%m-%d %T}",
        ]
        for f in shown
    ]
    print_table(
        ["key", "dataset", "size", "state", "reason", "rows", "rejected", "arrived (UTC)"],
        rows,
        numbers=("size", "rows", "rejected"),
        only_filled=("dataset", "reason", "rejected"),
    )
    for file in [f for f in shown if f.open][:_HINTS]:
        say(f"{safe(file.key)}: {verdict_line(file)}")
    if more:
        say("Older files are not shown: `./mdp files --all` lists all.")


def file_json(file: File) -> dict[str, object]:
    """Return a row of the ledger for JSON, with times in ISO 8601."""
    times = {name: time.isoformat() for name, time in vars(file).items() if isinstance(time, datetime)}
    values = asdict(file) | times
    del values["file_id"]
    return values


def versions_of(context: typer.Context, key: str) -> list[File]:
    """Return the versions of a key, newest first.

    Raises:
        PermanentError: if the ledger has none.
    """
    with connect(settings_of(context), "loader") as connection:
        found = ledger.find_files(connection, key=key)
    if not found:
        raise PermanentError(f"The ledger has no file {safe(key)}. `./mdp files` lists the files it has.")
    return found


def verdict_line(file: FileOutcome | File) -> str:
    """Say how a file ended, and which command shows what to fix."""
    parts = [" ".join([file.state, ", ".join(file.reasons)]).strip()]
    if file.rows_rejected and file.state == "archived":
        parts.append(f"{file.rows_rejected:,} {'row' if file.rows_rejected == 1 else 'rows'} rejected")
    shown = file.state in {"quarantined", "failed"} or len(parts) > 1
    return ", ".join(parts) + (f": `./mdp quarantine show {shlex.quote(safe(file.key))}`" if shown else "")


@files_app.command("show")
def show_file(context: typer.Context, key: str, json_: Json = False) -> None:
    """Show everything that the ledger knows about a file: each version of the key, newest first.

    Example: ./mdp files show sales/monday.csv
    """
    found = [file_json(file) for file in versions_of(context, key)]
    if json_:
        print_json(found)
        return
    for file in found:
        for name, value in file.items():
            if value not in (None, [], {}):
                say(f"{name:>14}  {safe(value)}")
        say("")
