"""What the warehouse was made from: the declarations and the texts of views that were applied last."""

from typing import Any

from psycopg.types.json import Jsonb

from minidata.dataset import Dataset
from minidata.warehouse.connection import Connection

Declared = dict[str, Any]


def create_register(connection: Connection) -> None:
    """Create the table `public.mdp_declared` if it is missing."""
    if connection.execute("select to_regclass('public.mdp_declared') is null").fetchone() == (True,):
        connection.execute(
            "create table public.mdp_declared (kind text, name text, declared jsonb not null, primary key (kind, name))"
        )
        connection.execute("grant select on public.mdp_declared to mdp_loader")


def declared(connection: Connection, kind: str, name: str) -> Declared | None:
    """Return what was applied last for a `dataset`, its `indexes`, or a `view`; None if that is not known."""
    query = "select declared from public.mdp_declared where kind = %s and name = %s"
    row = connection.execute(query, [kind, name]).fetchone()
    return dict(row[0]) if row else None


def remember(connection: Connection, kind: str, name: str, value: Declared) -> None:
    """Keep what has been applied."""
    connection.execute(
        "insert into public.mdp_declared as d values (%s, %s, %s) on conflict (kind, name) "
        "do update set declared = excluded.declared where d.declared <> excluded.declared",
        [kind, name, Jsonb(value)],
    )


def forget(connection: Connection, kind: str, name: str) -> None:
    """Drop what is known of an object that has been dropped."""
    connection.execute("delete from public.mdp_declared where kind = %s and name = %s", [kind, name])


def meaning(dataset: Dataset) -> Declared:
    """Return the part of a declaration that the values in its tables depend on, as JSON values.

    Texts that describe, and the rules of cells, are not in it: these hold for the files that come.
    """
    parts = dataset.model_dump(mode="json", by_alias=True, include={"rollups", "newest", "every", "summaries"})
    for tables in parts.values():
        for table in tables.values():
            del table["description"]
    for name, summary in parts["summaries"].items():
        summary["sql"] = dataset.select_of(name)
    return {"columns": {name: column.type for name, column in dataset.columns.items()}, **parts}


def is_applied(connection: Connection, dataset: Dataset) -> bool:
    """Return whether the tables of a dataset are those of this declaration."""
    return declared(connection, "dataset", dataset.name) == meaning(dataset)
