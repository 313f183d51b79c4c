"""`mdp quarantine fix`: change a file that waits for a person and send it again."""

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from minidata import ledger
from minidata.contract import Verdict
from minidata.errors import PermanentError, PlatformError
from minidata.quarantine.change import Change
from minidata.quarantine.fix import Fix, in_words, prepare, send
from minidata.settings import Settings
from minidata.store import ObjectStore
from minidata.text import require_plain
from minidata.warehouse.connection import Connection, connect
from operate.cli.app import settings_of
from operate.cli.objects import wait_for
from operate.cli.options import Json, Timeout, Wait, require_wait
from operate.cli.output import print_json, safe, say
from operate.cli.quarantine import file_to_review, quarantine_app

_SHOWN = 160  # characters of a changed record


@quarantine_app.command()
def fix(
    context: typer.Context,
    key: str,
    rename: Annotated[list[str] | None, typer.Option(metavar="OLD=NEW", help="Rename a column.")] = None,
    drop: Annotated[list[str] | None, typer.Option(metavar="COLUMN", help="Leave out a column.")] = None,
    delimiter: Annotated[
        str | None, typer.Option(metavar="C", help="What separates its cells: `;`, `|`, `tab`.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(metavar="E", help="Its encoding: windows-1252, utf-16 ...")] = None,
    decimal: Annotated[
        str | None, typer.Option(metavar="C", help="Its decimal separator; the other one groups digits.")
    ] = None,
    date_format: Annotated[
        str | None, typer.Option(metavar="F", help="How it writes times: `DD.MM.YYYY HH:MM` or `%d.%m.%Y %H:%M`.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="LINE:COLUMN=VALUE", help="Give a cell another value.")
    ] = None,
    edit: Annotated[bool, typer.Option("--edit", help="Change the rest in $EDITOR.")] = False,
    new_key: Annotated[str | None, typer.Option("--key", help="Send it under another key.")] = None,
    like: Annotated[bool, typer.Option("--like", help="Do the same to all open files with the same errors.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Send it. Without this, only show what would change.")
    ] = False,
    wait: Wait = False,
    timeout: Timeout = 0,
    json_: Json = False,
) -> None:
    """Change a file that waits for a fix, and send it as a new version of its key.

    Without `--yes` it only shows the changed records and the verdict that the result would get. A result that would
    be refused, or of which fewer rows would be loaded, is not sent.

    Example: ./mdp quarantine fix sales/monday.csv --delimiter ';' --decimal , --date-format 'DD.MM.YYYY HH:MM' --yes
    """
    require_wait(wait, timeout, strict=False)
    if like and (set_ or edit or new_key):
        raise typer.BadParameter("--like takes no --set, --edit or --key, which concern one file.")
    change = Change(
        rename=dict(_pair(text, "--rename OLD=NEW") for text in rename or ()),
        drop=tuple(drop or ()),
        delimiter=delimiter and {"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter),
        encoding=encoding,
        decimal=decimal or None,
        date_format=date_format,
        cells=dict(map(_cell, set_ or ())),
    )
    settings = settings_of(context)
    file = file_to_review(context, key)
    if not file.open:
        raise PermanentError(
            f"{safe(key)} needs no fix: it is {file.state}. `./mdp quarantine ls` lists the open files."
        )
    require_plain([new_key] if new_key else [])
    reports, faults = [], []
    with connect(settings, "loader") as connection:
        store = ObjectStore(settings)
        for each in ledger.files_like(connection, file.file_id) if like else [file]:
            try:
                made = prepare(store, settings, each, change, key=new_key, edit=_edit if edit else None)
                reports.append(_done(connection, store, settings, made, yes=yes, quiet=json_))
            except PlatformError as error:
                faults.append(f"{safe(each.key)}: {error}" if like else str(error))
    _report(reports, yes=yes, wait=wait, json_=json_)
    if wait and (sent := [(str(report["key"]), str(report["version"])) for report in reports if report["sent"]]):
        wait_for(settings, sent, json_=False, timeout=timeout, strict=False)
    if faults:
        raise PermanentError("\n".join(faults))


def _report(reports: list[dict[str, Any]], *, yes: bool, wait: bool, json_: bool) -> None:
    if json_:
        print_json(reports)
    elif reports and not yes:
        say("Nothing was sent. Add --yes to send it.")
    elif reports and not wait:
        say("`./mdp wait` waits until the platform has processed it.")


def _done(
    connection: Connection, store: ObjectStore, settings: Settings, made: Fix, *, yes: bool, quiet: bool
) -> dict[str, Any]:
    """Show a fix, and send it if it is wanted and helps."""
    if not quiet:
        _show(made)
    version = send(connection, store, settings, made) if yes else None
    if version and not quiet:
        say(f"Sent {safe(made.key)} as version {version}, which fixes {made.file.version}.")
    return {
        "key": made.key,
        "fixes": made.file.version,
        "before": _verdict_json(made.before),
        "after": _verdict_json(made.after),
        "worse": made.worse,
        "changed": made.diff.count,
        "diff": [{"line": line, "before": old, "after": new} for line, old, new in made.diff.shown],
        "sent": version is not None,
        "version": version,
    }


def _show(made: Fix) -> None:
    say(f"{safe(made.file.key)}: {made.diff.count:,} {'record' if made.diff.count == 1 else 'records'} changed")
    for line, before, after in made.diff.shown:
        say(f"  {line:>4} - {safe(_short(before))}")
        say(f"  {'':>4} + {safe(_short(after))}")
    if made.diff.count > len(made.diff.shown):
        say(f"  and {made.diff.count - len(made.diff.shown):,} more")
    say(f"  now:   {in_words(made.before)}")
    say(f"  fixed: {in_words(made.after)}")
    if made.refusal:
        say(f"  {made.refusal}")


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "accepted": verdict.reason is None,
        "reasons": [verdict.reason.code] if verdict.reason else [],
        "message": verdict.reason.message if verdict.reason else None,
        "rows_good": verdict.rows_good,
        "rows_rejected": verdict.rows_rejected,
        "counts": verdict.counts,
    }


def _edit(path: Path) -> None:
    """Open a file in the person's editor; a copy of the result is kept, so that no work is lost."""
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    try:
        code = subprocess.run([*editor, str(path)], check=False).returncode
    except FileNotFoundError as error:
        raise PermanentError(f"The editor {editor[0]} is not installed. Set EDITOR to one that is.") from error
    if code:
        raise PermanentError(f"{editor[0]} ended with code {code}, so nothing was sent.")
    kept = Path(tempfile.mkdtemp(prefix="mdp-fix-")) / path.name
    shutil.copyfile(path, kept)
    say(f"Your edit is kept in {kept}.", err=True)


def _pair(text: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise typer.BadParameter(f"{text} is not {form}.")
    return name, value


def _cell(text: str) -> tuple[tuple[int, str], str]:
    place, value = _pair(text, "--set LINE:COLUMN=VALUE")
    line, colon, column = place.partition(":")
    if not colon or not line.isdecimal() or not column:
        raise typer.BadParameter(f"{text} is not --set LINE:COLUMN=VALUE.")
    return (int(line), column), value


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
