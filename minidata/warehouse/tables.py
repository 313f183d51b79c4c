"""The tables of a dataset, made from its declaration."""

from itertools import zip_longest

import psycopg
from psycopg import sql

from minidata.dataset import Dataset, IntegerColumn, Rollup, TextColumn, Window
from minidata.errors import PermanentError
from minidata.warehouse.connection import Connection
from minidata.warehouse.views import MART, read_views

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
        PermanentError: if a table exists with other columns or another key, or has the name of a reading view.
    """
    for name in sorted(dataset.tables.keys() & read_views().keys()):
        raise PermanentError(
            f"{dataset.file} declares a table {name}, and {MART / 'views.yaml'} a view, but there can be only one "
            f"mart.{name}. Give one of them another name. Nothing was changed."
        )
    schema = sql.Identifier(dataset.name)
    connection.execute(sql.SQL("create schema if not exists {}").format(schema))
    connection.execute(sql.SQL("grant usage on schema {} to mdp_loader").format(schema))
    for name, rollup in dataset.rollups.items():
        _create(
            connection,
            dataset,
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
        _create(connection, dataset, name, types, summary.keys, set())
        _comment(connection, dataset.name, name, summary.description)


def _create(
    connection: Connection,
    dataset: Dataset,
    table: str,
    types: dict[str, str],
    keys: list[str],
    nullable: set[str],
) -> None:
    qualified = sql.Identifier(dataset.name, table)
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
    _check(connection, dataset, table, types, keys)
    connection.execute(sql.SQL("grant select, insert, update, delete on {} to mdp_loader").format(qualified))
    view = sql.SQL("create or replace view {} as select {} from {}")
    try:
        connection.execute(
            view.format(sql.Identifier("mart", table), sql.SQL(", ").join(map(sql.Identifier, types)), qualified)
        )
    except (psycopg.errors.InvalidTableDefinition, psycopg.errors.WrongObjectType) as error:
        raise PermanentError(
            f"mart.{table}, through which people are to read {dataset.name}.{table}, is there already and is something "
            f"else: {str(error).strip()}. Rename or drop it, as mdp_owner, if nobody needs it. Nothing was changed."
        ) from error


def _check(connection: Connection, dataset: Dataset, table: str, types: dict[str, str], keys: list[str]) -> None:
    """See that a table is what the declaration makes of it; one that was there before may be another."""
    place = f"{dataset.name}.{table}"
    rows = connection.execute(
        "select a.attname::text, case t.typname when 'int8' then 'bigint' else t.typname::text end || "
        "case when a.attcollation <> t.typcollation then format(' collate %%I', o.collname) else '' end "
        "from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_collation o on o.oid = a.attcollation "
        "where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum",
        [place],
    ).fetchall()
    primary = connection.execute(
        "select a.attname::text from pg_index i cross join unnest(i.indkey) with ordinality k (number, place) "
        "join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number "
        "where i.indrelid = %s::regclass and i.indisprimary order by k.place",
        [place],
    ).fetchall()
    found, declared = [f"{c} {t}" for c, t in rows], [f"{c} {t}" for c, t in types.items()]
    differences = [f"column {f} (declared: {d})" for f, d in zip_longest(found, declared, fillvalue="none") if f != d]
    if [key for (key,) in primary] != keys:
        differences.append(f"key {', '.join(k for (k,) in primary) or 'none'} (declared: {', '.join(keys)})")
    if differences:
        raise PermanentError(
            f"The table {place} is there, but not as {dataset.file} declares it: {'; '.join(differences)}. Nothing was "
            "changed: no table is altered. Put the declaration back as it was, and this platform starts again. "
            f"For the new one, fetch what the bucket archive holds below {dataset.name}/ with any S3 client, start a "
            f"new platform (`./mdp --state DIR up`) and upload it below {dataset.prefix.strip('/')}/ there: it is new."
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
