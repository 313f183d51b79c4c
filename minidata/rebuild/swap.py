"""Puts the tables of a shadow schema in the place of the live ones, under their views."""

from psycopg import sql

from minidata.ledger import lock_dataset
from minidata.ledger.contents import mark_checked_again
from minidata.rebuild.shadow import Shadow
from minidata.settings import Settings
from minidata.warehouse.connection import Connection
from minidata.warehouse.ddl import change_objects
from minidata.warehouse.declared import meaning, remember
from minidata.warehouse.mart import apply_mart, drop_views
from minidata.warehouse.plan import plan_dataset
from minidata.warehouse.tables import tables_of
from minidata.warehouse.views import SCHEMA

_VIEWS = (
    "select distinct n.nspname, v.relname, pg_get_viewdef(v.oid) from pg_depend d "
    "join pg_rewrite r on r.oid = d.objid join pg_class v on v.oid = r.ev_class and v.relkind = 'v' "
    "join pg_namespace n on n.oid = v.relnamespace "
    "where d.classid = 'pg_rewrite'::regclass and d.refobjid in "
    "(select c.oid from pg_class c where c.relnamespace = to_regnamespace(%s) and c.relname = any(%s))"
)
_COLUMNS = (
    "select c.relname::text, "
    "array_agg(a.attname::text || ' ' || format_type(a.atttypid, a.atttypmod) order by a.attnum) "
    "from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped "
    "where c.relkind = 'r' and c.relnamespace = to_regnamespace(%s) group by c.relname"
)


def swap(shadow: Shadow, settings: Settings) -> None:
    """Put the shadow's tables in place of the live ones, in one transaction with the files that came meanwhile.

    Readers see the old tables or the new ones. Loads wait for the end of the transaction.

    Raises:
        PermanentError: if a file is missing from the archive; nothing is swapped.
        TransientError: if another session holds a lock after several tries; nothing is swapped.
    """
    connection = shadow.connection
    shadow.fill()
    done = shadow.progress_made()

    def change() -> None:
        shadow.go_back_to(done)
        _lock(connection, shadow)
        shadow.fill()
        _exchange(connection, shadow)
        mark_checked_again(connection, shadow.changed)
        remember(connection, "dataset", shadow.dataset.name, meaning(shadow.dataset))
        plan_dataset(connection, shadow.dataset).run()
        apply_mart(connection, settings.datasets_folder)

    change_objects(connection, change)


def _lock(connection: Connection, shadow: Shadow) -> None:
    """Lock the live tables before the dataset: a load has both or neither, so it cannot wait for us in a circle."""
    for table in tables_of(shadow.dataset):
        if connection.execute("select to_regclass(%s)", [_place(table.schema, table.name)]).fetchone() != (None,):
            statement = sql.SQL("lock table {} in access exclusive mode")
            connection.execute(statement.format(sql.Identifier(table.schema, table.name)))
    lock_dataset(connection, shadow.dataset.name)


def _exchange(connection: Connection, shadow: Shadow) -> None:
    live, rebuilt = shadow.dataset.name, shadow.tables.name
    names = list(shadow.dataset.tables)
    before: dict[str, list[str]] = dict(connection.execute(_COLUMNS, [_quoted(live)]).fetchall())
    after: dict[str, list[str]] = dict(connection.execute(_COLUMNS, [_quoted(rebuilt)]).fetchall())
    connection.execute("set local search_path = pg_catalog")  # so that the views name each table with its schema
    views = connection.execute(_VIEWS, [_quoted(live), names]).fetchall()
    if any(name in before and before[name] != after[name] for name in names):
        # Views of other columns cannot be replaced in place.
        drop_views(connection)
        own = sql.SQL(", ").join(sql.Identifier(SCHEMA, name) for name in names)
        connection.execute(sql.SQL("drop view if exists {}").format(own))
        views = []
    trash = f"old-{live}"[:63]
    old = sql.Identifier(trash)
    connection.execute(sql.SQL("create schema {}").format(old))
    move = sql.SQL("alter table {} set schema {}")
    for name in names:
        if name in before:
            connection.execute(move.format(sql.Identifier(live, name), old))
        connection.execute(move.format(sql.Identifier(rebuilt, name), sql.Identifier(live)))
    for schema, name, text in views:
        replace = sql.SQL("create or replace view {} as {}").format(sql.Identifier(schema, name), sql.SQL(text))
        connection.execute(replace)
    for name in names:
        if name in before:
            connection.execute(sql.SQL("drop table {}").format(sql.Identifier(trash, name)))
    connection.execute(sql.SQL("drop schema {}").format(old))
    connection.execute(sql.SQL("drop schema {}").format(sql.Identifier(rebuilt)))
    connection.execute("set local search_path = public")


def _quoted(schema: str) -> str:
    return '"' + schema.replace('"', '""') + '"'


def _place(schema: str, name: str) -> str:
    return f"{_quoted(schema)}.{_quoted(name)}"
