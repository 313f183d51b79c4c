"""An event names keys, and one that makes no sense names none."""

from typing import Any

import pytest

from minidata.ledger import keys_of


def event(*keys: str, bucket: str = "raw") -> dict[str, Any]:
    return {"Records": [{"s3": {"bucket": {"name": bucket}, "object": {"key": key}}} for key in keys]}


def test_keys_are_decoded_as_s3_encodes_them() -> None:
    assert keys_of(event("a%20b.csv", "c+d%2Be.csv", "%C3%A9.csv"), "raw") == {"a b.csv", "c d+e.csv", "é.csv"}


def test_events_of_other_buckets_name_nothing() -> None:
    assert keys_of(event("a.csv", bucket="archive"), "raw") == set()


@pytest.mark.parametrize("nonsense", [None, 7, "x", [], {}, {"Records": 1}, {"Records": [1, None, {"s3": []}]}])
def test_nonsense_names_nothing(nonsense: object) -> None:
    assert keys_of(nonsense, "raw") == set()


@pytest.mark.parametrize("key", [7, 1.5, None, True, [], ["a.csv"], {}, {"a": 1}])
def test_a_key_that_is_no_text_is_passed_over_and_its_neighbours_are_not(key: object) -> None:
    told = event("a.csv", "b.csv")
    told["Records"].insert(1, {"s3": {"bucket": {"name": "raw"}, "object": {"key": key}}})
    assert keys_of(told, "raw") == {"a.csv", "b.csv"}
