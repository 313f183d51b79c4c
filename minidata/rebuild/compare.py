"""Compares the tables of a dataset with those made again from the archive."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row

from minidata.rebuild.shadow import Shadow
from minidata.warehouse.checksum import checksum_of
from minidata.warehouse.connection import Connection
from minidata.warehouse.tables import Table, tables_of

_SHOWN = 20


@dataclass(frozen=True)
class Difference:
    """A table that differs.

    Attributes:
        table: its name.
        live: its number of rows and checksum.
        rebuilt: those of the table made from the archive.
        rows: of the first 20 keys that differ: the key, and `live` and `rebuilt`, the values in which the row
            differs; None where there is no row.
    """

    table: str
    live: tuple[int, str]
    rebuilt: tuple[int, str]
    rows: list[dict[str, Any]]


def compare(shadow: Shadow) -> tuple[dict[str, tuple[int, str]], list[Difference]]:
    """Compare all tables as they are at one moment; nothing waits for it.

    Returns:
        Rows and checksum of every live table, by name; and the tables that differ.
    """
    connection, dataset = shadow.connection, shadow.dataset
    shadow.fill()
    with connection.transaction():
        # The ledger and the tables are those of one moment: the shadow gets the files whose rows the tables have.
        connection.execute("set transaction isolation level repeatable read")
        shadow.fill()
        connection.execute("set local timezone = 'UTC'")
        connection.execute("set local datestyle = 'ISO'")
        live = {table.name: checksum_of(connection, table) for table in tables_of(dataset)}
        differences = []
        for table in tables_of(shadow.tables):
            rebuilt = checksum_of(connection, table)
            if live[table.name] != rebuilt:
                rows = _rows(connection, dataset.name, table)
                differences.append(Difference(table.name, live[table.name], rebuilt, rows))
        return live, differences


def _rows(connection: Connection, live: str, table: Table) -> list[dict[str, Any]]:
    """Return the first rows that differ, in the order of the key."""
    values = [column for column in table.shown if column not in table.keys]
    query = sql.SQL("""select {keys}, {changed} as changed, to_jsonb(l) as live, to_jsonb(r) as rebuilt
from (select {shown}, true as there from {live}) l
full join (select {shown}, true as there from {rebuilt}) r using ({keys})
where {changed} order by {keys} limit {limit}""").format(
        keys=_names(table.keys),
        shown=_names(dict.fromkeys([*table.keys, *table.shown])),
        changed=sql.SQL("row({}, l.there) is distinct from row({}, r.there)").format(
            _names(values, "l"), _names(values, "r")
        )
        if values
        else sql.SQL("l.there is distinct from r.there"),
        live=sql.Identifier(live, table.name),
        rebuilt=sql.Identifier(table.schema, table.name),
        limit=sql.Literal(_SHOWN),
    )
    found = []
    for row in connection.cursor(row_factory=dict_row).execute(query):
        live_row, rebuilt_row = row["live"], row["rebuilt"]
        both = live_row and rebuilt_row
        shown = [c for c in values if not both or live_row[c] != rebuilt_row[c]]
        found.append(
            {
                "key": {column: row[column] for column in table.keys if column in table.shown},
                "live": live_row and {c: live_row[c] for c in shown},
                "rebuilt": rebuilt_row and {c: rebuilt_row[c] for c in shown},
            }
        )
    return found


def _names(columns: Iterable[str], *side: str) -> sql.Composed:
    return sql.SQL(", ").join([sql.Identifier(*side, column) for column in columns])
