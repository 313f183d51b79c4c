"""What waits: the question that the trigger asks."""

from dataclasses import dataclass

from minidata.warehouse.connection import Connection


@dataclass(frozen=True)
class Waiting:
    """The work of a dataset that nobody has claimed.

    Attributes:
        count: files that are due, and batches whose worker is gone.
        newest: the greatest id among them; with `count` and `oldest` it changes whenever the set does.
        oldest: the least id among them.
        at_work: batches that are alive.
    """

    count: int
    newest: int
    oldest: int
    at_work: int


def waiting(connection: Connection, dataset: str) -> Waiting:
    """Count what is due and unclaimed: files to load or to move, and batches whose worker is gone."""
    row = connection.execute(
        "select count(*), coalesce(max(id), 0), coalesce(min(id), 0), "
        "(select count(*) from mdp.batches where dataset = %(dataset)s and ended_at is null "
        "and lease_until >= clock_timestamp()) "
        "from (select file_id from mdp.files where dataset = %(dataset)s "
        "and state in ('pending', 'loaded', 'invalid') and batch_id is null and due_at <= clock_timestamp() "
        "union all "
        "select -batch_id from mdp.batches where dataset = %(dataset)s and ended_at is null "
        "and lease_until < clock_timestamp()) w (id)",
        {"dataset": dataset},
    ).fetchone()
    connection.commit()
    return Waiting(*row) if row else Waiting(0, 0, 0, 0)
