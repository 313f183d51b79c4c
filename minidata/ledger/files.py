"""Files: the ledger as people and scripts read it, and another chance for files that failed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, LiteralString, NamedTuple

from psycopg.rows import class_row

from minidata.warehouse.connection import Connection


class FileState(StrEnum):
    """States of a file."""

    PENDING = "pending"
    CLAIMED = "claimed"
    LOADED = "loaded"
    ARCHIVED = "archived"
    INVALID = "invalid"
    QUARANTINED = "quarantined"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    EXCLUDED = "excluded"


@dataclass(frozen=True)
class File:
    """A row of the ledger, as people and scripts see it.

    Attributes:
        duplicate_of: key of the first file with its content.
        fixes: version that it was sent to fix.
        open: whether it waits for a person; if it did, `closed_by` names what or who closed it, and `why`.
    """

    file_id: int
    key: str
    version: str
    size: int
    dataset: str
    state: str
    reasons: list[str]
    message: str | None
    rows_loaded: int | None
    rows_rejected: int | None
    counts: dict[str, int]
    drift: list[str]
    attempts: int
    arrived_at: datetime
    loaded_at: datetime | None
    registered_at: datetime
    claimed_at: datetime | None
    validated_at: datetime | None
    moved_at: datetime | None
    archive_key: str | None
    rejects_key: str | None
    sha256: str | None
    duplicate_of: str | None
    error: str | None
    fixes: str | None
    open: bool
    closed_at: datetime | None
    closed_by: str | None
    why: str | None
    excluded_at: datetime | None
    excluded_by: str | None
    excluded_why: str | None


FILE_COLUMNS: LiteralString = (
    "file_id, key, version, size, dataset, state::text, reasons, message, rows_loaded, rows_rejected, "
    "counts, drift, attempts, arrived_at, loaded_at, archive_key, rejects_key, sha256, error, "
    "registered_at, claimed_at, validated_at, moved_at, "
    "open, closed_at, closed_by, closed_why as why, excluded_at, excluded_by, excluded_why, "
    "(select fixed.version from mdp.files fixed where fixed.file_id = f.fixes) as fixes, "
    "(select original.key from mdp.files original where original.file_id = f.duplicate_of) as duplicate_of"
)


_CONDITIONS: dict[str, LiteralString] = {
    "file_id": "file_id = %(file_id)s",
    "state": "state = %(state)s::mdp.file_state",
    "key": "key = %(key)s",
    "prefix": "starts_with(key, %(prefix)s)",
    "datasets": "dataset = any(%(datasets)s)",
    "since": "arrived_at >= %(since)s",
    "until": "arrived_at < %(until)s",
    "after": "(arrived_at, file_id) < (%(after)s, %(after_id)s)",
}


def find_files(
    connection: Connection,
    *,
    file_id: int | None = None,
    state: str | None = None,
    key: str | None = None,
    prefix: str | None = None,
    datasets: Collection[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    open_only: bool = False,
    after: tuple[datetime, int] | None = None,
    limit: int | None = None,
) -> list[File]:
    """Return the rows of the ledger that meet all given conditions, newest arrival first.

    Args:
        connection: to the warehouse, as `mdp_loader`.
        file_id: of one row.
        state: one of the states.
        key: all its versions.
        prefix: how the keys begin.
        datasets: names.
        since: arrived then or later.
        until: arrived before.
        open_only: only those that wait for a person.
        after: arrival and `file_id` of the last row of the page before.
        limit: at most so many.
    """
    values = {
        "file_id": file_id,
        "state": state,
        "key": key,
        "prefix": prefix,
        "datasets": None if datasets is None else list(datasets),
        "since": since,
        "until": until,
        "after": after and after[0],
    }
    conditions = [condition for name, condition in _CONDITIONS.items() if values[name] is not None]
    where = " and ".join([*conditions, "open" if open_only else "true"])
    query = (
        f"select {FILE_COLUMNS} from mdp.files f where {where} order by arrived_at desc, file_id desc limit %(limit)s"
    )
    cursor = connection.cursor(row_factory=class_row(File))
    return cursor.execute(query, values | {"after_id": after and after[1], "limit": limit}).fetchall()


def retry_failed(
    connection: Connection,
    keys: list[str] | None = None,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[tuple[str, str]]:
    """Make failed files pending again as if they had just arrived: no attempts, no suspicion.

    Args:
        connection: to the warehouse, as `mdp_loader`.
        keys: only these.
        since: only files that arrived then or later.
        until: only files that arrived before.

    Returns:
        Key and version of each, oldest arrival first.
    """
    with connection.transaction():
        rows = connection.execute(
            "with again as (update mdp.files set state = 'pending', attempts = 0, error = null, "
            "due_at = clock_timestamp(), suspect_batch = null, suspect_files = null, "
            "closed_at = null, closed_by = null, closed_why = null "
            "where state = 'failed' and (%(keys)s::text[] is null or key = any(%(keys)s)) "
            "and (%(since)s::timestamptz is null or arrived_at >= %(since)s) "
            "and (%(until)s::timestamptz is null or arrived_at < %(until)s) "
            "returning key, version, arrived_at, file_id) "
            "select key, version from again order by arrived_at, file_id",
            {"keys": keys, "since": since, "until": until},
        ).fetchall()
        connection.execute("select pg_notify('mdp_wake', '')")
    return rows


def file_entries(connection: Connection, file_id: int) -> list[dict[str, Any]]:
    """Return what is wrong in a file and where: `line`, `column`, `code`, `value` of each entry."""
    row = connection.execute("select entries from mdp.files where file_id = %s", [file_id]).fetchone()
    return list(row[0]) if row else []


class FileOutcome(NamedTuple):
    """How far a file has come: its state, its reason codes, and the rows that were rejected, once counted."""

    key: str
    version: str
    state: str
    reasons: list[str]
    rows_rejected: int | None


def states_of(connection: Connection, versions: Sequence[tuple[str, str]]) -> list[FileOutcome]:
    """Return the outcome of those (key, version) that the ledger knows, oldest entry first."""
    rows = connection.execute(
        "select f.key, f.version, f.state::text, f.reasons, f.rows_rejected from mdp.files f "
        "join unnest(%s::text[], %s::text[]) as p (key, version) using (key, version) order by f.file_id",
        [[key for key, _ in versions], [version for _, version in versions]],
    )
    return [FileOutcome(*row) for row in rows]


def count_states(connection: Connection) -> dict[str, int]:
    """Return how many files are in each state that occurs; of quarantined and failed ones, those that are open."""
    return dict(
        connection.execute(
            "select state::text, count(*) from mdp.files where open or state not in ('quarantined', 'failed') "
            "group by state order by state"
        ).fetchall()
    )


def any_rows_loaded(connection: Connection) -> bool:
    """Return whether a file with rows was ever loaded."""
    return connection.execute("select from mdp.files where rows_loaded > 0 limit 1").rowcount > 0


def load_times(connection: Connection) -> dict[str, float | None]:
    """Return `p50` and `p95` of the seconds from upload to row in the last `n` loads of files with rows, at most 200.

    The percentiles are None without any load.
    """
    p50, p95, n = connection.execute(
        "select percentile_cont(0.5) within group (order by s), percentile_cont(0.95) within group (order by s), "
        "count(*) from (select extract(epoch from loaded_at - arrived_at)::float8 as s from mdp.files "
        "where loaded_at is not null and rows_loaded > 0 order by loaded_at desc limit 200) t"
    ).fetchone() or (None, None, 0)
    return {"p50": p50, "p95": p95, "n": n}


class RunTimes(NamedTuple):
    """When the files that a run loaded had come how far: the first arrival, the last entry, and the commit."""

    dataset: str
    run: str
    files: int
    arrived_at: datetime
    registered_at: datetime
    loaded_at: datetime


def run_times(connection: Connection, limit: int) -> list[RunTimes]:
    """Return the times of the last runs that loaded rows, at most so many, the newest first."""
    rows = connection.execute(
        "select b.dataset, b.run, f.* from (select batch_id, dataset, run from mdp.batches where report ? 'load' "
        "order by batch_id desc limit %s) b, lateral (select count(*), min(arrived_at), max(registered_at), "
        "max(loaded_at) from mdp.files where loaded_in = b.batch_id and rows_loaded > 0 having count(*) > 0) f "
        "order by b.batch_id desc",
        [limit],
    )
    return [RunTimes(*row) for row in rows]
