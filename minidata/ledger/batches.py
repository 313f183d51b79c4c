"""Batches: their files, and what the steps commit about them while the batch is alive."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, LiteralString, NamedTuple

from psycopg.rows import class_row, dict_row
from psycopg.types.json import Json, Jsonb

from minidata.ledger.claims import Batch, locked_batch
from minidata.ledger.review import lock_settling, settle
from minidata.store import ObjectVersion
from minidata.warehouse.connection import Connection

if TYPE_CHECKING:
    from minidata.contract import Verdict  # half a second that most commands need not pay
    from minidata.rollup import Ranges

_LONGEST_DELAY = timedelta(minutes=1)
_NO_COLUMN: list[str | None] = [None]


@dataclass(frozen=True)
class BatchFile:
    """A file as the steps of a batch see it.

    Attributes:
        state: `claimed`, then `loaded` or `invalid`.
        validated: whether the ledger has its verdict.
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

    @property
    def valid(self) -> bool:
        """Whether it has passed validation and is not loaded yet."""
        return self.state == "claimed" and self.validated

    @property
    def object(self) -> ObjectVersion:
        """Its version in `raw`."""
        return ObjectVersion(self.key, self.version, self.size, self.arrived_at)


_COLUMNS: LiteralString = (
    "file_id, key, version, size, arrived_at, dataset, state::text, validated_at is not null as validated, "
    "sha256, rows_good"
)


def batch_files(connection: Connection, batch_id: int) -> list[BatchFile]:
    """Return the files of a batch, oldest arrival first."""
    query = f"select {_COLUMNS} from mdp.files where batch_id = %s order by arrived_at, file_id"
    return connection.cursor(row_factory=class_row(BatchFile)).execute(query, [batch_id]).fetchall()


class Validated(NamedTuple):
    """What validation found of a file: the verdict, the key of its rejected rows, and the ranges of its good ones."""

    file_id: int
    verdict: "Verdict"
    rejects_key: str | None
    ranges: "Ranges"


def record_verdicts(connection: Connection, batch_id: int, found: Iterable[Validated]) -> None:
    """Enter what validation found, all at once; an invalid file is `invalid` from now on, its move outstanding.

    Raises:
        ClaimLostError: if the batch has ended.
    """
    with locked_batch(connection, batch_id), connection.cursor() as cursor:
        cursor.executemany(
            "update mdp.files set validated_at = clock_timestamp(), sha256 = %(sha256)s, "
            "reasons = %(reasons)s, message = %(message)s, rows_good = %(good)s, rows_rejected = %(rejected)s, "
            "rows_loaded = case when %(invalid)s then 0 end, counts = %(counts)s, entries = %(entries)s, "
            "drift = %(drift)s, rejects_key = %(rejects_key)s, ranges = %(ranges)s, "
            "state = (case when %(invalid)s then 'invalid' else 'claimed' end)::mdp.file_state "
            "where file_id = %(file_id)s and batch_id = %(batch_id)s and state = 'claimed'",
            [_columns_of(file) | {"batch_id": batch_id} for file in found],
        )


def _columns_of(file: Validated) -> dict[str, Any]:
    verdict = file.verdict
    reason = verdict.reason
    entries = [entry._asdict() for entry in verdict.entries]
    if reason is not None and not entries:
        entries = [
            {"line": None, "column": column, "code": reason.code, "value": None}
            for column in reason.columns or _NO_COLUMN
        ]
    return {
        "sha256": verdict.sha256,
        "reasons": [reason.code] if reason else [],
        # it may quote the file, and text in PostgreSQL cannot hold U+0000
        "message": reason.message.replace("\0", "\\0") if reason else None,
        "good": verdict.rows_good,
        "rejected": verdict.rows_rejected,
        "invalid": reason is not None,
        "counts": Jsonb(verdict.counts),
        # json, not jsonb: a value may hold U+0000, which only the text form can carry
        "entries": Json(entries, dumps=json.dumps),
        "drift": Json(verdict.drift, dumps=json.dumps),
        "rejects_key": file.rejects_key,
        "ranges": Json(file.ranges),
        "file_id": file.file_id,
    }


def mark_superseded(connection: Connection, batch_id: int, file_id: int, message: str) -> None:
    """Enter that a version is not loaded because it was gone or deleted; the message says which.

    Raises:
        ClaimLostError: if the batch has ended.
    """
    with locked_batch(connection, batch_id):
        connection.execute(
            "update mdp.files set state = 'superseded', moved_at = clock_timestamp(), batch_id = null, "
            "message = %s where file_id = %s and batch_id = %s and state = 'claimed'",
            [message, file_id, batch_id],
        )


def duplicates(connection: Connection, batch_id: int, *, by_arrival: bool = False) -> dict[int, int]:
    """Find the files of a batch whose content is loaded already, or comes twice in the batch.

    A later copy can have more good rows: fewer timestamps are rejected as future. It is loaded as well: whichever
    of the two is loaded first, the rows in the tables are the same in the end.

    Args:
        connection: of the loader.
        batch_id: the batch.
        by_arrival: a table keeps the rows that arrived last, so every later arrival is loaded as well.

    Returns:
        The id of the file that has the content, by the id of the file that repeats it.
    """
    rows = connection.execute(
        "select f.file_id, coalesce("
        "(select min(o.file_id) from mdp.files o where o.sha256 = f.sha256 and o.dataset = f.dataset "
        "and o.state in ('loaded', 'archived') and o.duplicate_of is null and o.rows_good >= f.rows_good "
        "and (o.arrived_at >= f.arrived_at or not %(by_arrival)s)), "
        "first_value(f.file_id) over (partition by f.sha256 order by f.rows_good desc, "
        "case when %(by_arrival)s then f.arrived_at end desc, f.arrived_at, f.file_id)) "
        "as original "
        "from mdp.files f where f.batch_id = %(batch)s and f.state = 'claimed' and f.validated_at is not null",
        {"batch": batch_id, "by_arrival": by_arrival},
    )
    return {file_id: original for file_id, original in rows if file_id != original}


def new_files(
    connection: Connection, batch_id: int, *, by_arrival: bool = False
) -> tuple[list[BatchFile], dict[int, int]]:
    """Return the valid files of a batch whose content is not loaded yet, and what `duplicates` finds."""
    repeated = duplicates(connection, batch_id, by_arrival=by_arrival)
    return [f for f in batch_files(connection, batch_id) if f.valid and f.file_id not in repeated], repeated


def mark_loaded(connection: Connection, batch_id: int, repeated: dict[int, int]) -> None:
    """Enter that the rows of a batch are in, and that files in `repeated`, of `duplicates`, are loaded with no rows.

    The caller's transaction commits it together with the rows.
    """
    connection.execute(
        "update mdp.files f set state = 'loaded', loaded_at = clock_timestamp(), due_at = clock_timestamp(), "
        "suspect_batch = null, suspect_files = null, duplicate_of = d.original, loaded_in = g.batch_id, "
        "rows_loaded = case when d.original is null then f.rows_good else 0 end "
        "from mdp.files g left join unnest(%s::bigint[], %s::bigint[]) as d (file_id, original) "
        "on d.file_id = g.file_id "
        "where g.batch_id = %s and g.state = 'claimed' and g.validated_at is not null "
        "and f.file_id = g.file_id",
        [list(repeated), list(repeated.values()), batch_id],
    )


def due_moves(connection: Connection, batch_id: int) -> list[BatchFile]:
    """Return the files of a batch that are loaded or invalid and still in `raw`, oldest arrival first."""
    return [file for file in batch_files(connection, batch_id) if file.state in {"loaded", "invalid"}]


def mark_moved(connection: Connection, moved: Mapping[int, str]) -> None:
    """Enter that files are in their places and gone from `raw`, and close what waited for them.

    Args:
        connection: to the warehouse, as `mdp_loader`.
        moved: the new key of each, by file id.
    """
    with connection.transaction():
        lock_settling(connection)
        connection.execute(
            "update mdp.files f set state = (case f.state when 'loaded' then 'archived' else 'quarantined' end)"
            "::mdp.file_state, archive_key = m.key, moved_at = clock_timestamp(), batch_id = null, error = null "
            "from unnest(%s::bigint[], %s::text[]) as m (file_id, key) "
            "where f.file_id = m.file_id and f.state in ('loaded', 'invalid')",
            [list(moved), list(moved.values())],
        )
        settle(connection, list(moved))


def postpone_move(connection: Connection, file: BatchFile, error: str) -> None:
    """Enter that a move failed; it is due again after as long as it has been outstanding, at most a minute."""
    connection.execute(
        "update mdp.files set error = %s, batch_id = null, due_at = clock_timestamp() + "
        "least(interval '1 second' + clock_timestamp() - coalesce(loaded_at, validated_at), %s) "
        "where file_id = %s and state in ('loaded', 'invalid')",
        [error, _LONGEST_DELAY, file.file_id],
    )


def reasons_page(connection: Connection, file_id: int) -> dict[str, Any]:
    """Return all that a person needs to fix a file, as JSON values.

    Returns:
        `key`, `version`, `arrived_at`, `size`, `sha256`, `reasons` (codes), `message` (the fix), `rows_good`,
        `rows_rejected`, `counts` (by reason code, exact), `drift` (unknown columns) and `entries` (`line`,
        `column`, `code`, `value`; of the first 1,000 rejected records). Empty if there is no such file.
    """
    query = (
        "select key, version, arrived_at, size, sha256, reasons, message, rows_good, rows_rejected, counts, "
        "drift, entries from mdp.files where file_id = %s"
    )
    row = connection.cursor(row_factory=dict_row).execute(query, [file_id]).fetchone()
    return {**row, "arrived_at": row["arrived_at"].isoformat()} if row else {}


def report_step(connection: Connection, batch_id: int, step: str, counts: Mapping[str, float]) -> None:
    """Keep what a step counted in the report of its batch."""
    connection.execute(
        "update mdp.batches set report = report || %s where batch_id = %s", [Jsonb({step: counts}), batch_id]
    )


def step_counts(connection: Connection, batch_id: int, step: str) -> dict[str, int]:
    """Return what an earlier step of a batch counted; empty if it has not run."""
    row = connection.execute("select report->%s from mdp.batches where batch_id = %s", [step, batch_id]).fetchone()
    return dict(row[0]) if row and row[0] else {}


def unswept_batches(connection: Connection, hours: float) -> list[Batch]:
    """Return at most 20 batches that ended so many hours ago and may still have objects in staging, oldest first."""
    query = (
        "select batch_id, token::text, dataset from mdp.batches "
        "where swept_at is null and ended_at < clock_timestamp() - %s order by batch_id limit 20"
    )
    return connection.cursor(row_factory=class_row(Batch)).execute(query, [timedelta(hours=hours)]).fetchall()


def mark_swept(connection: Connection, batch_id: int) -> None:
    """Enter that a batch has nothing left in staging."""
    connection.execute("update mdp.batches set swept_at = clock_timestamp() where batch_id = %s", [batch_id])
