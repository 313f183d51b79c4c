"""Files: how versions come into the ledger, and how they are read from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg.rows import class_row, dict_row

from minidata.dataset import Dataset, dataset_of
from minidata.store import ObjectVersion
from minidata.warehouse.connection import Connection

_REGISTER_AT_ONCE = 1000


def register(
    connection: Connection, versions: Iterable[ObjectVersion], datasets: Iterable[Dataset], default: str
) -> int:
    """Enter versions that the ledger has not seen, as pending; keys that end in `/` are folders, not files.

    Args:
        connection: to the warehouse, as `mdp_loader`.
        versions: of the bucket `raw`.
        datasets: that a key may belong to.
        default: the dataset of all other keys.

    Returns:
        How many were new.
    """
    known = list(datasets)
    new = 0
    rows: list[tuple[str, str, int, datetime, str]] = []

    def enter() -> int:
        keys, ids, sizes, arrivals, names = map(list, zip(*rows, strict=True))
        # unnest keeps it one statement however many there are; anti-join, for a listing is mostly old news
        count = connection.execute(
            "insert into mdp.files (key, version, size, arrived_at, dataset) "
            "select n.* from unnest(%s::text[], %s::text[], %s::bigint[], %s::timestamptz[], %s::text[]) "
            "as n (key, version, size, arrived_at, dataset) "
            "where not exists (select from mdp.files f where f.key = n.key and f.version = n.version) "
            "order by arrived_at, key, version on conflict (key, version) do nothing",
            [keys, ids, sizes, arrivals, names],
        ).rowcount
        connection.commit()
        rows.clear()
        return count

    for version in versions:
        if not version.key.endswith("/"):
            name = dataset_of(version.key, known, default)
            rows.append((version.key, version.version, version.size, version.modified, name))
        if len(rows) >= _REGISTER_AT_ONCE:
            new += enter()
    return new + (enter() if rows else 0)


@dataclass(frozen=True)
class BatchFile:
    """A file as the steps of a batch see it.

    Attributes:
        state: `claimed`, then `loaded` or `invalid`.
        validated: whether a verdict stands in the ledger.
        sha256: of the stored bytes, once read.
        rows_good: rows that passed, once read.
    """

    file_id: int
    key: str
    version: str
    size: int
    arrived_at: datetime
    dataset: str
    state: str
    validated: bool
    sha256: str | None
    rows_good: int | None
    rows_rejected: int | None
    duplicate_of: int | None

    @property
    def object(self) -> ObjectVersion:
        """The version in `raw` that this row stands for."""
        return ObjectVersion(self.key, self.version, self.size, self.arrived_at)


BATCH_FILE: LiteralString = (
    "file_id, key, version, size, arrived_at, dataset, state::text as state, "
    "validated_at is not null as validated, sha256, rows_good, rows_rejected, duplicate_of"
)


def batch_files(connection: Connection, batch_id: int) -> list[BatchFile]:
    """Return the files of a batch, oldest arrival first."""
    with connection.cursor(row_factory=class_row(BatchFile)) as cursor:
        query = f"select {BATCH_FILE} from mdp.files where batch_id = %s order by arrived_at, file_id"
        found = cursor.execute(query, [batch_id]).fetchall()
    connection.commit()
    return found


@dataclass(frozen=True)
class File:
    """A row of the ledger, as people and scripts see it; `duplicate_of` is the key of the first with its content."""

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
    archive_key: str | None
    rejects_key: str | None
    sha256: str | None
    duplicate_of: str | None
    error: str | None


FILE: LiteralString = (
    "file_id, key, version, size, dataset, state::text as state, reasons, message, rows_loaded, rows_rejected, "
    "counts, drift, attempts, arrived_at, loaded_at, archive_key, rejects_key, sha256, error, "
    "(select original.key from mdp.files original where original.file_id = f.duplicate_of) as duplicate_of"
)


def find_files(
    connection: Connection,
    *,
    state: str | None = None,
    key: str | None = None,
    prefix: str | None = None,
    limit: int | None = None,
) -> list[File]:
    """Return rows of the ledger, newest arrival first.

    Args:
        connection: to the warehouse.
        state: only files in this state.
        key: only versions of this key.
        prefix: only keys that begin with this.
        limit: at most so many.
    """
    with connection.cursor(row_factory=class_row(File)) as cursor:
        query = (
            f"select {FILE} from mdp.files f where (%(state)s::text is null or state::text = %(state)s) "
            "and (%(key)s::text is null or key = %(key)s) "
            "and (%(prefix)s::text is null or starts_with(key, %(prefix)s)) "
            "order by arrived_at desc, file_id desc limit %(limit)s"
        )
        found = cursor.execute(query, {"state": state, "key": key, "prefix": prefix, "limit": limit}).fetchall()
    connection.commit()
    return found


def file_entries(connection: Connection, file_id: int) -> list[dict[str, Any]]:
    """Return what was wrong in a file and where: `line`, `column`, `code`, `value` of each entry."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute("select entries from mdp.files where file_id = %s", [file_id]).fetchone()
    connection.commit()
    return list(row["entries"]) if row else []


def reasons_page(connection: Connection, file_id: int) -> dict[str, Any]:
    """Return all that a person needs to mend a file.

    Returns:
        `key`, `version`, `arrived_at`, `size`, `sha256`, `reasons` (codes), `message` (what to mend), `rows_good`,
        `rows_rejected`, `counts` (by reason code, exact), `drift` (unknown columns) and `entries` (`line`,
        `column`, `code`, `value`; of the first 1,000 rejected records).
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            "select key, version, arrived_at, size, sha256, reasons, message, rows_good, rows_rejected, counts, "
            "drift, entries from mdp.files where file_id = %s",
            [file_id],
        ).fetchone()
    connection.commit()
    if row is None:
        return {}
    return {**row, "arrived_at": row["arrived_at"].isoformat()}


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
    ).fetchall()
    connection.commit()
    return [FileOutcome(*row) for row in rows]


def count_states(connection: Connection) -> dict[str, int]:
    """Return how many files are in each state that occurs."""
    rows = connection.execute("select state::text, count(*) from mdp.files group by state order by state").fetchall()
    connection.commit()
    return dict(rows)


def any_rows_loaded(connection: Connection) -> bool:
    """Tell whether a file with rows was ever loaded."""
    found = connection.execute("select from mdp.files where rows_loaded > 0 limit 1").rowcount
    connection.commit()
    return found > 0


def newest_load_age(connection: Connection) -> float | None:
    """Return the seconds since the last load, or None if there was none."""
    row = connection.execute(
        "select extract(epoch from clock_timestamp() - max(loaded_at))::float8 from mdp.files"
    ).fetchone()
    connection.commit()
    return row[0] if row else None


def upload_to_row(connection: Connection) -> dict[str, float | None]:
    """Return `p50` and `p95` of the seconds from upload to row over the last `n` files with rows, at most 200."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            "select percentile_cont(0.5) within group (order by s) as p50, "
            "percentile_cont(0.95) within group (order by s) as p95, count(*) as n "
            "from (select extract(epoch from loaded_at - arrived_at)::float8 as s from mdp.files "
            "where loaded_at is not null and rows_loaded > 0 order by loaded_at desc limit 200) t"
        ).fetchone()
    connection.commit()
    return row or {}
