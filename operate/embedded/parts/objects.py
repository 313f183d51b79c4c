"""What holds the files: the object store with its buckets, whichever the platform has."""

from collections.abc import Callable
from concurrent.futures import Future

from minidata.ledger import allow_events
from minidata.warehouse.connection import connect
from minidata.warehouse.databases import create_events_role
from operate.embedded import buckets, object_store, postgres
from operate.embedded.doors import require_closed
from operate.embedded.minio.prepare import prepare
from operate.embedded.object_store import Buckets, Identities
from operate.embedded.parts import PROBE_SECONDS, Start
from operate.embedded.service import TITLES
from operate.embedded.state import Store
from operate.embedded.stores import buckets_of, identities_of

NAME = "object-store"


def start_objects(start: Start, database: "Future[None]") -> None:
    """Start the object store, make its buckets, and see that it works."""
    people, names = identities_of(start.secrets), buckets_of(start.settings)
    object_store.require_different_keys(people)
    if start.state.platform.store is Store.MINIO:
        database.result()  # the table of its events is there before its first event
        _start_minio(start, people, names)
    else:
        _start_seaweedfs(start, people, names)
    start.report(TITLES[NAME], None)


def _start_seaweedfs(start: Start, people: Identities, names: Buckets) -> None:
    object_store.write_config(start.state.weed, people, names)
    client = buckets.connect(start.settings.s3_endpoint, people.admin)
    _start(start, lambda: buckets.prepare(client, names), people, names)
    require_closed(start.state)


def _start_minio(start: Start, people: Identities, names: Buckets) -> None:
    settings, port = start.settings, start.state.port("postgres")
    with postgres.connect_administrator(port, start.secrets["MDP_ADMIN_PASSWORD"]) as admin:
        create_events_role(admin, settings.database_name, start.secrets["MDP_EVENTS_PASSWORD"])
    with connect(settings, "owner") as owner:
        allow_events(owner)
    _start(start, lambda: prepare(settings.s3_endpoint, people, names), people, names)


def _start(start: Start, make_what_is_missing: Callable[[], None], people: Identities, names: Buckets) -> None:
    start.run(NAME)
    client = buckets.connect(start.settings.s3_endpoint, people.admin)

    def works() -> None:
        make_what_is_missing()
        buckets.probe(client, names.staging)  # never in raw: whatever lies there is taken for a snapshot

    start.supervisor.wait(NAME, works, PROBE_SECONDS)
