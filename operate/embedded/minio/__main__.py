"""Prepares the store that the `MDP_*` settings name: `python -m operate.embedded.minio`, again without harm.

In Docker it is the step between the store and everything that uses it. A store that is no MinIO (any other S3)
is only looked at.
"""

import argparse
import sys

from minidata.one_shot import run_one_shot
from minidata.store import ObjectStore
from minidata.warehouse.__main__ import Administration, administration
from operate.embedded.minio.prepare import is_minio, prepare
from operate.embedded.object_store import Buckets, Identities, Identity


def main() -> int:
    """Prepare the store that the `MDP_*` settings name, waiting until it answers."""
    parser = argparse.ArgumentParser(prog="python -m operate.embedded.minio", description=__doc__)
    parser.add_argument("--wait", type=float, default=60, metavar="SECONDS", help="for the store (default 60)")
    wait = parser.parse_args().wait
    return run_one_shot(lambda: _prepared(administration()), wait)


def _prepared(settings: Administration) -> str:
    names = Buckets(settings.raw_bucket, settings.staging_bucket, settings.archive_bucket, settings.quarantine_bucket)
    if not is_minio(settings.s3_endpoint):
        store = ObjectStore(settings)
        for name in names.names:
            store.check(name)
        store.require_versions(names.raw)
        return (
            f"{settings.s3_endpoint} is another S3: its four buckets are there. Users, versions in {names.raw} and "
            "events are its owner's; without events a listing finds uploads."
        )
    admin, etl, generator = (
        Identity(name, settings.secret(f"{key}_access_key_id"), settings.secret(f"{key}_secret_access_key"))
        for name, key in (("admin", "s3_admin"), ("etl", "s3"), ("generator", "generator"))
    )
    prepare(settings.s3_endpoint, Identities(admin, etl, generator), names)
    return f"{settings.s3_endpoint}: buckets, users and the event rule are there."


if __name__ == "__main__":
    sys.exit(main())
