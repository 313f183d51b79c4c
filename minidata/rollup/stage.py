"""The staging of rollups: a load brings its partials into the database before it takes any lock."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
from psycopg import sql

from minidata.dataset import Dataset, Rollup
from minidata.warehouse.connection import Connection

_COPY_ROWS = 50_000


@dataclass(frozen=True)
class RollupLoad:
    """One rollup of one load: its table, its partials in a temporary table, and the keys that it changed.

    Attributes:
        schema: of the table.
        name: of the table.
        rollup: its declaration.
        partials: how many frames there are.
        rows: in all of them.
    """

    schema: str
    name: str
    rollup: Rollup
    partials: int
    rows: int

    @property
    def table(self) -> sql.Identifier:
        """The table of the dataset."""
        return sql.Identifier(self.schema, self.name)

    @property
    def stage(self) -> sql.Identifier:
        """The temporary table of partials."""
        return sql.Identifier(f"stage_{self.name}")

    @property
    def touched(self) -> sql.Identifier:
        """The temporary table of keys that the merge wrote."""
        return sql.Identifier(f"touched_{self.name}")


def names_of(columns: Iterable[str], prefix: str = "") -> sql.Composed:
    """Write the names of columns, each behind a prefix if there is one, with commas between them."""
    parts = [sql.Identifier(prefix, c) if prefix else sql.Identifier(c) for c in columns]
    return sql.SQL(", ").join(parts)


def stage_rollup(connection: Connection, dataset: Dataset, name: str, partials: Iterable[pl.DataFrame]) -> RollupLoad:
    """COPY the partials of a rollup into a temporary table that goes with the transaction.

    Args:
        connection: in the transaction that will merge.
        dataset: the declaration.
        name: of the rollup.
        partials: frames with `rollup.merged_columns`; timestamps naive, in UTC.
    """
    rollup = dataset.rollups[name]
    count = rows = 0
    load = RollupLoad(dataset.name, name, rollup, count, rows)
    columns = rollup.merged_columns
    connection.execute(
        sql.SQL("create temporary table {} on commit drop as select {} from {} with no data").format(
            load.stage, names_of(columns), load.table
        )
    )
    copy = sql.SQL("copy {} ({}) from stdin (format csv)").format(load.stage, names_of(columns))
    with connection.cursor() as cursor, cursor.copy(copy) as stream:
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
    return RollupLoad(dataset.name, name, rollup, count, rows)
