"""The tables of a dataset, made from its declaration."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from psycopg import sql

from minidata.dataset import HASH, HIDDEN, Column, Dataset, Every, Rollup, Window
from minidata.warehouse.views import SCHEMA

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
        meanings: what each column is, in words; empty if the declaration does not say.
        keys: the columns of the primary key.
        indexed: the columns of a second index, if it needs one.
    """

    schema: str
    name: str
    description: str
    columns: dict[str, str]
    meanings: dict[str, str]
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
        yield self.grant()

    def grant(self) -> sql.Composed:
        """Return the statement that gives the loader its rights."""
        place = sql.Identifier(self.schema, self.name)
        return sql.SQL("grant select, insert, update, delete on {} to mdp_loader").format(place)

    @property
    def shown(self) -> list[str]:
        """The columns that the view shows."""
        return [column for column in self.columns if not column.startswith(HIDDEN)]

    def view(self, columns: Iterable[str] = ()) -> Iterator[sql.Composed]:
        """Yield the statements that create the view through which people read the table, and describe both.

        Args:
            columns: those to show in the view's order, if other than the declaration's.
        """
        place, view = sql.Identifier(self.schema, self.name), sql.Identifier(SCHEMA, self.name)
        shown = _names(columns or self.shown)
        yield sql.SQL("create or replace view {} as select {} from {}").format(view, shown, place)
        comment = sql.SQL("comment on {} {} is {}")
        for kind, schema in (("table", self.schema), ("view", SCHEMA)):
            yield comment.format(sql.SQL(kind), sql.Identifier(schema, self.name), sql.Literal(self.description))
            for column in columns or self.shown:
                meaning = sql.Literal(self.meanings.get(column) or None)
                yield comment.format(sql.SQL("column"), sql.Identifier(schema, self.name, column), meaning)


def tables_of(dataset: Dataset) -> list[Table]:
    """Return the tables that a declaration describes: those that rows are merged into, then its summaries."""
    found: dict[str, Table] = {}
    for name, rollup in dataset.merged.items():
        if isinstance(rollup, Every):
            columns = {HASH: "bytea not null"} | {c: _type(column) for c, column in dataset.columns.items()}
            means = {c: column.description for c, column in dataset.columns.items()}
            found[name] = Table(dataset.name, name, rollup.description, columns, means, [HASH], [])
            continue
        declared = {c: dataset.row_columns[rollup.source_of(c)] for c in rollup.table_columns}
        columns = {c: _type(column, nullable=c in rollup.gains) for c, column in declared.items()}
        if name in dataset.newest:
            columns = {c: columns[c] for c in (*dataset.columns, *columns)}
        # The windows of each key in order: gains look for the neighbouring window there.
        indexed = [*rollup.other_keys, rollup.window_key] if rollup.window_key else []
        means = {c: _meaning(rollup, c, declared[c].description) for c in columns}
        found[name] = Table(dataset.name, name, rollup.description, columns, means, list(rollup.keys), indexed)
    for name, summary in dataset.summaries.items():
        columns = {c: _TEXT if t == "text" else t for c, t in summary.columns.items()}
        columns |= {c: f"{columns[c]} not null" for c in summary.keys}
        sources = {c: s for c, s in summary.key_sources.items() if isinstance(s, str)}
        means = {c: found[summary.source].meanings.get(sources.get(c, ""), "") for c in columns}
        found[name] = Table(dataset.name, name, summary.description, columns, means, list(summary.keys), [])
    return list(found.values())


def _meaning(rollup: Rollup, column: str, described: str) -> str:
    """Say what a column of a rollup is, from what is said of the column of the file."""
    key = rollup.keys.get(column)
    if isinstance(key, Window):
        return f"Start of the window of {key.seconds} s" + (f". {described}" if described else "")
    if column in rollup.measures:
        which = "Greatest" if rollup.measures[column].function == "max" else "Least"
        return f"{which} value of {rollup.source_of(column)}" + (f". {described}" if described else "")
    if column in rollup.gains:
        return f"What {rollup.gains[column].of} gained since the previous window"
    return described


def _type(column: Column, *, nullable: bool = False) -> str:
    return _TYPES[column.type] if nullable or column.optional else f"{_TYPES[column.type]} not null"


def _names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
