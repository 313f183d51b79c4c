"""The event relay: the filer's changes become S3 notifications of new versions, and of nothing else."""

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from minidata.events.relay import EventStream, notification
from minidata.ledger import keys_of

VERSION = "671545d6b2850ccc371fd72f5655f638"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def change(
    folder: str, name: str, old: dict[str, Any] | None = None, new: bool = True, **fields: Any
) -> dict[str, Any]:
    entry = {"name": name, "isDirectory": False, "attributes": {"fileSize": "42"}, "extended": {}} | fields
    return {
        "directory": folder,
        "eventNotification": {"oldEntry": old, "newEntry": entry if new else None},
        "tsNs": "1795452088021195254",
    }


def new_version(key: str, **fields: Any) -> dict[str, Any]:
    extended = {"Seaweed-X-Amz-Version-Id": encoded(VERSION), **fields}
    return change(f"/buckets/raw/{key}.versions", f"v_{VERSION}", extended=extended)


keys = st.lists(
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="/"), min_size=1), min_size=1
).map("/".join)


@given(keys)
def test_the_reader_of_the_inbox_gets_back_the_key(key: str) -> None:
    told = notification(new_version(key), "raw")
    assert keys_of(json.loads(json.dumps(told)), "raw") == {key}
    assert str(told).isascii()
    assert "\\x00" not in str(told)


def test_it_tells_version_and_size() -> None:
    told = notification(new_version("a b/c+d%41.csv"), "raw")
    assert told is not None
    assert told["EventName"] == "s3:ObjectCreated:Put"
    assert told["Records"][0]["s3"] == {
        "bucket": {"name": "raw"},
        "object": {"key": "a+b/c%2Bd%2541.csv", "size": 42, "versionId": VERSION},
    }


def test_a_key_that_ends_in_versions_keeps_its_name() -> None:
    assert keys_of(notification(new_version("x.versions"), "raw"), "raw") == {"x.versions"}


def test_an_object_of_before_the_versions_is_told_too() -> None:
    told = notification(change("/buckets/raw/a", "b.csv"), "raw")
    assert keys_of(told, "raw") == {"a/b.csv"}
    assert told is not None
    assert told["Records"][0]["s3"]["object"]["versionId"] == "null"


def test_what_is_no_new_version_is_not_told() -> None:
    versions = "/buckets/raw/a.csv.versions"
    extended = {"Seaweed-X-Amz-Version-Id": encoded(VERSION)}
    silent = [
        change(versions, f"v_{VERSION}", old={"name": f"v_{VERSION}"}, extended=extended),  # tags, now overwritten
        change(versions, f"v_{VERSION}", old={"name": f"v_{VERSION}"}, new=False),  # deleted
        change("/buckets/raw", "a.csv.versions", isDirectory=True),  # its folder
        new_version("a.csv", **{"Seaweed-X-Amz-Delete-Marker": encoded("true")}),
        change("/buckets/raw/.uploads/0a1b", "0001_x.part"),  # a part of an upload that goes on
        change("/buckets/raw2/a.csv.versions", f"v_{VERSION}", extended=extended),  # another bucket
        change("/buckets", "raw", isDirectory=True),
        {"directory": "/buckets/raw", "eventNotification": None},
        {},
    ]
    assert [notification(event, "raw") for event in silent] == [None] * len(silent)


EVENTS = [new_version("a.csv"), change("/buckets/raw", '{}\\"é日本.csv'), new_version("b {.csv")]


@given(st.lists(st.integers(0, 4000)))
def test_output_cut_anywhere_gives_the_same_events(cuts: list[int]) -> None:
    data = b"\n".join(json.dumps(event, indent=2, ensure_ascii=False).encode() for event in EVENTS) + b"\n"
    stream, found, at = EventStream(), [], 0
    for cut in [*sorted(cuts), len(data)]:
        found += list(stream.feed(data[at:cut]))
        at = max(at, cut)
    assert found == EVENTS


def test_lines_that_are_no_events_are_passed_over() -> None:
    stream = EventStream()
    text = "I1123 connecting\n" + json.dumps(EVENTS[0]) + "\nbye\n" + json.dumps(EVENTS[1], indent=1)
    assert list(stream.feed(text.encode())) == EVENTS[:2]


def test_a_broken_event_does_not_hide_the_next() -> None:
    whole = json.dumps(EVENTS[0], indent=2)
    text = whole[: len(whole) // 2] + "\n" + whole + "\n"
    assert list(EventStream().feed(text.encode())) == EVENTS[:1]
