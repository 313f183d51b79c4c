"""`mdp quarantine show`: what is wrong in a file, with the records that have the errors."""

import shlex
from typing import Annotated, Any

import typer

from minidata.errors import PlatformError
from minidata.ledger import File
from minidata.settings import Settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import connect
from operate.cli.app import settings_of
from operate.cli.options import Json
from operate.cli.output import print_json, print_table, safe, say
from operate.cli.quarantine import file_to_review, quarantine_app

_RECORDS = 5  # shown at most
_CELL = 24  # characters of a cell that is not wrong
_GUILTY_CELL = 120
Entries = list[dict[str, Any]]

# What helps with a reason that concerns the whole file.
_OPTIONS = {
    "unsupported_file_type": "--key NEW/NAME.csv",
    "not_utf8": "--encoding windows-1252",
    "not_csv": "--edit",
    "duplicate_column": "--edit",
    "missing_column": "--rename OLD=NEW, or --delimiter ';'",
    "too_many_rejected_rows": "--set LINE:COLUMN=VALUE, --decimal ',' or --date-format 'DD.MM.YYYY HH:MM'",
}


@quarantine_app.command("show")
def show_quarantine(
    context: typer.Context,
    key: str,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many findings.")] = 50,
    json_: Json = False,
) -> None:
    """Show what is wrong in a file: line, column, reason code, value, and the record; in its newest open version.

    This includes the rows that were rejected from a loaded file.

    Example: ./mdp quarantine show sales/monday.csv
    """
    file = file_to_review(context, key)
    settings = settings_of(context)
    from minidata.quarantine.findings import find_entries  # noqa: PLC0415  imports Polars

    with connect(settings, "loader") as connection:
        entries = find_entries(connection, ObjectStore(settings), settings, file, None if json_ else limit)
    if json_:
        print_json(entries)
        return
    rows = "1 row" if file.rows_rejected == 1 else f"{file.rows_rejected:,} rows" if file.rows_rejected else ""
    say(f"{safe(file.key)} is {file.state}{rows and f', with {rows} rejected'}.")
    if file.closed_at:
        say(f"Closed on {file.closed_at:%F %T} by {safe(file.closed_by)}: {safe(file.why)}")
    if message := file.message or file.error:
        say(message)
    _print_entries(file, entries, limit)
    if file.archive_key and (file.reasons or file.rows_rejected):
        try:
            _print_records(settings, file, entries)
        except PlatformError as error:
            say(f"The original cannot be shown: {error}")
    _print_next(settings, file, entries)


def _print_entries(file: File, entries: Entries, limit: int) -> None:
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


def _print_records(settings: Settings, file: File, entries: Entries) -> None:
    """Print the first records with an error and their neighbours; of a file without any, its first lines."""
    from minidata.quarantine.findings import excerpt  # noqa: PLC0415

    seen = excerpt(ObjectStore(settings), settings, file, entries, _RECORDS)
    if seen.lines:
        say("The file begins:")
    for line in seen.lines:
        say(f"  {line}")
    for record in seen.records:
        cells = [_shown(cell, wrong=name in record.wrong) for name, cell in record.cells]
        say(f"{'>' if record.asked else ' '} {record.line:>4}  {','.join(cells)}")
    say("")


def _shown(cell: str, *, wrong: bool) -> str:
    """Return a cell as one short text; a wrong one is marked."""
    most = _GUILTY_CELL if wrong else _CELL
    text = safe(cell if len(cell) <= most else f"{cell[: most - 1]}…")
    return f"»{text}«" if wrong else text


def _print_next(settings: Settings, file: File, entries: Entries) -> None:
    """Print the commands that help."""
    quoted = shlex.quote(safe(file.key))
    if file.rejects_key:
        say(f"All rejected rows, unchanged: {settings.quarantine_bucket}/{safe(file.rejects_key)}")
    elif file.state == "quarantined":
        say(f"The original: {settings.quarantine_bucket}/{safe(file.archive_key)}")
    if not file.open:
        return
    if file.state == "failed":
        say(f"Try again: `./mdp replay {quoted}`.")
        return
    first = next((e for e in entries if e["line"] and e["column"]), None)
    option = f"--set {first['line']}:{first['column']}=VALUE" if first and not file.reasons else "--edit"
    say(f"Fix it: `./mdp quarantine fix {quoted} {_OPTIONS.get((file.reasons or [''])[0], option)}`.")
    say(f"Or `./mdp quarantine get {quoted}`, fix it, and upload it again: `./mdp upload`.")
    if file.state == "quarantined":
        say("If the rules were wrong: `./mdp quarantine replay`. If it needs no fix: `./mdp quarantine dismiss`.")
