"""The warehouse as a database in Metabase, and the ids that Metabase gives to the columns of the views."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bi.metabase.client import Metabase
from bi.metabase.mark import Mark, digest, read_mark
from bi.metabase.target import Target
from bi.model import Dashboard
from bi.plan import Plan
from minidata.errors import PermanentError, TransientError
from minidata.warehouse.views import SCHEMA

NAME = "database"
_TEXT = "What the pipeline made of the uploaded files: the views of the schema mart, read only."


def details(target: Target) -> dict[str, Any]:
    """Return how Metabase connects to the warehouse."""
    address = target.warehouse
    return {
        "host": address.host,
        "port": address.port,
        "dbname": address.database,
        "user": address.user,
        "password": address.password,
        "ssl": address.tls,
        "schema-filters-type": "inclusion",
        "schema-filters-patterns": SCHEMA,
    }


def body(target: Target) -> dict[str, Any]:
    """Return the request that makes or corrects the database."""
    return {
        "name": target.name,
        "engine": "postgres",
        "details": details(target),
        "is_full_sync": True,
        "auto_run_queries": True,
    }


def find(server: Metabase) -> Mapping[str, Any] | None:
    """Return our database, or one of the same name and connection whose creation was cut off before its mark.

    Raises:
        PermanentError: if somebody else's database has our name.
    """
    target = server.target
    named = None
    for database in server.get("/api/database")["data"]:
        if read_mark(database.get("description"), int(database["id"]))[1] is not None:
            return dict(database)
        if database["name"] == target.name:
            named = database
    if named is None or _same(named, target):
        return named
    raise PermanentError(
        f"Metabase at {target.url} already has a database called `{target.name}`, which we did not make. "
        "Rename it there. Nothing was changed."
    )


def decide(plan: Plan, database: Mapping[str, Any] | None, target: Target) -> bool:
    """Enter the database into a plan; return whether there is something to do."""
    if database is None:
        plan.create.append(NAME)
        return True
    mark = read_mark(database.get("description"), int(database["id"]))[1]
    same = _same(database, target) and database["name"] == target.name
    if mark is not None and mark.wanted == _digest(target) and same:
        plan.unchanged.append(NAME)
        return False
    plan.update.append(NAME)
    if mark is not None and mark.wanted == _digest(target):
        plan.drift.append(NAME)
    return True


def apply(server: Metabase, database: Mapping[str, Any] | None) -> int:
    """Make or correct the database and return its id; Metabase tries the connection before it takes it."""
    target = server.target
    if database is None:
        database = server.send("POST", "/api/database", body(target))
    id_ = int(database["id"])
    mark = Mark(NAME, _digest(target), id_, _digest(target))
    server.send("PUT", "/api/database/{id}", {**body(target), "description": mark.below(_TEXT)}, id=id_)
    return id_


def fields(server: Metabase, database: int) -> dict[tuple[str, str], int]:
    """Return the id of every column of the views that Metabase knows, by (view, column)."""
    tables = server.get(f"/api/database/{database}/metadata").get("tables") or []
    return {
        (table["name"], column["name"]): int(column["id"])
        for table in tables
        if table.get("schema") == SCHEMA
        for column in table.get("fields") or []
    }


def needed(dashboards: Iterable[Dashboard]) -> set[tuple[str, str]]:
    """Return every (view, column) that Metabase must know before the cards can be made."""
    return {(name, column) for d in dashboards for name, view in d.views.items() for column in view.columns}


def wait_for_fields(
    server: Metabase,
    database: int,
    wanted: set[tuple[str, str]],
    sleep: Callable[[float], None] = time.sleep,
) -> dict[tuple[str, str], int]:
    """Let Metabase read the views if it does not know all of them, and wait until it does.

    Raises:
        TransientError: if it takes too long, with the columns that are lacking.
    """
    known = fields(server, database)
    if wanted <= known.keys():
        return known
    server.send("POST", "/api/database/{id}/sync_schema", {}, id=database)
    end = time.monotonic() + server.target.sync_seconds
    while not wanted <= known.keys():
        if time.monotonic() >= end:
            lacking = sorted(f"{SCHEMA}.{view}.{column}" for view, column in wanted - known.keys())
            raise TransientError(
                f"Metabase has not found {', '.join(lacking[:5])} after {server.target.sync_seconds:.0f} s. "
                "Are the views in the warehouse (`./mdp up` makes them), and may "
                f"{server.target.warehouse.user} read them? The dashboards are as they were."
            )
        sleep(1)
        known = fields(server, database)
    return known


def _digest(target: Target) -> str:
    """Stand for the whole request: the password too, which Metabase shows to nobody."""
    return digest(body(target))


def _same(database: Mapping[str, Any], target: Target) -> bool:
    shown = database.get("details") or {}
    wanted = {key: value for key, value in details(target).items() if key != "password"}
    return database.get("engine") == "postgres" and all(shown.get(key) == wanted[key] for key in wanted)
