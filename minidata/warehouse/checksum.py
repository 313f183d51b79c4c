"""Checksums of the derived tables: equal tables have equal checksums, on any server and in any load order."""

from dataclasses import replace

from psycopg import sql

from minidata.dataset import Dataset
from minidata.warehouse.connection import Connection
from minidata.warehouse.tables import Table, tables_of


def checksums(connection: Connection, dataset: Dataset, schema: str | None = None) -> dict[str, tuple[int, str]]:
    """Return the number of rows and a checksum of every table of a dataset, by table.

    The checksum adds up the hashes of the rows, so it needs neither an order nor memory for the table. All tables
    are seen as they were at one moment, whatever is loaded meanwhile. Columns that the views hide do not count.

    Args:
        connection: to the warehouse, outside a transaction.
        dataset: whose tables.
        schema: where they are, if not in the dataset's own schema.
    """
    found = {}
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        connection.execute("set local timezone = 'UTC'")
        connection.execute("set local datestyle = 'ISO'")
        for table in tables_of(dataset):
            found[table.name] = checksum_of(connection, replace(table, schema=schema or table.schema))
    return found


def checksum_of(connection: Connection, table: Table) -> tuple[int, str]:
    """Return the number of rows and the checksum of one table; the transaction's time zone is UTC, its dates ISO."""
    query = sql.SQL(
        "select count(*), md5(coalesce(sum(('x' || left(h, 16))::bit(64)::bigint::numeric), 0)::text || "
        "coalesce(sum(('x' || right(h, 16))::bit(64)::bigint::numeric), 0)::text) "
        "from (select md5(t::text) as h from (select {} from {}) t) hashed"
    ).format(sql.SQL(", ").join(map(sql.Identifier, table.shown)), sql.Identifier(table.schema, table.name))
    rows, digest = connection.execute(query).fetchone() or (0, "")
    return rows, digest
