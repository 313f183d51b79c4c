"""Where an original ends, on the real store: under a name that it takes, and written once."""

import hashlib
from typing import Any
from urllib.parse import unquote

import pytest

import etl.move_files
from minidata.errors import TransientError
from minidata.store import ObjectStore
from tests.corpus.case import snapshot
from tests.integration.conftest import Pipeline


def metadata(pipeline: Pipeline, key: str | None) -> dict[str, Any]:
    """Return the metadata of an archived object."""
    answer = pipeline.store.client.head_object(Bucket=pipeline.settings.archive_bucket, Key=key)
    return dict(answer["Metadata"])


@pytest.mark.parametrize("key", ["folder/" + "x" * 240 + ".csv", "ä" * 500 + ".csv", "a/" * 500 + "b.csv"])
def test_a_key_of_any_length_that_raw_takes_reaches_the_archive(pipeline: Pipeline, key: str) -> None:
    pipeline.put(key, snapshot("long"))
    pipeline.drain()
    (file,) = pipeline.files()
    assert (file.key, file.state) == (key, "archived")
    assert "mdp-key" in "".join(metadata(pipeline, file.archive_key))
    assert pipeline.raw() == []


def test_the_store_refuses_bytes_that_have_another_hash(pipeline: Pipeline) -> None:
    other = hashlib.sha256(b"other").hexdigest()
    with pytest.raises(TransientError):
        pipeline.store.put_checked(pipeline.settings.archive_bucket, "wrong.csv", b"bytes", other, {})
    assert not list(pipeline.store.keys(pipeline.settings.archive_bucket, "wrong.csv"))


def test_deletion_takes_the_version_that_was_read_and_no_newer_one(pipeline: Pipeline) -> None:
    """SeaweedFS refuses to delete the longest keys together with others: these are deleted one by one."""
    keys = ["a/" * 500 + "b" * 20 + ".csv", "short.csv"]
    old = [(key, pipeline.put(key, snapshot("old"))) for key in keys]
    new = {(key, pipeline.put(key, snapshot("new"))) for key in keys}
    bucket = pipeline.settings.raw_bucket
    for _ in range(2):
        pipeline.store.delete_versions(bucket, old)
        assert {(found.key, found.version) for found in pipeline.store.versions(bucket)} == new


def test_what_comes_again_leaves_what_is_there_as_it_is(pipeline: Pipeline) -> None:
    first = pipeline.put("again.csv", snapshot("again"))
    pipeline.drain()
    pipeline.put("again.csv", snapshot("again"))
    pipeline.drain()
    one, other = pipeline.files()
    assert one.archive_key == other.archive_key
    assert metadata(pipeline, one.archive_key)["mdp-version"] == first
    assert unquote(metadata(pipeline, one.archive_key)["mdp-key"]) == "again.csv"
    assert pipeline.raw() == []


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every file be one that is copied inside the store."""
    monkeypatch.setattr(etl.move_files, "_SENT_WHOLE", -1)


@pytest.mark.usefixtures("large")
def test_a_large_file_is_copied_by_its_version(pipeline: Pipeline) -> None:
    pipeline.put("large.csv", snapshot("old"))
    pipeline.look()
    batch = pipeline.claim() or 0
    pipeline.put("large.csv", snapshot("new"))
    pipeline.run(batch)
    (file,) = pipeline.files()
    assert file.archive_key
    assert b"".join(pipeline.store.read(pipeline.settings.archive_bucket, file.archive_key)) == snapshot("old")


@pytest.mark.usefixtures("large")
def test_a_copy_of_a_large_file_that_differs_leaves_it_in_raw(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(store: ObjectStore, _: object, __: str, bucket: str, key: str, ___: object) -> None:
        store.write(bucket, key, b"other bytes")

    monkeypatch.setattr(ObjectStore, "copy", wrong)
    pipeline.put("large.csv", snapshot("large"))
    pipeline.look()
    batch = pipeline.claim() or 0
    pipeline.run(batch, "validate", "transform", "load")
    with pytest.raises(TransientError, match="1 files could not be moved"):
        pipeline.run(batch, "archive")
    assert pipeline.states() == {"large.csv": "loaded"}
    assert len(pipeline.raw()) == 1


def test_one_version_is_deleted_alone(pipeline: Pipeline) -> None:
    old, new = (pipeline.put("twice.csv", snapshot(content)) for content in ("old", "new"))
    pipeline.store.delete_version(pipeline.settings.raw_bucket, "twice.csv", old)
    assert pipeline.raw() == [("twice.csv", new)]


@pytest.mark.parametrize("key", ["plain.csv", "a b+c%2F/é~&=?#'().csv", "k" * 200 + ".csv"])
def test_one_request_reads_and_puts_an_object_without_the_client(
    pipeline: Pipeline, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, content = pipeline.store, snapshot(key)
    version = store.write("raw", key, content)
    monkeypatch.setattr(store, "client", None)
    assert b"".join(store.read("raw", key, version)) == content
    assert b"".join(store.read_unless_deleted("raw", key, version) or []) == content
    assert store.put_checked("archive", key, content, hashlib.sha256(content).hexdigest(), {"mdp-key": "a"})
