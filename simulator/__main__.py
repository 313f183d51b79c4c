"""The simulator as a service, set up by the environment: `python -m simulator [--state FILE]`."""

import argparse
import logging
import sys
from pathlib import Path

from minidata.errors import PlatformError
from minidata.settings import PROJECT, load_settings
from simulator.faults import parse_faults
from simulator.feed import Feed
from simulator.feed_clock import SystemClock
from simulator.service import serve
from simulator.upload import S3Uploader


def main() -> int:
    """Run the service; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument(
        "--state",
        type=Path,
        default=PROJECT / ".mdp" / "simulator.json",
        help="the file that keeps which world is shown and how far it has come (default: %(default)s)",
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    clock = SystemClock()
    try:
        settings = load_settings()
        uploader = S3Uploader(
            settings.s3_endpoint,
            settings.raw_bucket,
            settings.secret("generator_access_key_id"),
            settings.secret("generator_secret_access_key"),
            settings.s3_region,
        )
        feed = Feed(
            uploader,
            arguments.state,
            seed=settings.simulator_seed,
            channels=settings.simulator_channels,
            videos=settings.simulator_videos,
            faults=parse_faults(settings.simulator_faults),
            interval_seconds=settings.simulator_interval_seconds,
            backfill_hours=settings.simulator_backfill_hours,
            clock=clock,
        )
    except PlatformError as error:
        logging.getLogger(__name__).error("%s", error)  # noqa: TRY400  the message says it all
        return 2
    return serve(feed.run, clock.stop)


if __name__ == "__main__":
    sys.exit(main())
