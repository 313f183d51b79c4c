"""The load of rollups and summaries into their tables, in the caller's transaction."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
from psycopg import sql

from minidata.dataset import Dataset
from minidata.rollup.statements import RollupStatements, names_of
from minidata.warehouse.connection import Connection

_COPY_ROWS = 50_000


@dataclass(frozen=True)
class RollupLoad:
    """One rollup of one load, staged.

    Attributes:
        statements: its SQL.
        partials: number of frames in the stage.
        rows: number of rows in all of them.
    """

    statements: RollupStatements
    partials: int
    rows: int

    @property
    def name(self) -> str:
        """Name of the rollup."""
        return self.statements.name


def stage_rollup(connection: Connection, dataset: Dataset, name: str, partials: Iterable[pl.DataFrame]) -> RollupLoad:
    """COPY the partials of a rollup into a temporary table, before the load takes any lock.

    Args:
        connection: in the transaction that will merge.
        dataset: the declaration.
        name: of the rollup.
        partials: frames with `rollup.merged_columns`; timestamps naive, in UTC.
    """
    statements = RollupStatements(dataset.name, name, dataset.rollups[name])
    count = rows = 0
    connection.execute(statements.create_stage())
    with connection.cursor() as cursor, cursor.copy(statements.copy()) as stream:
        for frame in partials:
            count += 1
            rows += frame.height
            for part in frame.iter_slices(_COPY_ROWS):
                text = part.write_csv(
                    include_header=False,
                    datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ",
                    quote_style="non_numeric",  # an empty text is not null, whatever it looks like
                )
                stream.write(text.encode())
    return RollupLoad(statements, count, rows)


def merge_rollups(connection: Connection, loads: Iterable[RollupLoad]) -> dict[str, int]:
    """Merge the staged rollups into their tables, gains included; returns the number of rows written by table.

    The caller holds the dataset's lock: nothing else changes these tables before the commit, so each row is computed
    whole and written once.
    """
    written = {}
    for load in loads:
        statements = load.statements
        connection.execute(sql.SQL("analyze {}").format(statements.stage))
        connection.execute(statements.create_touched())
        written[load.name] = connection.execute(statements.merge(load.partials)).rowcount
        if statements.rollup.gains:
            connection.execute(statements.update_successors())
    return written


def merge_summaries(connection: Connection, dataset: Dataset) -> dict[str, int]:
    """Recompute the summaries for the staged keys of the load; returns the number of rows written by table."""
    written = {}
    connection.execute(sql.SQL("set local search_path = {}").format(sql.Identifier(dataset.name)))
    for name in dataset.summaries:
        written[name] = connection.execute(summary_of(dataset, name)).rowcount
    return written


def summary_of(dataset: Dataset, name: str) -> sql.Composed:
    """Return the SQL that runs a summary's select for the staged keys and writes the rows that changed."""
    summary = dataset.summaries[name]
    values = [c for c in summary.columns if c not in summary.keys]
    return sql.SQL("""insert into {table} as t ({columns})
select {columns} from (
{select}) s
where ({keys}) in (select {keys} from {stage})
order by {keys}
on conflict ({keys}) do update set ({values}) = row({excluded})
where row({current}) is distinct from row({excluded})""").format(
        table=sql.Identifier(dataset.name, name),
        columns=names_of(summary.columns),
        select=sql.SQL((dataset.folder / summary.sql).read_text(encoding="utf-8")),  # the project's own file
        keys=names_of(summary.keys),
        stage=sql.Identifier(f"stage_{summary.source}"),
        values=names_of(values),
        excluded=names_of(values, "excluded"),
        current=names_of(values, "t"),
    )
