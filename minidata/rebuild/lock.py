"""The lock of the commands that make tables of a dataset from the archive; loads do not take it."""

from collections.abc import Iterator
from contextlib import contextmanager

from minidata.errors import TransientError
from minidata.warehouse.connection import Connection

_COMMANDS = "mdp rebuild:"
_LOCK = "hashtextextended(%s, 0)"


@contextmanager
def exclusive(connection: Connection, dataset: str) -> Iterator[None]:
    """Keep other commands that rebuild, exclude or include files of a dataset out; loading goes on.

    Raises:
        TransientError: if such a command is running.
    """
    taken = connection.execute(f"select pg_try_advisory_lock({_LOCK})", [_COMMANDS + dataset]).fetchone()
    if not taken or not taken[0]:
        raise TransientError(
            f"Another command is rebuilding {dataset}, or excluding or including files of it. Retry when it has ended; "
            "nothing was changed."
        )
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(f"select pg_advisory_unlock({_LOCK})", [_COMMANDS + dataset])
