"""`mdp quarantine`: the files that wait for a person, and what is wrong with them."""

import getpass
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from minidata import ledger
from minidata.errors import PermanentError
from minidata.ledger import File
from minidata.store import ObjectStore
from minidata.warehouse.connection import connect
from operate.cli.app import app, settings_of
from operate.cli.files import file_json, versions_of
from operate.cli.options import Json, Limit
from operate.cli.output import print_json, print_table, safe, say


class _InOrder(TyperGroup):
    """Lists its commands in the order of their use, whatever module was imported first."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=("ls", "show", "get", "fix", "replay", "dismiss").index)


quarantine_app = typer.Typer(no_args_is_help=True, cls=_InOrder)
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


@quarantine_app.command()
def get(
    context: typer.Context,
    key: str,
    rejects: Annotated[bool, typer.Option("--rejects", help="Only the rejected rows, with the header.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", dir_okay=False, help="File to write; `-` is standard output.")
    ] = None,
) -> None:
    """Fetch the original of a file, or its rejected rows, to fix and upload again.

    Without `--out` it is written to the current folder under its own name. The upload of corrected rejected rows
    under that name closes the file.

    Example: ./mdp quarantine get sales/monday.csv --rejects
    """
    from minidata.quarantine.original import place_of  # noqa: PLC0415  imports Polars

    settings = settings_of(context)
    file = file_to_review(context, key)
    bucket, place = place_of(file, settings, rejects=rejects)
    chunks = ObjectStore(settings).read(bucket, place)
    if str(out) == "-":
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        return
    name = place if rejects else file.key
    target = out or Path(safe(name.rsplit("/", 1)[-1]) or "file")
    if out is None and target.exists():
        raise PermanentError(f"{target} exists already. Choose another name with --out.")
    with target.open("wb") as stream:
        for chunk in chunks:
            stream.write(chunk)
    say(f"Written to {target}. Fix it, then `./mdp upload {shlex.quote(str(target))}`.")


def file_to_review(context: typer.Context, key: str) -> File:
    """Return the version of a key that waits for a person; without one, the newest with findings."""
    found = versions_of(context, key)
    return next((f for f in found if f.open), next((f for f in found if f.reasons or f.rows_rejected), found[0]))
