"""What differs between a table that is loaded and its declaration: what can be changed in place, and what cannot."""

from collections.abc import Iterator

from psycopg import sql

from minidata.warehouse.declared import Declared
from minidata.warehouse.tables import Table

Change = tuple[str, sql.Composed]


def differences(
    table: Table, found: dict[str, str], keys: list[str], before: Declared | None, after: Declared
) -> tuple[list[Change], list[str]]:
    """Compare a table with its declaration.

    Args:
        table: as declared.
        found: the type of each column that the table has.
        keys: the columns of its primary key.
        before: what was applied last (`declared.meaning`); None if that is not known.
        after: what is to be applied.

    Returns:
        The changes that keep all rows right, and what cannot be done without reading all files again.
    """
    changes: list[Change] = []
    refused: list[str] = []
    place = sql.Identifier(table.schema, table.name)
    for column in [*table.columns, *(c for c in found if c not in table.columns)]:
        declared, has = table.columns.get(column), found.get(column)
        if declared and has is None and not declared.endswith(" not null"):
            add = sql.SQL("alter table {} add column {} {}").format(place, sql.Identifier(column), sql.SQL(declared))
            changes.append((f"add the column {column}", add))
        elif declared and has == f"{declared} not null":
            null = sql.SQL("alter table {} alter column {} drop not null").format(place, sql.Identifier(column))
            changes.append((f"allow null in the column {column}", null))
        elif (declared or "").removesuffix(" not null") != (has or "").removesuffix(" not null"):
            refused.append(f"column {_named(column, has)} (declared: {_named(column, declared)})")
    if keys != table.keys:
        refused.append(f"key {', '.join(keys) or 'none'} (declared: {', '.join(table.keys)})")
    if before and not refused:
        refused += _changed_meaning(table.name, before, after)
    return changes, refused


def _named(column: str, type_: str | None) -> str:
    return f"{column} {type_.removesuffix(' not null')}" if type_ else "none"


def _changed_meaning(name: str, before: Declared, after: Declared) -> Iterator[str]:
    """Yield what the loaded rows of a table that rows are merged into do not have as it is declared now."""
    new = {column for column in after["columns"] if column not in before["columns"]}
    for kind in ("rollups", "newest", "every"):
        old, now = before.get(kind, {}).get(name), after.get(kind, {}).get(name)
        if now is None or old == now:
            continue
        if old is None:
            others = [other for other in ("rollups", "newest", "every", "summaries") if name in before.get(other, {})]
            if others:
                yield f"it was declared in `{others[0]}` and is now in `{kind}`"
            continue
        for part, left, right in _parts(old, now):
            if left is None and part.startswith(("measures", "latest")) and _source(right) in new:
                continue  # no row that is loaded can have a value in it
            yield f"{part} was {_shown(left)} and is now {_shown(right)}"


def _parts(old: Declared, now: Declared) -> Iterator[tuple[str, object, object]]:
    left, right = _flat(old), _flat(now)
    for part in [*right, *(p for p in left if p not in right)]:
        if left.get(part) != right.get(part):
            yield part, left.get(part), right.get(part)


def _flat(table: Declared) -> Declared:
    """Return the parts of a table's declaration by path; the order of the latest columns decides between equal rows."""
    parts: Declared = {}
    for part, value in table.items():
        if part == "latest":
            parts |= {"latest by": value["by"]} | {f"latest {column}": column for column in value["columns"]}
        elif isinstance(value, dict):
            parts |= {f"{part} {name}": inner for name, inner in value.items()}
        else:
            parts[part] = value
    return parts


def _source(value: object) -> object:
    """Return the column of the file that a latest column or a measure is made from."""
    if isinstance(value, dict):
        return value.get("max") or value.get("min")
    return value


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {v}" for k, v in value.items() if v is not None) + "}"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "not declared" if value is None else str(value)
