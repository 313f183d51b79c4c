"""`mdp files` and `mdp quarantine`: the ledger, and what waits for a person."""

from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.text import Text

from minidata import ledger
from minidata.contract import describe
from minidata.errors import PermanentError
from minidata.ledger import File
from minidata.warehouse.connection import connect
from operate.cli.app import app, settings_of
from operate.cli.output import bytes_of, console, print_json, print_table, safe

Json = Annotated[bool, typer.Option("--json", help="For a script.")]
Limit = Annotated[int, typer.Option(min=1, help="At most so many, newest first.")]

files_app = typer.Typer(invoke_without_command=True)
quarantine_app = typer.Typer(help="What waits for a person, and why.", no_args_is_help=True)
app.add_typer(files_app, name="files")
app.add_typer(quarantine_app, name="quarantine")


class FileState(StrEnum):
    """What can have become of a file, in the order of its life."""

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
    state: Annotated[FileState | None, typer.Option("--in", help="Only files in this state.")] = None,
    limit: Limit = 50,
    all_: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    json_: Json = False,
) -> None:
    """List the files that the platform has seen, newest first.

    Example: ./mdp files --in quarantined
    """
    if context.invoked_subcommand:
        return
    with connect(settings_of(context), "loader") as connection:
        # a script gets everything; one more than is shown tells that there are more
        most = None if all_ or json_ else limit + 1
        found = ledger.find_files(connection, state=state, limit=most)
    if json_:
        print_json([_as_json(file) for file in found])
        return
    more = most is not None and len(found) == most
    several = len({f.dataset for f in found}) > 1
    rows: list[list[object]] = [
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
        for f in (found[:limit] if more else found)
    ]
    print_table(
        ["key", "dataset", "size", "state", "reason", "rows", "rejected", "arrived (UTC)"],
        rows,
        numbers=("size", "rows", "rejected"),
        only_filled=("dataset", "reason", "rejected"),
    )
    if more:
        console.print("… and older ones: `--all` shows them.")


def _as_json(file: File) -> dict[str, object]:
    return {
        "key": file.key,
        "version": file.version,
        "size": file.size,
        "dataset": file.dataset,
        "state": file.state,
        "reasons": file.reasons,
        "message": file.message,
        "rows_loaded": file.rows_loaded,
        "rows_rejected": file.rows_rejected,
        "counts": file.counts,
        "drift": file.drift,
        "attempts": file.attempts,
        "arrived_at": file.arrived_at.isoformat(),
        "loaded_at": file.loaded_at and file.loaded_at.isoformat(),
        "archive_key": file.archive_key,
        "rejects_key": file.rejects_key,
        "sha256": file.sha256,
        "duplicate_of": file.duplicate_of,
        "error": file.error,
    }


def _versions(context: typer.Context, key: str) -> list[File]:
    with connect(settings_of(context), "loader") as connection:
        found = ledger.find_files(connection, key=key)
    if not found:
        raise PermanentError(f"The ledger knows no file {key}. `./mdp files` lists what it knows.")
    return found


@files_app.command("show")
def show_file(context: typer.Context, key: str, json_: Json = False) -> None:
    """Tell everything about a file: every version of the key, newest first.

    Example: ./mdp files show youtube_stats/snapshot.csv
    """
    found = _versions(context, key)
    if json_:
        print_json([_as_json(file) for file in found])
        return
    for file in found:
        for name, value in _as_json(file).items():
            if value not in (None, [], {}):
                console.print(f"[bold]{name:>14}[/bold]  ", end="")
                console.print(safe(value), markup=False, soft_wrap=True)
        console.print()


@quarantine_app.command("ls")
def list_quarantine(context: typer.Context, limit: Limit = 50, json_: Json = False) -> None:
    """List the files that are not in, with the reason and the mend.

    A file whose content has come in since is not among them.

    Example: ./mdp quarantine ls
    """
    with connect(settings_of(context), "loader") as connection:
        found = ledger.refused_files(connection, limit=None if json_ else limit)
    if json_:
        print_json([_as_json(file) for file in found])
    elif not found:
        console.print("Nothing is in quarantine.")
    else:
        print_table(
            ["key", "reason", "what to do"],
            [[f.key, ", ".join(f.reasons) or f.state, f.message or f.error] for f in found],
        )


@quarantine_app.command("show")
def show_quarantine(
    context: typer.Context,
    key: str,
    limit: Annotated[int, typer.Option(min=1, help="At most so many findings.")] = 50,
    json_: Json = False,
) -> None:
    """Show what is wrong in a file: line, column, reason code, value; of its newest version that has anything.

    Rows rejected from a file that was loaded are shown as well.

    Example: ./mdp quarantine show youtube_stats/snapshot.csv
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
    console.print(Text(safe(file.key), "bold"), f"is {file.state}{rows and f', with {rows} rejected'}.", soft_wrap=True)
    if said := file.message or file.error:
        console.print(safe(said), markup=False, soft_wrap=True)
    _print_entries(file, entries, limit)
    bucket = settings.quarantine_bucket
    if file.rejects_key:
        console.print(f"All rejected rows, untouched: {bucket}/{safe(file.rejects_key)}", markup=False, soft_wrap=True)
        console.print("Mend them and upload them as a file of their own: `./mdp upload`.")
    elif file.state == "quarantined":
        console.print(f"The original: {bucket}/{safe(file.archive_key)}", markup=False, soft_wrap=True)
        console.print(
            "Mend it and upload it again: `./mdp upload`. If the rules were wrong: `./mdp quarantine replay`."
        )


def _print_entries(file: File, entries: list[dict[str, Any]], limit: int) -> None:
    """Print what is wrong with single rows, then each code with how often it was found and what to do."""
    # What concerns the file as a whole stands in the message.
    rows: list[list[object]] = [[e["line"], e["column"], e["code"], e["value"]] for e in entries if e["line"]]
    if not rows:
        return
    console.print()
    print_table(["line", "column", "code", "value"], rows[:limit], numbers=("line",))
    if len(rows) > limit:
        console.print(f"… and {len(rows) - limit:,} more: `--limit {len(rows)}` shows them, `--json` is for a script.")
    console.print()
    counted: list[list[object]] = [[code, f"{n:,}", describe(code).mend] for code, n in file.counts.items()]
    print_table(["code", "found", "what to do"], counted, numbers=("found",))
    console.print()
