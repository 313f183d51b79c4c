"""The lock on a batch's row: what a batch commits, it commits under it, while nobody has ended the batch."""

from collections.abc import Iterator
from contextlib import contextmanager

from minidata.errors import ClaimLostError
from minidata.warehouse.connection import Connection


def assert_claim(connection: Connection, batch_id: int) -> None:
    """Lock the batch's row until the caller's transaction ends, so that nobody can end the batch before it.

    Raises:
        ClaimLostError: if the batch has ended; the caller must not commit.
    """
    alive = connection.execute(
        "select 1 from mdp.batches where batch_id = %s and ended_at is null for update", [batch_id]
    ).fetchone()
    if not alive:
        raise claim_lost(batch_id)


@contextmanager
def locked_batch(connection: Connection, batch_id: int) -> Iterator[None]:
    """Run a short transaction that holds the batch's row; it commits at the end of the block.

    Raises:
        ClaimLostError: if the batch has ended; nothing is committed.
    """
    with connection.transaction():
        assert_claim(connection, batch_id)
        yield


def claim_lost(batch_id: int) -> ClaimLostError:
    """Say that a batch may not go on."""
    return ClaimLostError(
        f"Batch {batch_id} has ended, or its lease ran out and its files were given back. "
        "Nothing of it was committed; the files are loaded by another batch."
    )
