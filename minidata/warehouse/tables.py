"""The tables of a dataset, made from its declaration."""

from psycopg import sql

from minidata.dataset import Dataset, IntegerColumn, Rollup, TextColumn, Window
from minidata.errors import PermanentError
from minidata.warehouse.connection import Connection

_TEXT = 'text collate "C"'  # text compares by code point, whatever the server's locale


def column_types(dataset: Dataset, rollup: Rollup) -> dict[str, str]:
    """Return the SQL type of every column of a rollup's table, in the order of the table."""

    def type_of(column: str) -> str:
        if column in rollup.gains:
            return "bigint"
        declared = dataset.columns[rollup.source_of(column)]
        if isinstance(declared, TextColumn):
            return _TEXT
        return "bigint" if isinstance(declared, IntegerColumn) else "timestamptz"

    return {column: type_of(column) for column in rollup.table_columns}


def create_tables(connection: Connection, dataset: Dataset) -> None:
    """Create the schema, tables, indexes and mart views of a dataset where they are missing.

    Raises:
        PermanentError: if a table exists with other columns.
    """
    schema = sql.Identifier(dataset.name)
    connection.execute(sql.SQL("create schema if not exists {}").format(schema))
    connection.execute(sql.SQL("grant usage on schema {} to mdp_loader").format(schema))
    for name, rollup in dataset.rollups.items():
        _create(
            connection,
            dataset.name,
            name,
            column_types(dataset, rollup),
            list(rollup.keys),
            set(rollup.gains),
        )
        if rollup.window_key:
            _index_windows(connection, dataset.name, name, rollup)
        _comment(connection, dataset.name, name, rollup.description)
    for name, summary in dataset.summaries.items():
        types = {c: _TEXT if t == "text" else t for c, t in summary.columns.items()}
        _create(connection, dataset.name, name, types, summary.keys, set())
        _comment(connection, dataset.name, name, summary.description)


def _create(
    connection: Connection,
    schema: str,
    table: str,
    types: dict[str, str],
    keys: list[str],
    nullable: set[str],
) -> None:
    qualified = sql.Identifier(schema, table)
    columns = sql.SQL(", ").join(
        sql.SQL("{} {} {}").format(
            sql.Identifier(c),
            sql.SQL(t),
            sql.SQL("" if c in nullable else "not null"),
        )
        for c, t in types.items()
    )
    primary = sql.SQL(", ").join(map(sql.Identifier, keys))
    connection.execute(
        sql.SQL("create table if not exists {} ({}, primary key ({}))").format(qualified, columns, primary)
    )
    found = connection.execute(
        "select column_name::text from information_schema.columns "
        "where table_schema = %s and table_name = %s order by ordinal_position",
        [schema, table],
    ).fetchall()
    if [c for (c,) in found] != list(types):
        raise PermanentError(
            f"The table {schema}.{table} has the columns {', '.join(c for (c,) in found)}, but the declaration "
            f"gives it {', '.join(types)}. Rename the old table, run `./mdp up` and load the archive again."
        )
    connection.execute(sql.SQL("grant select, insert, update, delete on {} to mdp_loader").format(qualified))
    connection.execute(
        sql.SQL("create or replace view {} as select {} from {}").format(
            sql.Identifier("mart", table), sql.SQL(", ").join(map(sql.Identifier, types)), qualified
        )
    )


def _index_windows(connection: Connection, schema: str, table: str, rollup: Rollup) -> None:
    """Index the windows of each key, newest first: gains look for the neighbouring window there."""
    others = [k for k, source in rollup.keys.items() if not isinstance(source, Window)]
    connection.execute(
        sql.SQL("create index if not exists {} on {} ({}, {})").format(
            sql.Identifier(f"{table}_by_key"),
            sql.Identifier(schema, table),
            sql.SQL(", ").join(map(sql.Identifier, others)),
            sql.Identifier(str(rollup.window_key)),
        )
    )


def _comment(connection: Connection, schema: str, table: str, text: str) -> None:
    for kind, place in (("table", sql.Identifier(schema, table)), ("view", sql.Identifier("mart", table))):
        connection.execute(sql.SQL("comment on {} {} is {}").format(sql.SQL(kind), place, sql.Literal(text)))
