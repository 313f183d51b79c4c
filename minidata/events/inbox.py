"""The inbox: events of the store, in the shape of S3 notifications, each no more than a hint to look."""

from typing import Any
from urllib.parse import unquote_plus

from minidata.warehouse.connection import Connection

CHANNEL = "mdp_wake"  # of the NOTIFY that comes with a new row, and whenever more waits than a batch takes
_AT_ONCE = 1000
_STALE_SECONDS = 60


def read_inbox(connection: Connection, bucket: str) -> dict[int, set[str]]:
    """Return the keys that each event names in a bucket, by the event's id, oldest first."""
    rows = connection.execute(
        "select inbox_id, event_data from mdp.inbox order by inbox_id limit %s", [_AT_ONCE]
    ).fetchall()
    connection.commit()
    return {inbox_id: keys_of(event, bucket) for inbox_id, event in rows}


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


def clear_inbox(connection: Connection, done: list[int]) -> None:
    """Delete events whose versions are in the ledger, and those that a full listing has long overtaken."""
    connection.execute(
        "delete from mdp.inbox where inbox_id = any(%s) or event_time < clock_timestamp() - make_interval(secs => %s)",
        [done, _STALE_SECONDS],
    )
    connection.commit()
