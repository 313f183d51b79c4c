"""The reading layer: views over the tables and the ledger, the only thing that people and dashboards may read.

A view runs with the rights of its owner, so `mdp_bi` needs SELECT on `mart` and nothing else.
"""

from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from minidata.errors import PermanentError
from minidata.warehouse.connection import Connection
from minidata.warehouse.views import MART, SCHEMA, View, read_views

_LOCK = 7_463_001  # the migrations' own: nothing else changes the warehouse's objects meanwhile
_INDEXES = "indexes.sql"
_MADE_HERE = "warehouse/mart/"  # at the end of a view's comment: what was made from the folder, and may go with it


def apply_mart(connection: Connection, folder: Path = MART) -> list[str]:
    """Make the views of a folder what it says, all or none; needs `mdp_owner`, after `apply_datasets`.

    With them are made the indexes that they need, if the folder has a file of these beside it.

    Views that are there already are replaced in place; if their columns changed, all are dropped and made anew.
    Views that an earlier folder made are removed, all others are left alone.

    Returns:
        The names of the views.

    Raises:
        PermanentError: if a select is wrong, makes other columns than `views.yaml` says, or if somebody's own
            view stands on one that must be dropped.
    """
    views = read_views(folder)
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        connection.execute("set local search_path = pg_catalog")
        ours = _made_here(connection)
        try:
            with connection.transaction():
                for name in views:
                    _make(connection, folder, name)
                _drop(connection, [name for name in ours if name not in views])
        except (psycopg.errors.InvalidTableDefinition, psycopg.errors.DependentObjectsStillExist):
            _drop(connection, ours)
            for name in views:
                _make(connection, folder, name)
        for name, view in views.items():
            _check(connection, folder, name, view)
        indexes = folder.with_name(_INDEXES)
        if indexes.exists():
            connection.execute(indexes.read_text(encoding="utf-8").encode())
        # One round trip: there are more comments than all the rest.
        described = (part for name, view in views.items() for part in _description(name, view))
        connection.execute(sql.SQL(";\n").join(described))
    return list(views)


def _made_here(connection: Connection) -> list[str]:
    rows = connection.execute(
        "select c.relname::text from pg_class c where c.relnamespace = %s::regnamespace and c.relkind = 'v' "
        "and obj_description(c.oid, 'pg_class') like %s order by 1",
        [SCHEMA, f"%({_MADE_HERE}%"],
    ).fetchall()
    return [name for (name,) in rows]


def _make(connection: Connection, folder: Path, name: str) -> None:
    select = (folder / f"{name}.sql").read_text(encoding="utf-8")
    statement = sql.SQL("create or replace view {} as\n{}").format(
        sql.Identifier(SCHEMA, name),
        sql.SQL(select),  # the project's own file
    )
    try:
        connection.execute(statement)
    except psycopg.errors.InvalidTableDefinition:
        raise
    except (psycopg.ProgrammingError, psycopg.errors.FeatureNotSupported) as error:
        raise PermanentError(f"The view of {folder / name}.sql cannot be made: {error}") from error


def _drop(connection: Connection, names: list[str]) -> None:
    if not names:
        return
    try:
        with connection.transaction():
            every = sql.SQL(", ").join(sql.Identifier(SCHEMA, name) for name in names)
            connection.execute(sql.SQL("drop view {}").format(every))
    except psycopg.errors.DependentObjectsStillExist as error:
        raise PermanentError(
            f"The reading views must be made anew, but something else stands on them: {error.diag.message_detail} "
            "Drop that first, and make it again afterwards. Nothing was changed."
        ) from error


def _check(connection: Connection, folder: Path, name: str, view: View) -> None:
    rows = connection.execute(
        "select a.attname::text, t.typname::text from pg_attribute a join pg_type t on t.oid = a.atttypid "
        "where a.attrelid = %s::regclass and a.attnum > 0 order by a.attnum",
        [f"{SCHEMA}.{name}"],
    ).fetchall()
    names = {"int8": "bigint", "bool": "boolean"}
    found = [f"{column} {names.get(type_, type_)}" for column, type_ in rows]
    declared = [f"{name} {column.type}" for name, column in view.columns.items()]
    if found != declared:
        wrong = [f"{f} (declared: {d})" for f, d in zip(found, declared, strict=False) if f != d]
        rest = wrong or [f"{len(found)} columns (declared: {len(declared)})"]
        raise PermanentError(
            f"{folder / name}.sql makes other columns than {folder / 'views.yaml'} says: {', '.join(rest)}. "
            "Nothing was changed."
        )


def _description(name: str, view: View) -> Iterator[sql.Composable]:
    """Yield the statements that say what a view and its columns are, and who may read it."""
    place = sql.Identifier(SCHEMA, name)
    comment = sql.SQL("comment on {} {} is {}")
    text = f"{view.means} ({_MADE_HERE}{name}.sql)"
    yield comment.format(sql.SQL("view"), place, sql.Literal(text))
    for column, declared in view.columns.items():
        path = sql.Identifier(SCHEMA, name, column)
        yield comment.format(sql.SQL("column"), path, sql.Literal(declared.means))
    yield sql.SQL("grant select on {} to mdp_bi, mdp_loader").format(place)
