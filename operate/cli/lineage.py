"""`mdp lineage`: where the values of a row came from."""

from typing import Annotated

import typer

from minidata.errors import PermanentError
from minidata.store import ObjectStore
from minidata.warehouse.connection import connect
from operate.cli.app import app, settings_of
from operate.cli.options import Json
from operate.cli.output import print_json, print_table, safe, say
from operate.cli.progress import file_progress

_SHOWN = 3  # origins of a value


@app.command()
def lineage(
    context: typer.Context,
    table: str,
    where: Annotated[
        list[str], typer.Argument(metavar="COLUMN=VALUE", help="Values that only one row has, such as its key.")
    ],
    json_: Json = False,
) -> None:
    """Show which lines of which files gave a row each of its values.

    Example: ./mdp lineage orders order_id=A-17
    """
    from minidata.dataset import read_datasets  # noqa: PLC0415
    from minidata.rebuild import Archive, trace  # noqa: PLC0415  imports Polars

    wanted = {column: value for column, _, value in (condition.partition("=") for condition in where)}
    if any("=" not in condition for condition in where):
        raise typer.BadParameter("Write each condition as COLUMN=VALUE.", param_hint="COLUMN=VALUE")
    settings = settings_of(context)
    datasets = read_datasets(settings.datasets_folder).values()
    dataset = next((dataset for dataset in datasets if table in dataset.tables), None)
    if dataset is None:
        tables = ", ".join(name for dataset in datasets for name in dataset.tables)
        raise PermanentError(f"There is no table {safe(table)}. Tables: {tables}.")
    with connect(settings, "loader") as connection, file_progress("Reading files") as progress:
        found = trace(
            connection, dataset, table, wanted, Archive(ObjectStore(settings), settings, connection), progress
        )
    if json_:
        values = [
            {
                "column": column,
                "value": value,
                "from": [
                    {
                        "key": origin.file.key,
                        "version": origin.file.version,
                        "line": origin.line,
                        "arrived_at": origin.file.arrived_at.isoformat(),
                        "archive_key": origin.file.archive_key,
                    }
                    for origin in found.origins[column]
                ],
            }
            for column, value in found.row.items()
        ]
        print_json({"table": table, "row": found.row, "values": values})
        return
    rows = []
    for column, value in found.row.items():
        origins = found.origins[column]
        for number, origin in enumerate(origins[:_SHOWN]):
            rows.append(
                [column, value, origin.file.key, origin.line] if not number else ["", "", origin.file.key, origin.line]
            )
        if len(origins) > _SHOWN:
            rows.append(["", "", f"and {len(origins) - _SHOWN:,} more lines", None])
        if not origins:
            rows.append([column, value, "", None])
    print_table(["column", "value", "file", "line"], rows, numbers=("line",))
    if any(len(origins) > _SHOWN for origins in found.origins.values()):
        say("`--json` lists all lines.")
