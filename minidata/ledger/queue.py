"""The queue: which of the files that wait are claimed next.

Files that may take long (large or compressed ones, and suspects) have batches of their own, and only as many that a
slot stays free for small ones. Folders and sizes take turns, so that many files of one kind do not hold up others.
"""

from typing import LiteralString

from minidata.settings import Settings
from minidata.text import TEXT_ENDINGS
from minidata.warehouse.connection import Connection

# SQL: whether a file may take long. A megabyte of plain text takes a second at most; what comes out of a compressed
# file is not known, and a suspect may have killed its worker.
_HEAVY: LiteralString = (
    "({f}.size > 1048576 or {f}.suspect_batch is not null or {f}.key !~* '\\.(" + TEXT_ENDINGS + ")$')"
)
# SQL: `heavy` and `light` batches of a dataset at work.
_BUSY: LiteralString = (
    "(select count(*) filter (where heavy) as heavy, count(*) filter (where not heavy) as light from "
    f"(select coalesce(bool_or({_HEAVY.format(f='f')}), false) as heavy from mdp.batches b "
    "left join mdp.files f on f.batch_id = b.batch_id and f.state in ('claimed', 'loaded', 'invalid') "
    "where b.dataset = %(dataset)s and b.ended_at is null group by b.batch_id) w)"
)
WAITS_FOR_SLOT: LiteralString = (
    f"(f.state = 'pending' and {_HEAVY.format(f='f')} and (select heavy from {_BUSY} busy) >= %(heavy)s)"
)
"""SQL: whether a file `f` of %(dataset)s is not claimed for now: %(heavy)s batches that may take long are at work."""

# The kind with fewer batches at work comes first. Of that kind, sizes (by the number of their digits) take turns, and
# in each size, folders do.
_NEXT: LiteralString = f"""
    with busy as materialized (select * from {_BUSY} b),
    due as (
        select file_id, size, suspect_batch, suspect_files, due_at, {_HEAVY.format(f="f")} as heavy,
            length(size::text) as digits, row_number() over (
                partition by {_HEAVY.format(f="f")}, length(size::text), regexp_replace(key, '[^/]*$', '')
                order by due_at, file_id) as turn
        from mdp.files f where dataset = %(dataset)s and state = 'pending' and due_at <= clock_timestamp()
    ),
    queue as (
        select due.*, row_number() over (partition by due.heavy, digits order by turn, due_at, file_id) as place,
            due.heavy <> (busy.heavy < busy.light) as later
        from due, busy where not (due.heavy and busy.heavy >= %(heavy)s)
    ),
    head as (select * from queue order by later, place, due_at, file_id limit 1)
    select queue.file_id, queue.size from queue, head
    where queue.heavy = head.heavy and queue.suspect_batch is not distinct from head.suspect_batch
    order by queue.place, queue.due_at, queue.file_id
    limit coalesce((select suspect_files from head), %(files)s)
"""


def heavy_slots(settings: Settings) -> int:
    """Return how many batches that may take long are at work at most: all but one, if there is more than one."""
    return max(settings.parallel_batches - 1, 1)


def due_pending(connection: Connection, dataset: str, settings: Settings) -> list[int]:
    """Lock the files of the next batch; the first one in turn decides whether it is a group of suspects."""
    rows = connection.execute(
        _NEXT, {"dataset": dataset, "files": settings.batch_files, "heavy": heavy_slots(settings)}
    )
    chosen: list[int] = []
    total = 0
    for file_id, size in rows:
        total += size
        if chosen and total > settings.batch_bytes:
            break
        chosen.append(file_id)
    query = "select file_id from mdp.files where file_id = any(%s) and state = 'pending' for update skip locked"
    return [file_id for (file_id,) in connection.execute(query, [chosen])]
