"""Runs the feed as a service: in a thread, so that a signal ends it even while the store keeps it waiting."""

import logging
import signal
import threading
from collections.abc import Callable

from minidata.errors import PermanentError

GRACE = 0.7  # seconds that the feed gets to finish an upload after a signal

log = logging.getLogger(__name__)


def serve(run: Callable[[], None], stop: threading.Event) -> int:
    """Run until it ends or SIGTERM or SIGINT comes; return the exit code.

    Args:
        run: the feed; it returns soon after `stop` is set, unless it hangs in an upload.
        stop: is set by a signal.
    """
    failed = threading.Event()

    def guarded() -> None:
        try:
            run()
        except PermanentError as error:
            log.error("%s", error)  # noqa: TRY400  the message says it all
            failed.set()
        except Exception:
            log.exception("The simulator broke; please report it.")
            failed.set()
        finally:
            stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    thread = threading.Thread(target=guarded, name="feed", daemon=True)
    thread.start()
    stop.wait()
    thread.join(GRACE)
    return 1 if failed.is_set() else 0
