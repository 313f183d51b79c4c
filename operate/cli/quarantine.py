"""`mdp quarantine`: the files that wait for a person, and what is wrong with them."""

import getpass
from typing import Annotated, Any

import typer

from minidata import ledger
from minidata.errors import PermanentError
from minidata.ledger import File
from minidata.warehouse.connection import connect
from operate.cli.app import app, settings_of
from operate.cli.files import file_json, versions_of
from operate.cli.options import Json, Limit
from operate.cli.output import print_json, print_table, safe, say

quarantine_app = typer.Typer(no_args_is_help=True)
app.add_typer(quarantine_app, name="quarantine")


@quarantine_app.callback()
def quarantine() -> None:
    """List, show, fix and close the files that wait for a person.

    Example: ./mdp quarantine ls, then ./mdp quarantine show KEY
    """


@quarantine_app.command("ls")
def list_quarantine(
    context: typer.Context,
    limit: Limit = 50,
    all_: Annotated[bool, typer.Option("--all", help="Also closed ones, with what or who closed them.")] = False,
    json_: Json = False,
) -> None:
    """List the files that wait for a person: refused, failed, or with rejected rows.

    A file is closed when a later version of its key or a fix is accepted, when its content is accepted under another
    key, or by `./mdp quarantine dismiss`.

    Example: ./mdp quarantine ls
    """
    most = None if json_ else limit + 1  # one more tells that there are more
    with connect(settings_of(context), "loader") as connection:
        found = ledger.files_to_review(connection, closed=all_, limit=most)
    if json_:
        print_json([file_json(file) for file in found])
        return
    if not found:
        say("No file waits for a fix." if not all_ else "No file ever needed a fix.")
        return
    print_table(
        ["key", "arrived (UTC)", "dataset", "state", "reason", "rejected", "closed", "by", "why"],
        [
            [
                f.key,
                f"{f.arrived_at:%m-%d %T}",
                f.dataset,
                f.state,
                ", ".join(f.reasons or f.counts) or f.error,
                f.rows_rejected or None,
                f.closed_at and f"{f.closed_at:%m-%d %T}",
                f.closed_by,
                f.why,
            ]
            for f in found[:limit]
        ],
        numbers=("rejected",),
        only_filled=("reason", "rejected", "closed", "by", "why"),
    )
    if len(found) > limit:
        say(f"There are more: `--limit {2 * limit}` shows more of them.")
    say("`./mdp quarantine show KEY` shows what is wrong and the fix.")


@quarantine_app.command()
def dismiss(
    context: typer.Context,
    keys: Annotated[list[str], typer.Argument(metavar="KEY", help="Keys as `./mdp quarantine ls` shows them.")],
    why: Annotated[str | None, typer.Option(help="The reason, for those who read the history.")] = None,
    json_: Json = False,
) -> None:
    """Close files that need no fix. The files stay in quarantine, and `ls --all` shows who dismissed them and why.

    Example: ./mdp quarantine dismiss sales/test.csv --why "sent by mistake"
    """
    with connect(settings_of(context), "loader") as connection:
        done = ledger.dismiss(connection, keys, getpass.getuser(), why)
    if json_:
        print_json([{"key": key, "version": version} for key, version in done])
    else:
        say(f"Dismissed {'1 file' if len(done) == 1 else f'{len(done)} files'}.")
    if missed := [safe(key) for key in keys if key not in {name for name, _ in done}]:
        raise PermanentError(
            f"Not open, so not dismissed: {', '.join(missed)}. `./mdp quarantine ls` lists the open files."
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
    found = versions_of(context, key)
    file = next((f for f in found if f.open), next((f for f in found if f.reasons or f.rows_rejected), found[0]))
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
