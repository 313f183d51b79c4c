"""A one-shot program of the set-up: it waits for its server, says what it did, and ends."""

import sys
import time
from collections.abc import Callable

from minidata.errors import PlatformError, TransientError


def run_one_shot(work: Callable[[], str], seconds: float) -> int:
    """Do the work, retry while the server that it needs is unavailable, and print the result.

    Args:
        work: what is to be done; returns what was done, in words.
        seconds: how long the server may be unavailable.

    Returns:
        The exit code: 0 done, 1 failed, with the error on standard error.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            print(work())  # noqa: T201  the container's log
        except TransientError as error:
            if time.monotonic() > deadline:
                return _failed(error)
            time.sleep(1)
        except PlatformError as error:
            return _failed(error)
        else:
            return 0


def _failed(error: PlatformError) -> int:
    print(error, file=sys.stderr)  # noqa: T201  the container's log
    return 1
