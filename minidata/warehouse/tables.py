"""The tables of a dataset, created from its declaration."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

import psycopg
from psycopg import sql

from minidata.dataset import Dataset, Rollup
from minidata.errors import PermanentError
from minidata.warehouse.connection import Connection
from minidata.warehouse.views import SCHEMA, read_views

_TEXT = 'text collate "C"'  # text compares by code point, whatever the server's locale
_TYPES = {
    "text": _TEXT,
    "integer": "bigint",
    "decimal": "numeric",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
}


@dataclass(frozen=True)
class Table:
    """A table of a dataset.

    Attributes:
        schema: the dataset's name.
        name: of the table, and of its view in `mart`.
        description: its comment.
        columns: the SQL type of each column, in order; with `not null` if it may not be null.
        keys: the columns of the primary key.
        indexed: the columns of a second index, if it needs one.
    """

    schema: str
    name: str
    description: str
    columns: dict[str, str]
    keys: list[str]
    indexed: list[str]

    def statements(self) -> Iterator[sql.Composed]:
        """Yield the statements that create the table, its index and its grants where they are missing."""
        place = sql.Identifier(self.schema, self.name)
        columns = [sql.SQL("{} {}").format(sql.Identifier(c), sql.SQL(t)) for c, t in self.columns.items()]
        yield sql.SQL("create table if not exists {} (\n    {},\n    primary key ({})\n)").format(
            place, sql.SQL(",\n    ").join(columns), _names(self.keys)
        )
        if self.indexed:
            index = sql.Identifier(f"{self.name}_by_key")
            yield sql.SQL("create index if not exists {} on {} ({})").format(index, place, _names(self.indexed))
        yield sql.SQL("grant select, insert, update, delete on {} to mdp_loader").format(place)

    def view(self) -> Iterator[sql.Composed]:
        """Yield the statements that create the view through which people read the table, and describe both."""
        place, view = sql.Identifier(self.schema, self.name), sql.Identifier(SCHEMA, self.name)
        yield sql.SQL("create or replace view {} as select {} from {}").format(view, _names(self.columns), place)
        for kind, of in (("table", place), ("view", view)):
            yield sql.SQL("comment on {} {} is {}").format(sql.SQL(kind), of, sql.Literal(self.description))


def tables_of(dataset: Dataset) -> list[Table]:
    """Return the tables that a declaration describes: its rollups, then its summaries."""
    tables = []
    for name, rollup in dataset.rollups.items():
        columns = {c: _type(dataset, rollup, c) for c in rollup.table_columns}
        # The windows of each key in order: gains look for the neighbouring window there.
        indexed = [*rollup.other_keys, rollup.window_key] if rollup.window_key else []
        tables.append(Table(dataset.name, name, rollup.description, columns, list(rollup.keys), indexed))
    for name, summary in dataset.summaries.items():
        columns = {c: _TEXT if t == "text" else t for c, t in summary.columns.items()}
        columns |= {c: f"{columns[c]} not null" for c in summary.keys}
        tables.append(Table(dataset.name, name, summary.description, columns, summary.keys, []))
    return tables


def _type(dataset: Dataset, rollup: Rollup, column: str) -> str:
    gain = rollup.gains.get(column)
    declared = dataset.columns[rollup.source_of(gain.of if gain else column)]
    nullable = gain is not None or declared.optional
    return _TYPES[declared.type] if nullable else f"{_TYPES[declared.type]} not null"


def create_tables(connection: Connection, dataset: Dataset) -> None:
    """Create the schema, tables, indexes and mart views of a dataset where they are missing.

    Raises:
        PermanentError: if a table exists with other columns or another key, or has the name of a reading view, or if
            `indexes.sql` is wrong.
    """
    views = read_views(dataset.folder.parent)
    for name in sorted(dataset.tables.keys() & views.keys()):
        raise PermanentError(
            f"{dataset.file} declares a table {name}, and {views[name].file.with_name('views.yaml')} a view, but there "
            f"can be only one mart.{name}. Give one of them another name. Nothing was changed."
        )
    schema = sql.Identifier(dataset.name)
    connection.execute(sql.SQL("create schema if not exists {}").format(schema))
    connection.execute(sql.SQL("grant usage on schema {} to mdp_loader").format(schema))
    for table in tables_of(dataset):
        for statement in table.statements():
            connection.execute(statement)
        _check(connection, dataset, table)
        _allow_null(connection, table)
        try:
            for statement in table.view():
                connection.execute(statement)
        except (psycopg.errors.InvalidTableDefinition, psycopg.errors.WrongObjectType) as error:
            raise PermanentError(
                f"mart.{table.name}, through which people read {dataset.name}.{table.name}, exists already and is "
                f"something else: {str(error).strip()}. Rename or drop it as mdp_owner. Nothing was changed."
            ) from error
    _create_indexes(connection, dataset)


def _check(connection: Connection, dataset: Dataset, table: Table) -> None:
    """Check that a table is what the declaration makes of it; one that existed before may be different."""
    place = f"{table.schema}.{table.name}"
    rows = connection.execute(
        "select a.attname::text, "
        "case t.typname when 'int8' then 'bigint' when 'bool' then 'boolean' else t.typname::text end || "
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
    found = [f"{c} {t}" for c, t in rows]
    declared = [f"{c} {t.removesuffix(' not null')}" for c, t in table.columns.items()]
    differences = [f"column {f} (declared: {d})" for f, d in zip_longest(found, declared, fillvalue="none") if f != d]
    if [key for (key,) in primary] != table.keys:
        differences.append(f"key {', '.join(k for (k,) in primary) or 'none'} (declared: {', '.join(table.keys)})")
    if differences:
        raise PermanentError(
            f"The table {place} exists, but not as {dataset.file} declares it: {'; '.join(differences)}. Nothing was "
            "changed: existing tables are never altered. Restore the old declaration, and this platform starts again. "
            f"For the new one, fetch what the bucket archive holds below {dataset.name}/ with any S3 client, start a "
            f"new platform (`./mdp --state DIR up`) and upload the files below {dataset.prefix.strip('/')}/ there."
        )


def _allow_null(connection: Connection, table: Table) -> None:
    """Let the columns be null that are optional now; in a table from before, they may not be."""
    place = sql.Identifier(table.schema, table.name)
    query = "select attname::text from pg_attribute where attrelid = %s::regclass and attnum > 0 and attnotnull"
    for (column,) in connection.execute(query, [f"{table.schema}.{table.name}"]).fetchall():
        if not table.columns[column].endswith(" not null"):
            statement = sql.SQL("alter table {} alter column {} drop not null")
            connection.execute(statement.format(place, sql.Identifier(column)))


def _create_indexes(connection: Connection, dataset: Dataset) -> None:
    file = dataset.folder / "indexes.sql"
    if not file.is_file():
        return
    connection.execute(sql.SQL("set local search_path = {}").format(sql.Identifier(dataset.name)))
    try:
        connection.execute(file.read_bytes())
    except psycopg.ProgrammingError as error:
        raise PermanentError(f"The indexes of {file} cannot be created: {error}") from error


def _names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
