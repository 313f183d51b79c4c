"""The reading layer: the views of the schema `mart`, which people and dashboards read and nothing else.

A view runs with the rights of its owner, so `mdp_bi` needs SELECT on `mart` only.
"""

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path

import psycopg
from psycopg import sql

from minidata.errors import PermanentError
from minidata.warehouse.connection import Connection
from minidata.warehouse.ddl import change_objects
from minidata.warehouse.declared import create_register, declared, remember
from minidata.warehouse.views import DATASETS, SCHEMA, View, read_views

# A view's comment ends with its file. So a view that we created is known, and may be dropped with its file.
_ORIGINS = ["% (warehouse/mart/%.sql)", "% (datasets/%/views/%.sql)"]


def apply_mart(connection: Connection, datasets: Path = DATASETS) -> list[str]:
    """Create the reading views, all or none; needs `mdp_owner`, after `apply_datasets`.

    A view whose text changed is replaced in place. If its columns changed, all views are dropped and created again.
    Views whose file is gone are dropped; views that others made are left alone.

    Args:
        connection: of the owner.
        datasets: folder of the datasets' folders, whose views are created after the platform's.

    Returns:
        Names of the views.

    Raises:
        PermanentError: if a select is wrong or gives other columns than `views.yaml` says, or if someone else's view
            depends on one that must be dropped.
        TransientError: if another session is in the way; the message names it.
    """
    views = read_views(datasets)
    return change_objects(connection, lambda: _apply(connection, views))


def _apply(connection: Connection, views: dict[str, View]) -> list[str]:
    create_register(connection)
    connection.execute("set local search_path = pg_catalog")
    ours = _created_by_us(connection)
    new = {name: view for name, view in views.items() if not _is_unchanged(connection, name, view)}
    try:
        with connection.transaction():
            for name, view in new.items():
                _create(connection, name, view)
            _drop(connection, [name for name in ours if name not in views])
    except (psycopg.errors.InvalidTableDefinition, psycopg.errors.DependentObjectsStillExist):
        _drop(connection, ours)
        new = views
        for name, view in views.items():
            _create(connection, name, view)
    for name, view in new.items():
        _check(connection, name, view)
        # One round trip: there are more comments than all the rest.
        connection.execute(sql.SQL(";\n").join(_description(name, view)))
        remember(connection, "view", name, {"text": _text(view), "database": _definition(connection, name)})
    let_read(connection, views)
    return list(views)


def let_read(connection: Connection, names: Iterable[str]) -> None:
    """Let readers read some views of `mart`, whatever was revoked since; nobody has to wait for that."""
    grants = [sql.SQL("grant usage on schema {} to mdp_bi, mdp_loader").format(sql.Identifier(SCHEMA))]
    grants += [
        sql.SQL("grant select on {} to mdp_bi, mdp_loader").format(sql.Identifier(SCHEMA, name)) for name in names
    ]
    connection.execute(sql.SQL(";\n").join(grants))


def drop_views(connection: Connection) -> None:
    """Drop all reading views, for `apply_mart` to create them again in the same transaction."""
    _drop(connection, _created_by_us(connection))


def _is_unchanged(connection: Connection, name: str, view: View) -> bool:
    """Return whether a view is what we made of the same text: then no reader has to wait for its replacement."""
    known = declared(connection, "view", name)
    return known is not None and known == {"text": _text(view), "database": _definition(connection, name)}


def _text(view: View) -> str:
    said = view.model_dump_json(exclude={"file"})
    return f"{view.file.read_text(encoding='utf-8')}\n{view.origin}\n{said}"


def _definition(connection: Connection, name: str) -> str | None:
    """Return the view as PostgreSQL keeps it; None if there is none."""
    row = connection.execute("select pg_get_viewdef(to_regclass(%s))", [f"{SCHEMA}.{name}"]).fetchone()
    return row[0] if row else None


def _created_by_us(connection: Connection) -> list[str]:
    rows = connection.execute(
        "select c.relname::text from pg_class c where c.relnamespace = %s::regnamespace and c.relkind = 'v' "
        "and obj_description(c.oid, 'pg_class') like any(%s) order by 1",
        [SCHEMA, _ORIGINS],
    ).fetchall()
    return [name for (name,) in rows]


def _create(connection: Connection, name: str, view: View) -> None:
    select = sql.SQL(view.file.read_text(encoding="utf-8"))  # the project's own file
    try:
        connection.execute(sql.SQL("create or replace view {} as\n{}").format(sql.Identifier(SCHEMA, name), select))
    except psycopg.errors.InvalidTableDefinition:
        raise
    except (psycopg.ProgrammingError, psycopg.errors.FeatureNotSupported) as error:
        raise PermanentError(f"The view of {view.file} cannot be created: {error}") from error


def _drop(connection: Connection, names: list[str]) -> None:
    if not names:
        return
    every = sql.SQL(", ").join(sql.Identifier(SCHEMA, name) for name in names)
    try:
        with connection.transaction():
            connection.execute(sql.SQL("drop view {}").format(every))
    except psycopg.errors.DependentObjectsStillExist as error:
        raise PermanentError(
            f"The reading views must be created again, but something else depends on them: "
            f"{error.diag.message_detail} Drop that first, and create it again afterwards. Nothing was changed."
        ) from error


def _check(connection: Connection, name: str, view: View) -> None:
    rows = connection.execute(
        "select a.attname::text, t.typname::text from pg_attribute a join pg_type t on t.oid = a.atttypid "
        "where a.attrelid = %s::regclass and a.attnum > 0 order by a.attnum",
        [f"{SCHEMA}.{name}"],
    ).fetchall()
    names = {"int8": "bigint", "bool": "boolean"}
    found = [f"{column} {names.get(type_, type_)}" for column, type_ in rows]
    declared = [f"{name} {column.type}" for name, column in view.columns.items()]
    wrong = [f"{f} (declared: {d})" for f, d in zip_longest(found, declared, fillvalue="none") if f != d]
    if wrong:
        raise PermanentError(
            f"{view.file} gives other columns than {view.file.with_name('views.yaml')} says: {', '.join(wrong)}. "
            "Nothing was changed."
        )


def _description(name: str, view: View) -> Iterator[sql.Composable]:
    """Yield the statements that say what a view and its columns are."""
    place = sql.Identifier(SCHEMA, name)
    comment = sql.SQL("comment on {} {} is {}")
    yield comment.format(sql.SQL("view"), place, sql.Literal(f"{view.means} ({view.origin})"))
    for column, described in view.columns.items():
        path = sql.Identifier(SCHEMA, name, column)
        yield comment.format(sql.SQL("column"), path, sql.Literal(described.means))
