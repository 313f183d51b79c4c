"""Contents: what the tables of a dataset are made of, and how a person takes a file out of them and back in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from psycopg.rows import class_row
from psycopg.types.json import Json

from minidata.warehouse.connection import Connection


@dataclass(frozen=True)
class Content:
    """An accepted or excluded file, and where its bytes are.

    Attributes:
        file_id: its id in the ledger.
        key: under which it was uploaded.
        version: of the key.
        size: in bytes, as stored.
        arrived_at: when it arrived.
        dataset: of its rows.
        sha256: of the stored bytes.
        rows_good: accepted rows.
        state: `loaded` (its bytes are in `raw`), `archived` or `excluded` (they are in the archive).
        archive_key: its key in the archive, once it is there.
        ranges: least and greatest value of its columns, for good rows; None if they are not known.
        duplicate_of: the file whose rows are in the tables in place of its own.
    """

    file_id: int
    key: str
    version: str
    size: int
    arrived_at: datetime
    dataset: str
    sha256: str
    rows_good: int
    state: str
    archive_key: str | None
    duplicate_of: int | None
    ranges: dict[str, list[str | int]] | None


@dataclass(frozen=True)
class Choice:
    """Which files a person means; every condition that is set must hold.

    Attributes:
        keys: exact keys.
        patterns: keys with `*` for any text and `?` for one character; a key matches one of `keys` and `patterns`.
        version: of the key.
        since: the earliest arrival.
        until: the arrival before which it came.
        run: the run that loaded it.
    """

    keys: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    version: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    run: str | None = None


_CONTENT: LiteralString = (
    "file_id, key, version, size, arrived_at, dataset, sha256, rows_good, state::text, archive_key, duplicate_of, "
    "ranges"
)
# One text for one choice. LIKE has other wildcards: `*` and `?` become them after its own are escaped.
_CHOSEN: LiteralString = (
    "(%(any)s or key = any(%(keys)s) or exists (select from unnest(%(patterns)s::text[]) p where key like "
    r"replace(replace(regexp_replace(p, '([\\%%_])', '\\\1', 'g'), '*', '%%'), '?', '_'))) "
    "and (%(version)s::text is null or version = %(version)s) "
    "and (%(since)s::timestamptz is null or arrived_at >= %(since)s) "
    "and (%(until)s::timestamptz is null or arrived_at < %(until)s) "
    "and (%(run)s::text is null or loaded_in in (select batch_id from mdp.batches where run = %(run)s))"
)


def chosen_files(connection: Connection, choice: Choice) -> list[int]:
    """Return the ids of the files of a choice, in every state, oldest arrival first."""
    values = {
        "any": not choice.keys and not choice.patterns,
        "keys": list(choice.keys),
        "patterns": list(choice.patterns),
        "version": choice.version,
        "since": choice.since,
        "until": choice.until,
        "run": choice.run,
    }
    query = f"select file_id from mdp.files where {_CHOSEN} order by arrived_at, file_id"
    return [file_id for (file_id,) in connection.execute(query, values)]


def contents(connection: Connection, file_ids: Iterable[int]) -> list[Content]:
    """Return some files that have been validated, oldest arrival first."""
    query = f"select {_CONTENT} from mdp.files where file_id = any(%s) order by arrived_at, file_id"
    return connection.cursor(row_factory=class_row(Content)).execute(query, [list(file_ids)]).fetchall()


def accepted_contents(connection: Connection, dataset: str, *, without: Iterable[int] = ()) -> list[Content]:
    """Return what the tables of a dataset are made of: each accepted content once, oldest arrival first.

    Of several files with one content it is the one that arrived last: it has every good row of the others.

    Args:
        connection: to the warehouse.
        dataset: its name.
        without: files that do not count.
    """
    query = (
        f"select * from (select distinct on (sha256) {_CONTENT} from mdp.files "
        "where dataset = %s and state in ('loaded', 'archived') and file_id <> all(%s) "
        "order by sha256, arrived_at desc, file_id desc) c order by arrived_at, file_id"
    )
    cursor = connection.cursor(row_factory=class_row(Content))
    return cursor.execute(query, [dataset, list(without)]).fetchall()


def record_ranges(connection: Connection, file_id: int, ranges: Mapping[str, list[str | int]]) -> None:
    """Enter the least and the greatest value of a file's columns."""
    connection.execute("update mdp.files set ranges = %s where file_id = %s", [Json(ranges), file_id])


def being_loaded(connection: Connection, files: Iterable[Content]) -> list[str]:
    """Return the keys of the files with one of these contents that a batch is loading now.

    Until the caller's transaction ends, no file enters or leaves a state.
    """
    connection.execute("lock table mdp.files in share row exclusive mode")
    rows = connection.execute(
        "select key from mdp.files where state = 'claimed' and sha256 = any(%s) and validated_at is not null",
        [[file.sha256 for file in files]],
    )
    return [key for (key,) in rows]


def mark_excluded(connection: Connection, files: Iterable[Content], who: str, why: str | None) -> None:
    """Enter that files were taken out; a copy of such a content takes its place. In the caller's transaction."""
    ids = [file.file_id for file in files]
    connection.execute(
        "update mdp.files set state = 'excluded', excluded_at = clock_timestamp(), excluded_by = %s, "
        "excluded_why = %s, rows_loaded = 0, duplicate_of = null where file_id = any(%s)",
        [who, why, ids],
    )
    connection.execute(
        "with best as (select distinct on (sha256, dataset) file_id, sha256, dataset from mdp.files "
        "where state in ('loaded', 'archived') and (sha256, dataset) in "
        "(select sha256, dataset from mdp.files where file_id = any(%(ids)s)) "
        "order by sha256, dataset, arrived_at desc, file_id desc) "
        "update mdp.files f set duplicate_of = nullif(b.file_id, f.file_id), "
        "rows_loaded = case when f.file_id = b.file_id then f.rows_good else 0 end "
        "from best b where f.sha256 = b.sha256 and f.dataset = b.dataset and f.state in ('loaded', 'archived') "
        "and (f.file_id = b.file_id or f.duplicate_of = any(%(ids)s))",
        {"ids": ids},
    )


def mark_included(connection: Connection, file: Content, duplicate_of: int | None) -> None:
    """Enter that a file is back in the tables, or that another one has its content. In the caller's transaction."""
    connection.execute(
        "update mdp.files set state = 'archived', excluded_at = null, excluded_by = null, excluded_why = null, "
        "duplicate_of = %(other)s, rows_loaded = case when %(other)s::bigint is null then rows_good else 0 end "
        "where file_id = %(file)s",
        {"other": duplicate_of, "file": file.file_id},
    )


def original_of(connection: Connection, file: Content, *, by_arrival: bool) -> int | None:
    """Return the loaded file that has every row of an excluded one, if there is one.

    Args:
        connection: to the warehouse.
        file: the excluded file.
        by_arrival: a table keeps the rows that arrived last, so only a later arrival has them.
    """
    row = connection.execute(
        "select min(file_id) from mdp.files where sha256 = %s and dataset = %s and state in ('loaded', 'archived') "
        "and duplicate_of is null and rows_good >= %s and (arrived_at >= %s or not %s)",
        [file.sha256, file.dataset, file.rows_good, file.arrived_at, by_arrival],
    ).fetchone()
    return row[0] if row else None


def mark_checked_again(connection: Connection, rows_good: dict[int, int]) -> None:
    """Enter how many rows of some files are good by the current rules. In the caller's transaction."""
    connection.execute(
        "update mdp.files f set rows_good = n.good, ranges = null, "
        "rows_loaded = case when f.duplicate_of is null then n.good else 0 end "
        "from unnest(%s::bigint[], %s::bigint[]) as n (file_id, good) where f.file_id = n.file_id",
        [list(rows_good), list(rows_good.values())],
    )
