"""Arrivals: how versions come from `raw` into the ledger, and what waits there for a worker.

Events of the store come into the inbox as S3 notifications. An event only says "look": the full listing finds what
no event told of.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import unquote_plus

from psycopg.types.json import Jsonb

from minidata.ledger.queue import WAITS_FOR_SLOT, heavy_slots
from minidata.settings import Settings
from minidata.store import ObjectStore, ObjectVersion
from minidata.warehouse.connection import Connection

CHANNEL = "mdp_wake"  # of the NOTIFY that comes with a new row, and whenever more waits than a batch takes
_EVENTS_AT_ONCE = 1000
_KEYS_ONE_BY_ONE = 50  # for more keys one full listing is cheaper
_VERSIONS_AT_ONCE = 1000


@dataclass(frozen=True)
class Waiting:
    """The unclaimed work of a dataset.

    Attributes:
        count: files that are due to be loaded or moved, and batches whose lease has run out.
        greatest_id: of a file, or if there is none, of the negated batch ids.
        least_id: of the same; the set has changed if `count`, `greatest_id` or `least_id` has.
        at_work: number of live batches.
    """

    count: int
    greatest_id: int
    least_id: int
    at_work: int


def look(connection: Connection, store: ObjectStore, settings: Settings, dataset: str, *, full: bool) -> Waiting:
    """Register the versions that the inbox names, or all in `raw`, and return what waits for a dataset.

    Args:
        connection: to the warehouse, as `mdp_loader`.
        store: with the pipeline's key.
        settings: names of buckets, the datasets folder and the default dataset.
        dataset: whose waiting work is returned; versions of all datasets are registered.
        full: list all of `raw`. This is the guarantee; the inbox only makes it quick.

    Raises:
        TransientError: if the store is away.
    """
    rows = connection.execute(
        "select inbox_id, event_data from mdp.inbox order by inbox_id limit %s", [_EVENTS_AT_ONCE]
    ).fetchall()
    events = {inbox_id: keys_of(event, settings.raw_bucket) for inbox_id, event in rows}
    keys = set[str]().union(*events.values())
    if full or len(keys) > _KEYS_ONE_BY_ONE:
        _register(connection, store.versions(settings.raw_bucket), settings)
        _clear_inbox(connection, list(events))
    elif events:
        found = [v for key in sorted(keys) for v in store.versions(settings.raw_bucket, key) if v.key == key]
        _register(connection, found, settings)
        # An event may be a moment ahead of the listing: it stays until its key is listed.
        listed = {version.key for version in found}
        _clear_inbox(connection, [inbox_id for inbox_id, named in events.items() if named <= listed])
    return waiting(connection, dataset, settings)


def waiting(connection: Connection, dataset: str, settings: Settings) -> Waiting:
    """Count the work of a dataset that is due, unclaimed, and may be claimed now."""
    row = connection.execute(
        "select count(*), coalesce(max(id), 0), coalesce(min(id), 0), "
        "(select count(*) from mdp.batches where dataset = %(dataset)s and ended_at is null "
        "and lease_until >= clock_timestamp()) "
        "from (select file_id from mdp.files f where dataset = %(dataset)s "
        "and state in ('pending', 'loaded', 'invalid') and batch_id is null and due_at <= clock_timestamp() "
        f"and not {WAITS_FOR_SLOT} "
        "union all "
        "select -batch_id from mdp.batches where dataset = %(dataset)s and ended_at is null "
        "and lease_until < clock_timestamp()) w (id)",
        {"dataset": dataset, "heavy": heavy_slots(settings)},
    ).fetchone()
    return Waiting(*row) if row else Waiting(0, 0, 0, 0)


def keys_of(event: Any, bucket: str) -> set[str]:
    """Return the keys of a bucket that a notification names; a malformed one names none.

    >>> keys_of({"Records": [{"s3": {"bucket": {"name": "raw"}, "object": {"key": "a+b%2Bc.csv"}}}]}, "raw")
    {'a b+c.csv'}
    """
    keys = set()
    records = event.get("Records") if isinstance(event, dict) else None
    for record in records if isinstance(records, list) else []:
        try:
            entity = record["s3"]
            if entity["bucket"]["name"] == bucket:
                keys.add(unquote_plus(entity["object"]["key"]))
        except (AttributeError, KeyError, TypeError):  # a key that is a number has no text to decode
            continue
    return keys


def write_inbox(connection: Connection, notifications: Iterable[dict[str, Any]]) -> None:
    """Add notifications to the inbox, all in one transaction."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "insert into mdp.inbox (event_time, event_data) values (now(), %s)", [(Jsonb(n),) for n in notifications]
        )


def allow_events(owner: Connection) -> None:
    """Let `mdp_events`, if there is one, add to the inbox; MinIO also checks that the table exists."""
    with owner.transaction():
        if owner.execute("select from pg_roles where rolname = 'mdp_events'").rowcount:
            owner.execute("grant usage on schema mdp to mdp_events")
            owner.execute("grant select, insert on mdp.inbox to mdp_events")


def _register(connection: Connection, versions: Iterable[ObjectVersion], settings: Settings) -> None:
    """Enter the versions that the ledger has not seen, as pending.

    Keys that end in `/` are folders, and those that a dataset ignores are no files.
    """
    from minidata.dataset import dataset_of, ignored, owners_of_files  # noqa: PLC0415  YAML, which reading the ledger does not need

    datasets = owners_of_files(settings.datasets_folder)
    placed = ((v, dataset_of(v.key, datasets.values(), settings.default_dataset)) for v in versions)
    files = (
        (v.key, v.version, v.size, v.modified, dataset)
        for v, dataset in placed
        if not (v.key.endswith("/") or (dataset in datasets and ignored(v.key, datasets[dataset])))
    )
    while rows := list(islice(files, _VERSIONS_AT_ONCE)):
        # A listing has the newest version of a key first, and the store's times may be whole seconds. The anti-join
        # saves an id for each of the many that are known; the conflict is a listing at the same time.
        connection.execute(
            "insert into mdp.files (key, version, size, arrived_at, dataset) "
            "select n.key, n.version, n.size, n.arrived_at, n.dataset "
            "from unnest(%s::text[], %s::text[], %s::bigint[], %s::timestamptz[], %s::text[]) with ordinality "
            "as n (key, version, size, arrived_at, dataset, place) "
            "where not exists (select from mdp.files f where f.key = n.key and f.version = n.version) "
            "order by arrived_at, key, place desc on conflict (key, version) do nothing",
            list(map(list, zip(*rows, strict=True))),
        )


def _clear_inbox(connection: Connection, done: list[int]) -> None:
    """Delete events whose versions are in the ledger, and those that a full listing has long overtaken."""
    connection.execute(
        "delete from mdp.inbox where inbox_id = any(%s) or event_time < clock_timestamp() - interval '1 minute'", [done]
    )
