"""The watch over `raw`: brings what is there into the ledger, and says what waits."""

from typing import Any
from urllib.parse import unquote_plus

from minidata import ledger
from minidata.dataset import read_datasets
from minidata.ledger import Waiting
from minidata.settings import Settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import Connection

_ONE_BY_ONE = 50  # keys; for more of them one full listing is cheaper


def look(connection: Connection, store: ObjectStore, settings: Settings, dataset: str, *, full: bool) -> Waiting:
    """Register what the inbox tells of, or everything in `raw`, and return what waits for a dataset.

    Args:
        connection: to the warehouse, as `mdp_loader`.
        store: with the pipeline's key.
        settings: names of buckets and the default dataset.
        dataset: whose waiting work is asked for; versions of all datasets are registered.
        full: list all of `raw`. This is the guarantee; the inbox only makes it quick.

    Raises:
        TransientError: if the store is away.
    """
    events = {
        inbox_id: keys_of(event, settings.raw_bucket) for inbox_id, event in ledger.read_inbox(connection).items()
    }
    keys = set().union(*events.values()) if events else set()
    known = read_datasets(settings.datasets_folder).values()
    if full or len(keys) > _ONE_BY_ONE:
        ledger.register(connection, store.versions(settings.raw_bucket), known, settings.default_dataset)
        ledger.clear_inbox(connection, list(events))
    elif events:
        found = [v for key in sorted(keys) for v in store.versions(settings.raw_bucket, key) if v.key == key]
        ledger.register(connection, found, known, settings.default_dataset)
        # An event may be a moment ahead of the listing: it stays until its key is there.
        listed = {version.key for version in found}
        ledger.clear_inbox(connection, [inbox_id for inbox_id, named in events.items() if named <= listed])
    return ledger.waiting(connection, dataset)


def keys_of(event: Any, bucket: str) -> set[str]:
    """Return the keys of a bucket that a notification names; one that makes no sense names none.

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
