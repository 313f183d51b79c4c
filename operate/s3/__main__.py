"""Sets up the store that the `MDP_*` settings name: `python -m operate.s3`. Running it again does no harm.

In Docker it runs between the store and everything that uses it. A store that is not MinIO is only checked.
"""

import argparse
import sys

from minidata.one_shot import run_one_shot
from minidata.store import ObjectStore
from minidata.warehouse.__main__ import Administration, administration
from operate.s3.access import Buckets, Identities
from operate.s3.minio import is_minio, prepare


def main() -> int:
    """Set up the store, waiting until it answers; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m operate.s3", description=__doc__)
    parser.add_argument("--wait", type=float, default=60, metavar="SECONDS", help="for the store (default 60)")
    wait = parser.parse_args().wait
    return run_one_shot(lambda: _set_up(administration()), wait)


def _set_up(settings: Administration) -> str:
    endpoint, buckets = settings.s3_endpoint, Buckets.of(settings)
    if is_minio(endpoint):
        prepare(endpoint, Identities.of(settings), buckets)
        return f"{endpoint}: buckets, users and the event rule are set up."
    store = ObjectStore(settings)
    for name in buckets.names:
        store.check(name)
    store.require_versions(buckets.raw)
    return (
        f"{endpoint} is another S3, and has the four buckets. Its owner sets up users, versions in {buckets.raw} and "
        "events; without events a listing finds uploads."
    )


if __name__ == "__main__":
    sys.exit(main())
