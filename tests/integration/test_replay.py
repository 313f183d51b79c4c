"""Replay: what failed is tried again, what was rejected is validated again."""

from datetime import timedelta

import pytest

from etl.move_files import put_back
from minidata import ledger
from minidata.errors import ObjectGoneError, PermanentError
from minidata.settings import load_settings
from tests.e2e.test_from_upload_to_table import snapshot
from tests.integration.conftest import Pipeline

GOOD = snapshot(1, 20)
HEADER_ONLY = GOOD.split(b"\n", 1)[0] + b"\n"
HALF_BAD = GOOD.replace(b",2020-02-29", b",2020-02-30", 10)


def refused(pipeline: Pipeline) -> list[str]:
    return [file.key for file in ledger.files_to_review(pipeline.connection) if file.reasons]


def test_a_failed_file_is_tried_again_as_if_it_had_just_come(pipeline: Pipeline) -> None:
    for key in ("a.csv", "b.csv", "c.csv"):
        pipeline.put(key, GOOD.replace(b"plain", key.encode()))
    pipeline.look()
    batch = pipeline.claim()
    assert batch is not None
    ledger.end_batch(pipeline.connection, batch)
    pipeline.execute(
        "update mdp.files set state = 'failed', attempts = 5, batch_id = null, error = 'x', "
        "suspect_batch = %s, suspect_files = 1, due_at = clock_timestamp() + interval '1 hour'",
        batch,
    )
    assert ledger.waiting(pipeline.connection, "youtube_stats", pipeline.settings).count == 0
    arrived = {file.key: file.arrived_at for file in pipeline.files()}
    assert ledger.retry_failed(pipeline.connection, ["b.csv"], until=arrived["b.csv"]) == []
    assert ledger.retry_failed(pipeline.connection, since=max(arrived.values()) + timedelta(seconds=1)) == []
    assert [key for key, _ in ledger.retry_failed(pipeline.connection, ["b.csv", "none.csv"])] == ["b.csv"]
    assert pipeline.states() == {"a.csv": "failed", "b.csv": "pending", "c.csv": "failed"}
    assert [key for key, _ in ledger.retry_failed(pipeline.connection)] == ["a.csv", "c.csv"]
    assert pipeline.drain() == 1  # together: no suspicion is left
    assert {(file.state, file.attempts, file.error) for file in pipeline.files()} == {("archived", 1, None)}
    assert ledger.retry_failed(pipeline.connection) == []


def test_a_quarantined_file_is_validated_by_the_current_rules(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.put("ü ber/a.csv", HALF_BAD)
    pipeline.drain()
    (file,) = ledger.files_to_review(pipeline.connection)
    assert (file.state, file.reasons) == ("quarantined", ["too_many_rejected_rows"])

    monkeypatch.setenv("MDP_MAX_REJECTED_SHARE", "0.6")
    load_settings.cache_clear()
    version = put_back(pipeline.store, pipeline.settings, file)
    assert pipeline.raw() == [("ü ber/a.csv", version)]
    pipeline.drain()
    old, new = pipeline.files()
    assert (old.version, old.state) == (file.version, "quarantined")
    assert (new.version, new.state, new.rows_rejected) == (version, "archived", 10)
    assert new.sha256 == old.sha256
    assert refused(pipeline) == []


def test_a_file_that_is_still_wrong_waits_once_however_often_it_comes_back(pipeline: Pipeline) -> None:
    pipeline.put("empty.csv", HEADER_ONLY)
    pipeline.drain()
    for _ in range(2):
        (file,) = ledger.files_to_review(pipeline.connection)
        put_back(pipeline.store, pipeline.settings, file)
        pipeline.drain()
    assert len(pipeline.files()) == 3
    assert refused(pipeline) == ["empty.csv"]
    assert list(pipeline.store.keys("quarantine")) == [str(file.archive_key), f"{file.archive_key}.reasons.json"]


def test_what_waits_for_a_person_is_told_by_key_and_newest_first(pipeline: Pipeline) -> None:
    for number, key in enumerate(("one.csv", "two.csv", "one.csv")):
        pipeline.put(key, HEADER_ONLY + b"\n" * number)
        pipeline.drain()
    assert refused(pipeline) == ["one.csv", "two.csv", "one.csv"]
    assert [file.key for file in ledger.files_to_review(pipeline.connection, keys=["two.csv"])] == ["two.csv"]
    assert [file.key for file in ledger.files_to_review(pipeline.connection, limit=1)] == ["one.csv"]


def test_only_the_bytes_that_were_validated_are_put_back(pipeline: Pipeline) -> None:
    pipeline.put("empty.csv", HEADER_ONLY)
    pipeline.drain()
    (file,) = ledger.files_to_review(pipeline.connection)
    pipeline.store.write("quarantine", str(file.archive_key), b"others")
    with pytest.raises(PermanentError, match="its content has changed"):
        put_back(pipeline.store, pipeline.settings, file)
    pipeline.store.delete_prefix("quarantine", "")
    with pytest.raises(ObjectGoneError):
        put_back(pipeline.store, pipeline.settings, file)
    assert pipeline.raw() == []
