"""The warehouse as a database in Metabase, and the ids that Metabase gives to the columns of the views."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from bi.metabase.client import NAME, Metabase
from bi.metabase.objects import Found, Wanted, read
from bi.model import Dashboard
from bi.target import Warehouse
from minidata.errors import PermanentError, TransientError
from minidata.warehouse.views import SCHEMA

Columns = dict[tuple[str, str], int]
_TEXT = "What the pipeline made of the uploaded files: the views of the schema mart, read only."


def database(warehouse: Warehouse) -> Wanted:
    """Return the database as it should be."""
    details = {
        "host": warehouse.host,
        "port": warehouse.port,
        "dbname": warehouse.database,
        "user": warehouse.user,
        "password": warehouse.password,
        "ssl": warehouse.sslmode != "disable",
        "schema-filters-type": "inclusion",
        "schema-filters-patterns": SCHEMA,
    }
    body = {"name": NAME, "engine": "postgres", "details": details, "is_full_sync": True, "auto_run_queries": True}
    return Wanted("database", "database", _TEXT, body)


def find_database(server: Metabase) -> Found | None:
    """Return our database, or one of the same name and connection whose creation was cut off before its mark.

    Raises:
        PermanentError: if a database of someone else has our name.
    """
    named: dict[str, Any] | None = None
    for shown in server.get("/api/database")["data"]:
        found = read("database", shown)
        if found.mark is not None:
            return found
        if shown["name"] == NAME:
            named = shown
    if named is None:
        return None
    wanted = database(server.target.warehouse).body["details"]
    details = named.get("details") or {}
    if named.get("engine") == "postgres" and all(details.get(k) == v for k, v in wanted.items() if k != "password"):
        return read("database", named)
    raise PermanentError(
        f"{server.name} already has a database called `{NAME}`, which we did not make. Rename it there. "
        "Nothing was changed."
    )


def find_columns(server: Metabase, database_id: int) -> Columns:
    """Return the id of every column of the views that Metabase knows, by (view, column)."""
    tables = server.get(f"/api/database/{database_id}/metadata").get("tables") or []
    return {
        (table["name"], column["name"]): int(column["id"])
        for table in tables
        if table.get("schema") == SCHEMA
        for column in table.get("fields") or []
    }


def needed(dashboards: Iterable[Dashboard]) -> set[tuple[str, str]]:
    """Return every (view, column) that Metabase must know before the cards can be made."""
    return {(name, column) for d in dashboards for name, view in d.views.items() for column in view.columns}


def wait_for_columns(
    server: Metabase,
    database_id: int,
    wanted: set[tuple[str, str]],
    seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> Columns:
    """Let Metabase read the views if it does not know all of them, and wait until it does.

    Raises:
        TransientError: if it takes longer than `seconds`, with the missing columns.
    """
    known = find_columns(server, database_id)
    if wanted <= known.keys():
        return known
    server.send("POST", f"/api/database/{database_id}/sync_schema", {})
    end = time.monotonic() + seconds
    while not wanted <= known.keys():
        if time.monotonic() >= end:
            missing = sorted(f"{SCHEMA}.{view}.{column}" for view, column in wanted - known.keys())
            raise TransientError(
                f"Metabase has not found {', '.join(missing[:5])} after {seconds:.0f} s. Check that the views are in "
                f"the warehouse (`./mdp up` makes them) and that {server.target.warehouse.user} may read them. "
                "The dashboards are unchanged."
            )
        sleep(1)
        known = find_columns(server, database_id)
    return known
