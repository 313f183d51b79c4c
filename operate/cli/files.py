"""`mdp files` and `mdp quarantine`: the ledger of files, and the files that were refused."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from minidata import ledger
from minidata.errors import PermanentError
from minidata.ledger import File
from minidata.warehouse.connection import connect
from operate.cli.app import app, settings_of
from operate.cli.options import Json, Limit
from operate.cli.output import bytes_of, print_json, print_table, safe, say

files_app = typer.Typer(invoke_without_command=True)
quarantine_app = typer.Typer(no_args_is_help=True)
app.add_typer(files_app, name="files")
app.add_typer(quarantine_app, name="quarantine")


class FileState(StrEnum):
    """States of a file in the ledger."""

    PENDING = "pending"
    CLAIMED = "claimed"
    LOADED = "loaded"
    ARCHIVED = "archived"
    INVALID = "invalid"
    QUARANTINED = "quarantined"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    EXCLUDED = "excluded"


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
        print_json([_as_json(file) for file in found])
        return
    more = most is not None and len(found) == most
    shown = found[:limit] if more else found
    if not shown:
        say(
            "No file matches." if status or prefix else "No file was uploaded yet. `./mdp upload FILE.csv` uploads one."
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
    if more:
        say("Older files are not shown: `./mdp files --all` lists all.")


def _as_json(file: File) -> dict[str, object]:
    values = asdict(file) | {
        "arrived_at": file.arrived_at.isoformat(),
        "loaded_at": file.loaded_at and file.loaded_at.isoformat(),
    }
    del values["file_id"]
    return values


def _versions(context: typer.Context, key: str) -> list[File]:
    with connect(settings_of(context), "loader") as connection:
        found = ledger.find_files(connection, key=key)
    if not found:
        raise PermanentError(f"The ledger has no file {safe(key)}. `./mdp files` lists the files it has.")
    return found


@files_app.command("show")
def show_file(context: typer.Context, key: str, json_: Json = False) -> None:
    """Show everything that the ledger knows about a file: each version of the key, newest first.

    Example: ./mdp files show sales/monday.csv
    """
    found = [_as_json(file) for file in _versions(context, key)]
    if json_:
        print_json(found)
        return
    for file in found:
        for name, value in file.items():
            if value not in (None, [], {}):
                say(f"{name:>14}  {safe(value)}")
        say("")


@quarantine_app.callback()
def quarantine() -> None:
    """Show and send again the files that were refused.

    Example: ./mdp quarantine ls, then ./mdp quarantine show KEY
    """


@quarantine_app.command("ls")
def list_quarantine(context: typer.Context, limit: Limit = 50, json_: Json = False) -> None:
    """List the files that are not loaded, with the reason and the fix.

    A file whose content was loaded later is not listed.

    Example: ./mdp quarantine ls
    """
    with connect(settings_of(context), "loader") as connection:
        found = ledger.refused_files(connection, limit=None if json_ else limit)
    if json_:
        print_json([_as_json(file) for file in found])
    elif not found:
        say("No file is in quarantine. `./mdp files` also counts rejected rows of loaded files.")
    else:
        print_table(
            ["key", "dataset", "arrived (UTC)", "reason", "what to do"],
            [
                [f.key, f.dataset, f"{f.arrived_at:%m-%d %T}", ", ".join(f.reasons) or f.state, f.message or f.error]
                for f in found
            ],
        )


@quarantine_app.command("show")
def show_quarantine(
    context: typer.Context,
    key: str,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many findings.")] = 50,
    json_: Json = False,
) -> None:
    """Show what is wrong in a file: line, column, reason code, value; in its newest version with findings.

    This includes the rows that were rejected from a loaded file.

    Example: ./mdp quarantine show sales/monday.csv
    """
    found = _versions(context, key)
    file = next((f for f in found if f.reasons or f.rows_rejected), found[0])
    settings = settings_of(context)
    with connect(settings, "loader") as connection:
        entries = ledger.file_entries(connection, file.file_id)
    if json_:
        print_json(entries)
        return
    rows = "1 row" if file.rows_rejected == 1 else f"{file.rows_rejected:,} rows" if file.rows_rejected else ""
    say(f"{safe(file.key)} is {file.state}{rows and f', with {rows} rejected'}.")
    if message := file.message or file.error:
        say(message)
    _print_entries(file, entries, limit)
    bucket = settings.quarantine_bucket
    if file.rejects_key:
        say(f"All rejected rows, unchanged: {bucket}/{safe(file.rejects_key)}")
        say("Fix them and upload them as a new file: `./mdp upload`.")
    elif file.state == "quarantined":
        say(f"The original: {bucket}/{safe(file.archive_key)}")
        say("Fix it and upload it again: `./mdp upload`. If the rules were wrong: `./mdp quarantine replay`.")


def _print_entries(file: File, entries: list[dict[str, Any]], limit: int) -> None:
    """Print the findings in single rows, then the number of findings and the fix for each code."""
    from minidata.contract import describe  # noqa: PLC0415  imports Polars

    rows = [[e["line"], e["column"], e["code"], e["value"]] for e in entries if e["line"]]
    if not rows:
        return  # the message says what is wrong with the whole file
    say("")
    print_table(["line", "column", "code", "value"], rows[:limit], numbers=("line",))
    if len(rows) > limit:
        say(f"{len(rows) - limit:,} more: `--limit {len(rows)}` shows them, `--json` prints them for scripts.")
    say("")
    counted = [[code, f"{n:,}", describe(code).fix] for code, n in file.counts.items()]
    print_table(["code", "found", "what to do"], counted, numbers=("found",))
    say("")
