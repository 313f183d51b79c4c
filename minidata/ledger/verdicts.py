"""Verdicts and loads: what a batch commits, always under a lock on its own row while it is alive."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from psycopg.types.json import Json, Jsonb

from minidata.ledger.lock import locked_batch
from minidata.warehouse.connection import Connection

if TYPE_CHECKING:
    from minidata.contract import Verdict  # half a second that most commands need not pay

NO_COLUMN: list[str | None] = [None]


def record_verdict(
    connection: Connection, batch_id: int, file_id: int, verdict: "Verdict", rejects_key: str | None
) -> None:
    """Enter what validation found; an invalid file is `invalid` from now on, its move outstanding.

    Raises:
        ClaimLostError: if the batch has ended.
    """
    reason = verdict.reason
    entries = [entry._asdict() for entry in verdict.entries]
    if reason is not None and not entries:
        entries = [
            {"line": None, "column": column, "code": reason.code, "value": None}
            for column in reason.columns or NO_COLUMN
        ]
    with locked_batch(connection, batch_id):
        connection.execute(
            "update mdp.files set validated_at = clock_timestamp(), sha256 = %(sha256)s, "
            "reasons = %(reasons)s, message = %(message)s, rows_good = %(good)s, rows_rejected = %(rejected)s, "
            "rows_loaded = case when %(invalid)s then 0 end, counts = %(counts)s, entries = %(entries)s, "
            "drift = %(drift)s, rejects_key = %(rejects_key)s, "
            "state = (case when %(invalid)s then 'invalid' else 'claimed' end)::mdp.file_state "
            "where file_id = %(file_id)s and batch_id = %(batch_id)s and state = 'claimed'",
            {
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
                "rejects_key": rejects_key,
                "file_id": file_id,
                "batch_id": batch_id,
            },
        )


def mark_superseded(connection: Connection, batch_id: int, file_id: int) -> None:
    """Enter that a version was gone before it could be read.

    Raises:
        ClaimLostError: if the batch has ended.
    """
    with locked_batch(connection, batch_id):
        connection.execute(
            "update mdp.files set state = 'superseded', moved_at = clock_timestamp(), batch_id = null, "
            "message = 'Gone from raw before it could be read.' "
            "where file_id = %s and batch_id = %s and state = 'claimed'",
            [file_id, batch_id],
        )


def duplicates(connection: Connection, batch_id: int) -> dict[int, int]:
    """Find the files of a batch whose content is loaded already, or comes twice in the batch.

    One that arrived later may have more good rows, for fewer of them lie in its future. It is loaded as well: whichever
    of the two is the first to be loaded, the rows in the tables are the same in the end.

    Returns:
        The id of the file that has the content, by the id of the file that repeats it.
    """
    rows = connection.execute(
        "select f.file_id, coalesce("
        "(select min(o.file_id) from mdp.files o where o.sha256 = f.sha256 and o.dataset = f.dataset "
        "and o.state in ('loaded', 'archived') and o.duplicate_of is null and o.rows_good >= f.rows_good), "
        "first_value(f.file_id) over (partition by f.sha256 order by f.rows_good desc, f.arrived_at, f.file_id)) "
        "as original "
        "from mdp.files f where f.batch_id = %s and f.state = 'claimed' and f.validated_at is not null",
        [batch_id],
    ).fetchall()
    return {file_id: original for file_id, original in rows if file_id != original}


def mark_loaded(connection: Connection, batch_id: int, repeated: dict[int, int]) -> None:
    """Enter that the rows of a batch are in; the caller commits, together with the rows.

    Args:
        connection: in the transaction of the load.
        batch_id: the batch.
        repeated: what `duplicates` found; these files count as loaded with no row of their own.
    """
    ids: Iterable[int] = list(repeated)
    connection.execute(
        "update mdp.files f set state = 'loaded', loaded_at = clock_timestamp(), due_at = clock_timestamp(), "
        "suspect_batch = null, suspect_files = null, duplicate_of = d.original, "
        "rows_loaded = case when d.original is null then f.rows_good else 0 end "
        "from mdp.files g left join unnest(%s::bigint[], %s::bigint[]) as d (file_id, original) "
        "on d.file_id = g.file_id "
        "where g.batch_id = %s and g.state = 'claimed' and g.validated_at is not null "
        "and f.file_id = g.file_id",
        [ids, list(repeated.values()), batch_id],
    )
