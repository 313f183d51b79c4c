"""Lineage: which lines of which files gave a row of a table each of its values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl
import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from minidata.dataset import FILE, LINE, Dataset, Every, Rollup
from minidata.errors import PermanentError
from minidata.ledger.contents import Content, accepted_contents
from minidata.rebuild.archive import Archive, Progress
from minidata.rollup import SummaryStatements, keys_of, overlap, ranges_of_keys, roll_up, source_of
from minidata.warehouse.connection import Connection
from minidata.warehouse.tables import Table, tables_of

_OF = "mdp_of_"  # before a merged column that is made from a row's


@dataclass(frozen=True)
class Origin:
    """A line of a file; `line` is the one on which the record starts, from 1."""

    file: Content
    line: int


@dataclass(frozen=True)
class Lineage:
    """A row of a table, and where its values are from.

    Attributes:
        row: the row.
        origins: for each column, the lines that hold its value, oldest arrival first; for a gain, those of the
            window and of the one before; for a value that is counted or added up, all lines that count.
    """

    row: dict[str, Any]
    origins: dict[str, list[Origin]]


class _Traced(Dataset):
    """A dataset whose rows come with their line."""

    @property
    def by_arrival(self) -> bool:
        return True


def trace(
    connection: Connection,
    dataset: Dataset,
    table: str,
    where: Mapping[str, str],
    archive: Archive,
    progress: Progress = lambda _, __: None,
) -> Lineage:
    """Find the lines that gave a row its values.

    Args:
        connection: to the warehouse, as `mdp_loader`.
        dataset: of the table.
        table: its name.
        where: values of some columns, which only one row has.
        archive: where the files are read.
        progress: takes the number of files that are read, and of all.

    Raises:
        PermanentError: if no row or several rows have these values, or a file is missing from the archive.
    """
    row = _find_row(connection, next(t for t in tables_of(dataset) if t.name == table), where)
    source = dataset.summaries[table].source if table in dataset.summaries else table
    merged = dataset.merged[source]
    keys = _keys(connection, dataset, table, source, row)
    wanted = ranges_of_keys(dataset, source, keys)
    accepted = accepted_contents(connection, dataset.name)
    files = [file for file in accepted if file.ranges is None or overlap(wanted, file.ranges)]
    rows = _rows(dataset, source, keys, files, archive, progress)
    if table in dataset.summaries:
        found = {column: _with_value(rows, column, value) for column, value in row.items()}
    elif isinstance(merged, Every):
        found = dict.fromkeys(row, rows)
    else:
        now = rows.join(keys.head(1), left_on=_of(merged.keys), right_on=keys.columns, how="semi")
        before = rows.join(keys[1:], left_on=_of(merged.keys), right_on=keys.columns, how="semi")
        found = {column: _holding(merged, column, now, before) for column in row}
    by_id = {file.file_id: file for file in files}
    return Lineage(
        row,
        {
            column: [Origin(by_id[file], line) for file, line in lines.select(FILE, LINE).rows()]
            for column, lines in found.items()
        },
    )


def _find_row(connection: Connection, table: Table, where: Mapping[str, str]) -> dict[str, Any]:
    """Return the one row of a table with these values."""
    if unknown := [column for column in where if column not in table.shown]:
        raise PermanentError(f"{table.name} has no column {', '.join(unknown)}. Its columns: {', '.join(table.shown)}.")
    types = {
        column: type_.removesuffix(" not null").partition(" collate")[0] for column, type_ in table.columns.items()
    }
    same = [
        sql.SQL("{} = {}::{}").format(sql.Identifier(column), sql.Literal(value), sql.SQL(types[column]))
        for column, value in where.items()
    ]
    query = sql.SQL("select * from {} where {} limit 2").format(
        sql.Identifier(table.schema, table.name), sql.SQL(" and ").join(same)
    )
    try:
        found = connection.cursor(row_factory=dict_row).execute(query).fetchall()
    except psycopg.DataError as error:
        raise PermanentError(f"A value does not fit its column: {str(error).splitlines()[0]}.") from error
    key = ", ".join(key for key in table.keys if key in table.shown) or "all columns together"
    if not found:
        raise PermanentError(f"{table.name} has no row with these values. Its key: {key}.")
    if len(found) > 1:
        raise PermanentError(f"Several rows of {table.name} have these values. Give the whole key: {key}.")
    return {column: found[0][column] for column in table.shown}


def _keys(connection: Connection, dataset: Dataset, table: str, source: str, row: Mapping[str, Any]) -> pl.DataFrame:
    """Return the keys of the source's rows that a row is made from: of a rollup its own, then the window before."""
    merged = dataset.merged[source]
    names = keys_of(dataset, source)
    if table in dataset.summaries:
        query = SummaryStatements(dataset, table).source_rows(names)
        found = connection.execute(query, {key: row[key] for key in dataset.summaries[table].keys}).fetchall()
    else:
        found = [tuple(row[name] for name in names)]
        if isinstance(merged, Rollup) and merged.gains:
            found += connection.execute(
                _before(dataset, source, merged), {name: row[name] for name in names}
            ).fetchall()
    empty = roll_up(Archive.no_rows(dataset).lazy(), merged, list(dataset.columns)).collect()
    schema = {name: empty.schema[name] for name in names}
    return pl.DataFrame([[_naive(value) for value in values] for values in found], schema, orient="row")


def _before(dataset: Dataset, table: str, rollup: Rollup) -> sql.Composed:
    """Select the key of the window before a key, whose columns are parameters by name."""
    window = str(rollup.window_key)
    same = [sql.SQL("{} = {}").format(sql.Identifier(c), sql.Placeholder(c)) for c in rollup.other_keys]
    return sql.SQL("select {} from {} where {} and {window} < {now} order by {window} desc limit 1").format(
        sql.SQL(", ").join(map(sql.Identifier, rollup.keys)),
        sql.Identifier(dataset.name, table),
        sql.SQL(" and ").join(same),
        window=sql.Identifier(window),
        now=sql.Placeholder(window),
    )


def _naive(value: Any) -> Any:
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def _rows(
    dataset: Dataset, source: str, keys: pl.DataFrame, files: list[Content], archive: Archive, progress: Progress
) -> pl.DataFrame:
    """Return all rows of some keys, with their file, their line and what the table makes of them.

    Of a table of newest rows, only those that are the newest of their key.
    """
    traced = _Traced.model_construct(**dict(dataset))
    merged = dataset.merged[source]
    made: list[pl.Expr] = []
    on = list(dataset.columns)
    if isinstance(merged, Rollup):
        made = [source_of(merged, column).alias(f"{_OF}{column}") for column in merged.merged_columns]
        on = _of(merged.keys)
    found = [Archive.no_rows(traced).with_columns(*made, pl.lit(0, pl.Int64).alias(FILE))]

    def add(frame: pl.DataFrame) -> None:
        rows = frame.with_columns(made).join(keys, left_on=on, right_on=keys.columns, how="semi", nulls_equal=True)
        if rows.height:
            found.append(rows.select(found[0].columns))

    for _ in archive.read(files, traced, add, progress):
        pass
    rows = pl.concat(found)
    if source in dataset.newest and isinstance(merged, Rollup):
        rows = _latest(merged, rows, list(merged.keys))
    return rows


def _of(columns: Mapping[str, object]) -> list[str]:
    return [f"{_OF}{column}" for column in columns]


def _latest(rollup: Rollup, rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Keep the latest row of each key, and those that equal it in all that decides which is the latest."""
    order = [f"{_OF}{column}" for column in rollup.order]
    on = [f"{_OF}{key}" for key in keys]
    latest = rows.sort(order, nulls_last=False).unique(on, keep="last", maintain_order=True).select(*on, *order)
    return rows.join(latest, on=[*on, *order], how="semi", nulls_equal=True)


def _holding(rollup: Rollup, column: str, now: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a key that hold the value of a column."""
    if column in rollup.gains:
        of = rollup.gains[column].of
        return pl.concat([_holding(rollup, of, before, before), _holding(rollup, of, now, before)])
    if column in rollup.measures:
        held = pl.col(f"{_OF}{column}")
        return now.filter(held == (held.max() if rollup.measures[column].function == "max" else held.min()))
    return now if column in rollup.keys else _latest(rollup, now, list(rollup.keys))


def _with_value(rows: pl.DataFrame, column: str, value: Any) -> pl.DataFrame:
    """Return the rows that have a value of a summary in a column of the same name; without one, all rows count."""
    if column not in rows.columns or value is None:
        return rows
    try:
        same = rows.filter(pl.col(column) == pl.lit(_naive(value)))
    except (pl.exceptions.PolarsError, OverflowError):  # a summary may give its column another type
        return rows
    return same if same.height else rows
