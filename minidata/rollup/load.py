"""The load of a dataset's rows into its tables, in the caller's transaction."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
from psycopg import sql

from minidata.dataset import Dataset
from minidata.rollup.every import EveryStatements, Statements, statements_of
from minidata.rollup.gains import GainStatements, with_places
from minidata.rollup.summary import SummaryStatements
from minidata.warehouse.connection import Connection

_COPY_ROWS = 50_000


@dataclass(frozen=True)
class TableLoad:
    """What one load merges into one table, staged.

    Attributes:
        statements: its SQL.
        rows: that are staged.
    """

    statements: Statements
    rows: int

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.statements.name


def stage(connection: Connection, dataset: Dataset, name: str, partials: Iterable[pl.DataFrame]) -> TableLoad:
    """COPY the partials of a table into a temporary table, before the load takes any lock.

    Args:
        connection: in the transaction that will merge.
        dataset: the declaration.
        name: of the table, one of `dataset.merged`.
        partials: frames as `transform.roll_up` gives them; timestamps naive, in UTC. No two have a row of one key, nor
            windows of one key.
    """
    statements = statements_of(dataset, name)
    connection.execute(statements.create_stage())
    return fill_stage(connection, statements, partials)


def fill_stage(connection: Connection, statements: Statements, partials: Iterable[pl.DataFrame]) -> TableLoad:
    """COPY partials into the temporary table of a load."""
    rows = 0
    with connection.cursor() as cursor, cursor.copy(statements.copy()) as stream:
        for frame in partials:
            rows += frame.height
            if isinstance(statements, GainStatements):
                frame = with_places(frame, statements.rollup)  # noqa: PLW2901
            for part in frame.iter_slices(_COPY_ROWS):
                text = part.write_csv(
                    include_header=False,
                    datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ",
                    quote_style="non_numeric",  # an empty text is not null, whatever it looks like
                )
                stream.write(text.encode())
    return TableLoad(statements, rows)


def merge(connection: Connection, dataset: Dataset, loads: Iterable[TableLoad]) -> dict[str, int]:
    """Merge what is staged into the tables, gains and summaries included; returns the rows written by table.

    The caller holds the dataset's lock: nothing else changes these tables before the commit, so each row is computed
    whole and written once.
    """
    written = {}
    loads = list(loads)
    summaries = [SummaryStatements(dataset, name) for name in dataset.summaries]
    connection.execute("set local timezone = 'UTC'")
    for load in loads:
        connection.execute(load.statements.analyze())
    for summary in summaries:
        connection.execute(summary.create_touched())
    for load in loads:
        written[load.name] = merge_table(connection, load)
    for summary in summaries:
        if successors := summary.touch_successors():
            connection.execute(successors)
        written[summary.name] = run_summary(connection, summary)
    return written


def merge_table(connection: Connection, load: TableLoad) -> int:
    """Merge what is staged for one table, gains included; returns the number of rows written."""
    statements = load.statements
    if isinstance(statements, EveryStatements):
        return connection.execute(statements.insert_new()).rowcount
    gains = statements if isinstance(statements, GainStatements) else None
    if gains:
        connection.execute(gains.create_touched())
        connection.execute(gains.create_known())
    rows = connection.execute(statements.merge_known()).rowcount
    rows += connection.execute(statements.insert_new()).rowcount
    if gains:
        connection.execute(gains.touch_followed())
        connection.execute(gains.update_successors())
    return rows


def run_summary(connection: Connection, summary: SummaryStatements) -> int:
    """Run a summary for the keys in its temporary table; returns the number of rows written."""
    schema = sql.Identifier(summary.dataset.name)
    connection.execute(sql.SQL("set local search_path = {}").format(schema))
    connection.execute(sql.SQL("analyze {}").format(summary.touched))
    return connection.execute(summary.run()).rowcount
