"""`mdp sql` and `mdp checksum`: the tables."""

import csv
import os
import sys
from typing import Annotated, Any

import typer
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from minidata.dataset import read_datasets
from minidata.errors import PermanentError
from minidata.settings import Settings
from minidata.warehouse.checksum import checksums
from minidata.warehouse.connection import connect, conninfo
from operate.cli.app import app, settings_of
from operate.cli.output import errors, print_json, print_table


@app.command()
def sql(
    context: typer.Context,
    query: Annotated[str | None, typer.Argument(help="The query; without one, psql opens.")] = None,
    csv_: Annotated[bool, typer.Option("--csv", help="As CSV, with a header.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="As a list of objects.")] = False,
) -> None:
    """Ask the tables, as the role that may only read `mart`.

    Example: ./mdp sql "select * from channel_stats order by total_views desc limit 5"
    """
    settings = settings_of(context)
    if query is None:
        _psql(settings)
        return
    with connect(settings, "bi") as connection:
        cursor = connection.execute(query.encode())
        if cursor.description is None:
            return
        columns = [column.name for column in cursor.description]
        if json_:
            print_json([dict(zip(columns, row, strict=True)) for row in cursor])
        elif csv_:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(cursor)
        else:
            rows: list[list[Any]] = [list(row) for row in cursor]
            print_table(columns, rows)
            errors.print(f"[dim]{len(rows)} rows[/dim]")


def _psql(settings: Settings) -> None:
    from operate.embedded.postgres.home import wheel_binaries  # noqa: PLC0415

    if not sys.stdin.isatty():
        raise PermanentError("Without a query, `./mdp sql` opens psql, which needs a terminal. Give a query.")
    parts = conninfo_to_dict(conninfo(settings, "bi")) | {"application_name": "mdp sql"}
    os.environ["PGPASSWORD"] = str(parts.pop("password"))  # arguments can be seen by everybody
    program = str(wheel_binaries() / "psql")
    os.execv(program, [program, make_conninfo("", **parts)])  # noqa: S606


@app.command()
def checksum(
    context: typer.Context, json_: Annotated[bool, typer.Option("--json", help="For a script.")] = False
) -> None:
    """Print rows and checksum of every derived table: equal tables, equal checksums, whatever the load order.

    Example: ./mdp checksum --json
    """
    settings = settings_of(context)
    found: list[dict[str, object]] = []
    with connect(settings, "loader") as connection:
        for dataset in read_datasets(settings.datasets_folder).values():
            for table, (rows, digest) in sorted(checksums(connection, dataset).items()):
                found.append({"dataset": dataset.name, "table": table, "rows": rows, "checksum": digest})
    if json_:
        print_json(found)
    else:
        print_table(
            ["dataset", "table", "rows", "checksum"],
            [[f["dataset"], f["table"], f["rows"], f["checksum"]] for f in found],
            numbers=("rows",),
        )
