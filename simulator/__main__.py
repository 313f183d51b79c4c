"""The simulator as a service, configured by the environment: `python -m simulator [--state FILE]`."""

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from minidata.errors import PermanentError, PlatformError
from minidata.settings import PROJECT, load_settings
from simulator.feed import Feed
from simulator.snapshot import S3Uploader

GRACE = 0.7  # seconds that the feed gets to finish an upload after a signal

log = logging.getLogger(__name__)


def main() -> int:
    """Run the service; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument(
        "--state",
        type=Path,
        default=PROJECT / ".mdp" / "simulator.json",
        help="file that keeps the world's seed and start, and how far the feed has come (default: %(default)s)",
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    stop = threading.Event()
    try:
        settings = load_settings()
        feed = Feed(S3Uploader(settings), arguments.state, settings, stop)
    except PlatformError as error:
        log.error("%s", error)  # noqa: TRY400  the message says it all
        return 2
    return serve(feed.run, stop)


def serve(run: Callable[[], None], stop: threading.Event) -> int:
    """Run until it ends or SIGTERM or SIGINT arrives; return the exit code.

    It runs in a thread, so that a signal ends the process even while an upload hangs.

    Args:
        run: returns soon after `stop` is set, unless it hangs in an upload.
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
            log.exception("The simulator broke. Please report it.")
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


if __name__ == "__main__":
    sys.exit(main())
