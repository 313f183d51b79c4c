"""The object store of a platform, SeaweedFS or MinIO, and the relay of its events."""

import sys
from collections.abc import Callable
from concurrent.futures import Future

from minidata.errors import PermanentError
from minidata.settings import Settings
from minidata.warehouse.__main__ import Administration
from operate.embedded.object_store import minio, seaweedfs
from operate.embedded.object_store.doors import require_closed
from operate.embedded.object_store.minio_build import build
from operate.embedded.ports import SEAWEED
from operate.embedded.service import PYTHON, Launch, Service
from operate.embedded.settings import as_environment
from operate.embedded.startup_context import StartupContext
from operate.embedded.state import State, Store
from operate.s3 import client
from operate.s3.access import Buckets, Identities
from operate.s3.minio import prepare

PORTS: dict[Store, tuple[str, ...]] = {Store.SEAWEEDFS: SEAWEED, Store.MINIO: ("s3",)}


def choose_store(state: State, wanted: Store | None, report: Callable[[str], None]) -> Store:
    """Choose the store of a new platform, and make sure that its program is installed.

    Args:
        state: the platform.
        wanted: the store; None for the one that it has, or SeaweedFS.
        report: told what is being done, in a few words.

    Raises:
        PermanentError: if the platform has another store, or MinIO cannot be built.
    """
    has = state.platform.store
    if wanted not in {None, has} and state.platform.ports:
        raise PermanentError(
            f"The platform in {state.folder} keeps its objects in {has.label}, and no store can read another's data. "
            f"Omit --store, or make another platform: ./mdp --state FOLDER up --store {wanted}"
        )
    chosen = wanted or has
    if chosen is Store.MINIO:
        build(report=report)
    if chosen is not has:
        state.remember(store=chosen)
    return chosen


def start(start: StartupContext, database: "Future[None]") -> None:
    """Start the object store, create its buckets, and check that it works."""
    identities, buckets = Identities.of(start.settings), Buckets.of(start.settings)
    identities.require_different_keys()
    admin = client.connect(start.settings.s3_endpoint, identities.admin)
    is_minio = start.state.platform.store is Store.MINIO
    if is_minio:
        database.result()  # the table of its events exists before its first event
    else:
        seaweedfs.write_config(start.state.weed, identities, buckets)

    def works() -> None:
        if is_minio:
            prepare(start.settings.s3_endpoint, identities, buckets)
        else:
            client.create_buckets(admin, buckets)
        client.probe(admin, buckets.staging)  # never in raw: every object there is taken for a snapshot
        client.probe_room(admin, buckets)

    start.run(SERVICE)
    start.wait(SERVICE, works)
    if not is_minio:
        require_closed(start.state)
    start.report(SERVICE.title, None)


def start_relay(start: StartupContext, database: "Future[None]", objects: "Future[None]") -> None:
    """Start the relay once the database and the store work."""
    database.result()
    objects.result()
    start.run(RELAY)
    start.report(RELAY.title, None)


def _launch(state: State, settings: Administration) -> Launch:
    launch = minio.launch if state.platform.store is Store.MINIO else seaweedfs.launch
    return launch(state, settings)


def _launch_relay(state: State, settings: Settings) -> Launch:
    tail = seaweedfs.tail_command(state, settings.raw_bucket)
    return Launch(
        argv=[sys.executable, "-m", "minidata.events.relay", "--bucket", settings.raw_bucket, "--", *tail],
        environment=PYTHON | as_environment(settings, ("loader_password",)),
        cwd=state.weed,
    )


# SeaweedFS takes 16 s to stop politely, most of it a fixed wait; what it acknowledged is safe without that.
SERVICE = Service("object-store", "Object store (S3)", _launch, port="s3", stop_seconds=3)
RELAY = Service("relay", "Event relay", _launch_relay, restart_on_change=True, stop_seconds=5)
