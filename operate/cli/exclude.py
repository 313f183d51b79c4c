"""`mdp files exclude` and `mdp files include`: files out of the tables, and back."""

import getpass
import sys
from collections import Counter
from datetime import datetime
from typing import Annotated

import typer

from minidata.errors import PermanentError
from minidata.ledger.contents import Choice, Content, chosen_files, contents
from minidata.store import ObjectStore
from minidata.warehouse.connection import Connection, connect
from operate.cli.app import settings_of
from operate.cli.files import files_app
from operate.cli.options import From, Json, To, in_utc
from operate.cli.output import print_json, safe, say
from operate.cli.progress import file_progress

_SHOWN = 20
_INSTEAD = {
    "pending": "It is not loaded yet. Retry after `./mdp wait`.",
    "claimed": "It is being loaded. Retry after `./mdp wait`.",
    "loaded": "It is being moved to the archive. Retry in a moment.",
    "archived": "It is in the tables already.",
    "excluded": "It is excluded already.",
}
_NEVER = "It was never loaded, so there is nothing to take out."

Keys = Annotated[
    list[str] | None, typer.Argument(metavar="KEY", help="Keys, or patterns with `*` and `?` such as 'sales/2026-*'.")
]
Version = Annotated[str | None, typer.Option(help="Only this version of the key.")]
Run = Annotated[str | None, typer.Option(help="Only files that this run of the pipeline loaded.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@files_app.command()
def exclude(
    context: typer.Context,
    keys: Keys = None,
    version: Version = None,
    since: From = None,
    until: To = None,
    run: Run = None,
    why: Annotated[str | None, typer.Option(help="The reason, kept with the file.")] = None,
    yes: Yes = False,
    json_: Json = False,
) -> None:
    """Take loaded files out: all tables become what they would be had the files never come.

    The files stay in the archive; `./mdp files include` puts them back.

    Example: ./mdp files exclude sales/monday.csv --why "test data" --yes
    """
    from minidata import rebuild  # noqa: PLC0415  imports Polars
    from minidata.dataset import read_dataset  # noqa: PLC0415

    settings = settings_of(context)
    choice = _choice(keys, version, since, until, run)
    with connect(settings, "loader") as connection:
        files = _chosen(connection, choice, "archived")
        _agree(files, "Exclude", yes=yes)
        archive = rebuild.Archive(ObjectStore(settings), settings, connection)
        for name, of_dataset in _by_dataset(files).items():
            dataset = read_dataset(settings.datasets_folder / name)
            with file_progress(f"Reading {name}") as progress:
                rebuild.exclude(
                    connection, dataset, of_dataset, archive, who=getpass.getuser(), why=why, progress=progress
                )
    _report(files, "excluded", json_=json_)


@files_app.command()
def include(
    context: typer.Context,
    keys: Keys = None,
    version: Version = None,
    since: From = None,
    until: To = None,
    run: Run = None,
    yes: Yes = False,
    json_: Json = False,
) -> None:
    """Put excluded files back into the tables, as if they had never been taken out.

    Example: ./mdp files include 'sales/2026-11-*' --yes
    """
    from minidata import rebuild  # noqa: PLC0415  imports Polars
    from minidata.dataset import read_dataset  # noqa: PLC0415

    settings = settings_of(context)
    choice = _choice(keys, version, since, until, run)
    with connect(settings, "loader") as connection:
        files = _chosen(connection, choice, "excluded")
        _agree(files, "Include", yes=yes)
        archive = rebuild.Archive(ObjectStore(settings), settings, connection)
        for name, of_dataset in _by_dataset(files).items():
            rebuild.include(connection, read_dataset(settings.datasets_folder / name), of_dataset, archive)
    _report(files, "included", json_=json_)


def _choice(
    keys: list[str] | None, version: str | None, since: datetime | None, until: datetime | None, run: str | None
) -> Choice:
    if not (keys or since or until or run):
        raise typer.BadParameter("Name the files: by KEY, --from, --to or --run.")
    keys = keys or []
    return Choice(
        keys=tuple(keys),
        patterns=tuple(key for key in keys if "*" in key or "?" in key),
        version=version,
        since=in_utc(since),
        until=in_utc(until),
        run=run,
    )


def _chosen(connection: Connection, choice: Choice, state: str) -> list[Content]:
    """Return the chosen files that are in a state.

    Raises:
        PermanentError: if there is none, or one that was named is in another state.
    """
    found = contents(connection, chosen_files(connection, choice))
    right = [file for file in found if file.state == state]
    there = {file.key for file in right}
    missed = []
    for key in choice.keys:
        if key in there or key in choice.patterns:
            continue
        others = [file for file in found if file.key == key]
        if others:
            missed.append(f"{safe(key)} is {others[-1].state}. {_INSTEAD.get(others[-1].state, _NEVER)}")
        else:
            missed.append(f"The ledger has no such file: {safe(key)}. `./mdp files` lists the files it has.")
    if missed or not right:
        raise PermanentError("\n".join(missed) or f"No file that is {state} matches. Nothing was changed.")
    return right


def _agree(files: list[Content], what: str, *, yes: bool) -> None:
    """Show the files and ask, unless the person has agreed."""
    if yes:
        return
    for file in files[:_SHOWN]:
        say(f"  {safe(file.key)}  {file.rows_good:,} rows, arrived {file.arrived_at:%Y-%m-%d %T} UTC", err=True)
    if len(files) > _SHOWN:
        say(f"  and {len(files) - _SHOWN:,} more", err=True)
    if not sys.stdin.isatty():
        raise PermanentError("Nothing was changed. Add --yes to go on without a question.")
    typer.confirm(f"{what} {_count(len(files))}?", abort=True, err=True)


def _by_dataset(files: list[Content]) -> dict[str, list[Content]]:
    datasets = Counter(file.dataset for file in files)
    return {name: [file for file in files if file.dataset == name] for name in datasets}


def _report(files: list[Content], what: str, *, json_: bool) -> None:
    if json_:
        print_json([{"key": file.key, "version": file.version} for file in files])
    else:
        say(f"{_count(len(files)).capitalize()} {what}.")


def _count(files: int) -> str:
    return "1 file" if files == 1 else f"{files:,} files"
