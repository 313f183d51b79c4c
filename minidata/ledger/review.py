"""Review: the files that wait for a person, and what closes them.

A file is open if it was refused, could not be loaded, or has rejected rows, until a later version of its key or a fix
of it is accepted, its content is accepted, or a person dismisses it. The column `open` of `mdp.files` says so.
"""

from typing import LiteralString

from psycopg.rows import class_row

from minidata.errors import PermanentError
from minidata.ledger.claims import lock_dataset
from minidata.ledger.files import FILE_COLUMNS, File
from minidata.store import ObjectVersion
from minidata.warehouse.connection import Connection

_REVIEW = "all datasets: review"  # no dataset has blanks in its name

# `n` is the file that has just reached its place. A copy of known content loads no rows, so it corrects none.
_ACCEPTED: LiteralString = """
    update mdp.files o set closed_at = clock_timestamp(), closed_by = 'version ' || n.version || ' of ' || n.key,
        closed_why = case when o.file_id = n.fixes then 'A fix was accepted.'
                          when o.key = n.key then 'A later version was accepted.'
                          when o.sha256 = n.sha256 then 'The same content was accepted.'
                          else 'Its corrected rows were accepted.' end
    from mdp.files n, lateral (
        select n.fixes as file_id
        union all
        select k.file_id from mdp.files k
        where k.open and k.key = n.key and (k.arrived_at, k.file_id) < (n.arrived_at, n.file_id)
            and (n.duplicate_of is null or k.state not in ('loaded', 'archived'))
        union all
        select k.file_id from mdp.files k
        where k.open and k.sha256 = n.sha256 and (k.arrived_at, k.file_id) < (n.arrived_at, n.file_id)
            and k.state not in ('loaded', 'archived')
        union all
        select k.file_id from mdp.files k
        where k.open and regexp_replace(k.rejects_key, '^.*/', '') = regexp_replace(n.key, '^.*/', '')
    ) closed
    where n.file_id = %(file_id)s and n.state in ('loaded', 'archived') and o.open and o.file_id = closed.file_id
"""
# A refused version: what was accepted after it has closed it already, and it takes the place of its own copies.
_OVERTAKEN: LiteralString = """
    update mdp.files o set closed_at = clock_timestamp(), closed_by = 'version ' || n.version || ' of ' || n.key,
        closed_why = case when o.key = n.key then 'A later version was accepted.'
                          else 'The same content was accepted.' end
    from mdp.files n
    where o.file_id = %(file_id)s and o.open and n.file_id = (
        select min(k.file_id) from mdp.files k
        where k.state in ('loaded', 'archived') and (k.arrived_at, k.file_id) > (o.arrived_at, o.file_id)
            and (k.key = o.key and (k.duplicate_of is null or o.state not in ('loaded', 'archived'))
                 or k.sha256 = o.sha256 and o.state not in ('loaded', 'archived'))
    )
"""
_REPEATED: LiteralString = """
    update mdp.files o set closed_at = clock_timestamp(), closed_by = 'version ' || n.version || ' of ' || n.key,
        closed_why = 'The same content was refused again.'
    from mdp.files n
    where n.file_id = %(file_id)s and n.state in ('invalid', 'quarantined')
        and o.open and o.state in ('invalid', 'quarantined') and o.key = n.key and o.sha256 = n.sha256
        and (o.arrived_at, o.file_id) < (n.arrived_at, n.file_id)
"""
_CONCERNED: LiteralString = """
    select n.file_id from mdp.files n where n.file_id = any(%s) and (
        n.open or n.fixes is not null
        or exists (select from mdp.files k where k.open and k.key = n.key)
        or exists (select from mdp.files k where k.open and k.sha256 = n.sha256)
        or exists (select from mdp.files k where k.open
            and regexp_replace(k.rejects_key, '^.*/', '') = regexp_replace(n.key, '^.*/', ''))
    ) order by n.file_id
"""


def lock_settling(connection: Connection) -> None:
    """Let one file at a time reach its place until the transaction ends, so that the second sees the first."""
    lock_dataset(connection, _REVIEW)


def settle(connection: Connection, file_ids: list[int]) -> None:
    """Close the entries that these files resolve, and their own if a later one was accepted first.

    Part of the transaction that enters their states, after `lock_settling`.
    """
    concerned = connection.execute(_CONCERNED, [file_ids]).fetchall()  # as a rule nothing is open
    for (file_id,) in concerned:
        for statement in (_ACCEPTED, _OVERTAKEN, _REPEATED):
            connection.execute(statement, {"file_id": file_id})


def reopen(connection: Connection, file_ids: list[int]) -> None:
    """Open again what files that are taken out have closed, unless another accepted file closes it as well.

    Part of the transaction that takes them out, after `lock_settling`.
    """
    rows = connection.execute(
        "update mdp.files o set closed_at = null, closed_by = null, closed_why = null from mdp.files n "
        "where n.file_id = any(%s) and o.closed_by = 'version ' || n.version || ' of ' || n.key returning o.file_id",
        [file_ids],
    ).fetchall()
    others = connection.execute(
        "select n.file_id from mdp.files o join mdp.files n on n.fixes = o.file_id or n.key = o.key "
        "or n.sha256 = o.sha256 or regexp_replace(o.rejects_key, '^.*/', '') = regexp_replace(n.key, '^.*/', '') "
        "where o.file_id = any(%s) and n.state in ('loaded', 'archived') order by n.file_id",
        [[file_id for (file_id,) in rows]],
    ).fetchall()
    settle(connection, [file_id for (file_id,) in others])


def dismiss(connection: Connection, keys: list[str], who: str, why: str | None) -> list[tuple[str, str]]:
    """Close all open versions of some keys on a user's request.

    Returns:
        Key and version of each.
    """
    return connection.execute(
        "update mdp.files set closed_at = clock_timestamp(), closed_by = %s, closed_why = %s "
        "where open and key = any(%s) returning key, version",
        [who, why or "Dismissed.", keys],
    ).fetchall()


def lock_to_fix(connection: Connection, file: File) -> None:
    """Lock a file until the caller's transaction ends, so that two people do not fix it at once.

    Raises:
        PermanentError: if it is no longer open, or another fix of it is on its way.
    """
    row = connection.execute(
        "select open, coalesce(closed_by, state::text) from mdp.files where file_id = %s for update", [file.file_id]
    ).fetchone()
    if row is None or not row[0]:
        by = f" It was closed by {row[1]}." if row else ""
        raise PermanentError(f"{file.key} is not open, so no fix was sent.{by}")
    other = connection.execute(
        "select version from mdp.files where fixes = %s and state in ('pending', 'claimed', 'loaded') limit 1",
        [file.file_id],
    ).fetchone()
    if other:
        raise PermanentError(
            f"Another fix of {file.key} is on its way, version {other[0]}, so this one was not sent. "
            "`./mdp wait` waits until it is processed."
        )


def register_fix(connection: Connection, version: ObjectVersion, dataset: str, fixes: int) -> None:
    """Enter a version that was sent to fix a file; a listing may have entered it already."""
    connection.execute(
        "insert into mdp.files (key, version, size, arrived_at, dataset, fixes) values (%s, %s, %s, %s, %s, %s) "
        "on conflict (key, version) do update set fixes = excluded.fixes",
        [version.key, version.version, version.size, version.modified, dataset, fixes],
    )
    connection.execute("select pg_notify('mdp_wake', '')")


def files_to_review(
    connection: Connection, *, keys: list[str] | None = None, closed: bool = False, limit: int | None = None
) -> list[File]:
    """Return the files that wait for a person, newest arrival first.

    Args:
        connection: to the warehouse, as `mdp_loader`.
        keys: of these alone.
        closed: also those that were closed.
        limit: at most so many.
    """
    query = (
        f"select {FILE_COLUMNS} from mdp.files f where (open or %(closed)s and closed_at is not null) "
        "and (%(keys)s::text[] is null or key = any(%(keys)s)) "
        "order by arrived_at desc, file_id desc limit %(limit)s"
    )
    if not closed:  # the planner must see that the partial index has all of them
        query = query.replace("(open or %(closed)s and closed_at is not null)", "open")
    values = {"keys": keys, "closed": closed, "limit": limit}
    return connection.cursor(row_factory=class_row(File)).execute(query, values).fetchall()


def files_like(connection: Connection, file_id: int) -> list[File]:
    """Return the open files of the same dataset with the same reasons in the same columns, the file itself first."""
    fault = (
        "array(select distinct concat(e->>'column', ' ', e->>'code') "
        "from json_array_elements(replace(f.entries::text, '\\u0000', '\\u2400')::json) e order by 1)"
    )
    query = (
        f"select {FILE_COLUMNS} from mdp.files f where open and dataset = %(dataset)s and reasons = %(reasons)s "
        f"and {fault} = (select {fault} from mdp.files f where f.file_id = %(file_id)s) "
        "order by f.file_id <> %(file_id)s, arrived_at, file_id"
    )
    row = connection.execute("select dataset, reasons from mdp.files where file_id = %s", [file_id]).fetchone()
    values = {"file_id": file_id, "dataset": row and row[0], "reasons": row and row[1]}
    return connection.cursor(row_factory=class_row(File)).execute(query, values).fetchall()


def count_open(connection: Connection) -> dict[str, int]:
    """Return how many files wait for a person: `quarantined` (or on the way there), `failed`, `rejects`."""
    rows = connection.execute(
        "select case when state in ('invalid', 'quarantined') then 'quarantined' when state = 'failed' then 'failed' "
        "else 'rejects' end, count(*) from mdp.files where open group by 1"
    ).fetchall()
    return {"quarantined": 0, "failed": 0, "rejects": 0} | dict(rows)
