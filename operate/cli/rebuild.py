"""`mdp rebuild`: all tables again from the archive, compared with the live ones or put in their place."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minidata.errors import PermanentError
from minidata.settings import Settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import connect
from operate.cli.app import app, settings_of
from operate.cli.options import Json
from operate.cli.output import print_json, print_table, safe, say
from operate.cli.progress import file_progress

if TYPE_CHECKING:
    from minidata.dataset import Dataset
    from minidata.rebuild import Difference, Shadow


@app.command("rebuild")
def rebuild_tables(
    context: typer.Context,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.", show_default="all")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Compare with the live tables and change nothing.")] = False,
    json_: Json = False,
) -> None:
    """Make all tables again from the archive, while loading goes on.

    The new tables take the place of the live ones in one transaction, under the same views. With `--verify` they are
    compared with the live ones instead.

    Exit codes: 0 rebuilt, or equal with --verify; 1 failed, or different with --verify.

    Example: ./mdp rebuild --verify
    """
    from minidata.dataset import read_datasets  # noqa: PLC0415

    settings = settings_of(context)
    declared = read_datasets(settings.datasets_folder)
    if dataset is not None and dataset not in declared:
        raise PermanentError(f"There is no dataset {safe(dataset)}. Datasets: {', '.join(declared)}.")
    results = [
        _rebuild(settings, one, verify=verify, quiet=json_) for one in declared.values() if dataset in {None, one.name}
    ]
    if json_:
        print_json(results)
    if different := [f"{result['dataset']}.{d['table']}" for result in results for d in result["differences"]]:
        raise PermanentError(
            f"Not equal to the archive: {', '.join(different)}. `./mdp rebuild` puts the tables right."
        )


def _rebuild(settings: Settings, dataset: "Dataset", *, verify: bool, quiet: bool) -> dict[str, Any]:
    """Make the tables of one dataset again, and return what came of it."""
    from minidata import rebuild  # noqa: PLC0415  imports Polars

    with connect(settings, "owner") as owner, connect(settings, "loader") as reader:
        owner.autocommit = True
        with rebuild.exclusive(owner, dataset.name):
            archive = rebuild.Archive(ObjectStore(settings), settings, reader)
            shadow = rebuild.Shadow(dataset, owner, archive, settings.slice_rows)
            shadow.create()
            try:
                with file_progress(f"Reading {dataset.name}") as progress:
                    files = shadow.fill(progress)
                tables, differences = rebuild.compare(shadow) if verify else ({}, [])
                if not verify:
                    rebuild.swap(shadow, settings)
            finally:
                shadow.drop()
    if not quiet:
        _print(dataset.name, shadow, files, tables, differences, verify=verify)
    return {
        "dataset": dataset.name,
        "files": files,
        "rows": shadow.rows,
        "checked_differently": len(shadow.changed),
        "differences": [asdict(difference) for difference in differences],
    }


def _print(
    name: str,
    shadow: "Shadow",
    files: int,
    tables: dict[str, tuple[int, str]],
    differences: list["Difference"],
    *,
    verify: bool,
) -> None:
    read = f"{files:,} files with {shadow.rows:,} good rows"
    if not verify:
        say(f"{name}: rebuilt from {read}.")
    else:
        say(f"{name}: compared with {read} in the archive.")
        wrong = {difference.table for difference in differences}
        rows = [[table, n, digest, "different" if table in wrong else "equal"] for table, (n, digest) in tables.items()]
        print_table(["table", "rows", "checksum", "result"], rows, numbers=("rows",))
        for difference in differences:
            say(f"{name}.{difference.table}: {difference.live[0]:,} rows, and {difference.rebuilt[0]:,} rebuilt")
            for row in difference.rows:
                say(f"  {safe(row['key'])}")
                say(f"    live:    {safe(row['live'] or 'no row')}")
                say(f"    rebuilt: {safe(row['rebuilt'] or 'no row')}")
    if shadow.changed:
        say(f"{len(shadow.changed):,} files have another number of good rows by the current rules.")
