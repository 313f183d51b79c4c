"""`mdp sql` and `mdp checksum`: the tables."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from psycopg import Cursor
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.string import TextLoader
from typer.core import TyperCommand

from minidata.errors import PermanentError
from minidata.settings import Settings
from minidata.warehouse.connection import connect, conninfo
from operate.cli.app import app, settings_of
from operate.cli.options import Json
from operate.cli.output import print_csv, print_json, print_table, say

_Result = tuple[list[str], list[tuple[Any, ...]]]  # columns, rows


class _Sql(TyperCommand):
    """Takes a query that begins with a comment: `-- text` is no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        comments = [word for word in args if word.startswith("--") and any(map(str.isspace, word))]
        rest = [word for word in args if word not in comments]
        return super().parse_args(ctx, [*rest, "--", *comments] if comments else rest)


@app.command(cls=_Sql)
def sql(
    context: typer.Context,
    query: Annotated[
        str | None,
        typer.Argument(help="One or several statements; `-` reads standard input. Without one, psql opens."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", exists=True, dir_okay=False, help="Read the statements from a file.")
    ] = None,
    csv_: Annotated[bool, typer.Option("--csv", help="Print CSV with a header.")] = False,
    json_: Annotated[
        bool, typer.Option("--json", help="Print a list of objects; of several results, a list of such lists.")
    ] = False,
) -> None:
    """Query the tables, as a role that can only read.

    Example: ./mdp sql "select * from freshness" --csv, or ./mdp sql -f report.sql, or ./mdp sql < report.sql
    """
    if file and query:
        raise typer.BadParameter("Give a query or --file, not both.")
    settings = settings_of(context)
    text = _read(query, file)
    if text is None:
        _psql(settings)
        return
    with connect(settings, "bi") as connection:
        if not json_:
            for kind in ("json", "jsonb"):
                connection.adapters.register_loader(kind, TextLoader)  # as the server writes it
        results = _results(connection.execute(text.encode()))
    _print_results(results, csv_=csv_, json_=json_)


def _read(query: str | None, file: Path | None) -> str | None:
    """Return the statements to run; None opens psql.

    Raises:
        PermanentError: if they come from standard input, and it is empty.
    """
    if file:
        return file.read_text(encoding="utf-8")
    if query != "-" and (query is not None or sys.stdin.isatty()):
        return query
    text = sys.stdin.read()
    if not text.strip():
        raise PermanentError("There is no query: standard input is empty. Give one, as in ./mdp sql 'select 1'.")
    return text


def _print_results(results: list[_Result], *, csv_: bool, json_: bool) -> None:
    if json_:
        found = [[dict(zip(columns, row, strict=True)) for row in rows] for columns, rows in results]
        print_json(found[0] if len(found) == 1 else found)
        return
    for number, (columns, rows) in enumerate(results):
        if number:
            print()
        if csv_:
            print_csv(columns, rows)
        else:
            print_table(columns, rows)
            say(f"{len(rows)} rows" if len(rows) != 1 else "1 row", err=True)


def _results(cursor: Cursor[Any]) -> list[_Result]:
    """Return the columns and rows of each statement that has any."""
    results: list[_Result] = []
    more: bool | None = True
    while more:
        if cursor.description is not None:
            results.append(([column.name for column in cursor.description], cursor.fetchall()))
        more = cursor.nextset()
    return results


def _psql(settings: Settings) -> None:
    from operate.embedded.postgres.home import wheel_binaries  # noqa: PLC0415

    parts = conninfo_to_dict(conninfo(settings, "bi")) | {"application_name": "mdp sql"}
    os.environ["PGPASSWORD"] = str(parts.pop("password"))  # other users can see arguments
    program = str(wheel_binaries() / "psql")
    os.execv(program, [program, make_conninfo("", **parts)])  # noqa: S606


@app.command()
def checksum(context: typer.Context, json_: Json = False) -> None:
    """Print the number of rows and a checksum of each table; equal tables have equal checksums.

    Example: ./mdp checksum --json
    """
    from minidata.dataset import read_datasets  # noqa: PLC0415
    from minidata.warehouse.checksum import checksums  # noqa: PLC0415

    settings = settings_of(context)
    columns = ["dataset", "table", "rows", "checksum"]
    with connect(settings, "loader") as connection:
        rows = [
            [dataset.name, table, count, digest]
            for dataset in read_datasets(settings.datasets_folder).values()
            for table, (count, digest) in sorted(checksums(connection, dataset).items())
        ]
    if json_:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table(columns, rows, numbers=("rows",))
