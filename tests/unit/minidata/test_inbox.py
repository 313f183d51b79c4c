"""An event names keys, and one that makes no sense names none."""

import pytest

from minidata.events.inbox import keys_of


def event(*keys: str, bucket: str = "raw") -> dict[str, object]:
    return {"Records": [{"s3": {"bucket": {"name": bucket}, "object": {"key": key}}} for key in keys]}


def test_keys_are_decoded_as_s3_encodes_them() -> None:
    assert keys_of(event("a%20b.csv", "c+d%2Be.csv", "%C3%A9.csv"), "raw") == {"a b.csv", "c d+e.csv", "é.csv"}


def test_events_of_other_buckets_name_nothing() -> None:
    assert keys_of(event("a.csv", bucket="archive"), "raw") == set()


@pytest.mark.parametrize("nonsense", [None, 7, "x", [], {}, {"Records": 1}, {"Records": [1, None, {"s3": []}]}])
def test_nonsense_names_nothing(nonsense: object) -> None:
    assert keys_of(nonsense, "raw") == set()
