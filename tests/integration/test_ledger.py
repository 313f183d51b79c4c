"""The promises of the ledger, on the real servers: once, in any order, through any crash, and nothing lost."""

import csv
import io
import json
import signal
import time
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest

import etl.archive
from etl.move_files import archive_key
from etl.step import run_step
from minidata import ledger
from minidata.errors import ClaimLostError, TransientError
from minidata.store import ObjectStore
from minidata.warehouse.connection import Connection, connect
from tests.integration.conftest import DATASET, Pipeline

COLUMNS = [
    "video_id", "channel_id", "channel_name", "channel_subscribers", "description",
    "total_views", "total_likes", "total_dislikes", "date_created", "date_updated",
]  # fmt: skip
START = datetime(2026, 11, 1, 12, tzinfo=UTC)


def snapshot(*views: int, second: int = 0, video: str = "v") -> bytes:
    """Write a snapshot with one row for each number of views, one second apart."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for number, count in enumerate(views):
        at = START + timedelta(seconds=second + number)
        writer.writerow([video, "c", "Channel", 10, "", count, 0, 0, "2020-01-01 00:00:00", f"{at:%F %T}"])
    return out.getvalue().encode()


def views(pipeline: Pipeline) -> list[int]:
    return [row["total_views"] for row in pipeline.table("video_metrics")]


def test_a_good_file_is_loaded_archived_and_gone_from_raw(pipeline: Pipeline) -> None:
    content = snapshot(5, 7)
    pipeline.put("youtube_stats/a b+c%é.csv", content)
    assert pipeline.drain() == 1
    (file,) = pipeline.files()
    assert (file.state, file.rows_loaded, file.rows_rejected, file.attempts) == ("archived", 2, 0, 1)
    assert file.archive_key == archive_key(file.key, str(file.sha256), DATASET, file.arrived_at)
    assert b"".join(pipeline.store.read("archive", file.archive_key)) == content
    assert pipeline.raw() == []
    assert views(pipeline) == [7]


def test_the_same_content_again_is_recognised_and_changes_nothing(pipeline: Pipeline) -> None:
    pipeline.put("a.csv", snapshot(5))
    pipeline.drain()
    (first,) = pipeline.files()
    before = pipeline.tables()
    for key in ("a.csv", "b.csv", "youtube_stats/c.csv"):
        pipeline.put(key, snapshot(5))
    pipeline.drain()
    again = pipeline.files()[1:]
    assert [(f.state, f.rows_loaded, f.duplicate_of) for f in again] == [("archived", 0, first.key)] * 3
    assert pipeline.tables() == before
    assert pipeline.raw() == []


def test_twins_in_one_batch_count_once(pipeline: Pipeline) -> None:
    pipeline.put("a.csv", snapshot(5))
    pipeline.put("b.csv", snapshot(5))
    assert pipeline.drain() == 1
    assert sorted((f.rows_loaded, f.duplicate_of is None) for f in pipeline.files()) == [(0, False), (1, True)]


def test_an_invalid_file_waits_in_quarantine_with_its_reasons(pipeline: Pipeline) -> None:
    pipeline.put("youtube_stats/bad.csv", b"video_id,chanel_id\n1,2\n")
    pipeline.drain()
    (file,) = pipeline.files()
    assert (file.state, file.reasons, file.rows_loaded) == ("quarantined", ["missing_column"], 0)
    assert b"".join(pipeline.store.read("quarantine", str(file.archive_key))) == b"video_id,chanel_id\n1,2\n"
    page = json.loads(b"".join(pipeline.store.read("quarantine", f"{file.archive_key}.reasons.json")))
    assert page["key"] == file.key
    assert page["reasons"] == ["missing_column"]
    assert "channel_id" in {entry["column"] for entry in page["entries"]}
    assert pipeline.raw() == []
    assert pipeline.tables() == {name: [] for name in pipeline.dataset.tables}


def test_rejected_rows_of_a_good_file_are_kept_as_they_were(pipeline: Pipeline) -> None:
    rows = snapshot(*range(20)).decode().splitlines(keepends=True)
    rows[3] = rows[3].replace(",2,0,0,", ",minus two,0,0,")
    pipeline.put("a.csv", "".join(rows).encode())
    pipeline.drain()
    (file,) = pipeline.files()
    assert (file.state, file.rows_loaded, file.rows_rejected) == ("archived", 19, 1)
    assert file.counts == {"not_an_integer": 1}
    expected = {"line": 4, "column": "total_views", "code": "not_an_integer", "value": "minus two"}
    assert pipeline.entries("a.csv") == [expected]
    rejects = b"".join(pipeline.store.read("quarantine", str(file.rejects_key))).decode()
    assert rows[3].strip() in rejects


def test_a_value_with_nul_and_a_column_with_nul_in_its_name_are_kept(pipeline: Pipeline) -> None:
    rows = snapshot(*range(20)).decode().splitlines()
    rows[0] += ",extra\0column"
    rows[1:] = [row + "," for row in rows[1:]]
    rows[5] = rows[5].replace("v,c,", "v\0,c,")
    pipeline.put("a.csv", "\n".join(rows).encode())
    pipeline.drain()
    (file,) = pipeline.files()
    assert (file.state, file.drift) == ("archived", ["extra\0column"])
    assert [entry["value"] for entry in pipeline.entries("a.csv")] == ["v\0"]


def test_a_key_overwritten_while_loading_goes_on_loses_no_version(pipeline: Pipeline) -> None:
    written = []
    for number in range(50):
        written.append(pipeline.put("same.csv", snapshot(number, second=number)))
        if number % 7 == 3:
            pipeline.look()
            batch = pipeline.claim()
            assert batch is not None
            written.append(pipeline.put("same.csv", snapshot(1000 + number, second=number)))
            pipeline.run(batch)
    pipeline.drain()
    files = pipeline.files()
    assert sorted(f.version for f in files) == sorted(written)
    assert {f.state for f in files} == {"archived"}
    assert pipeline.raw() == []
    assert pipeline.table("videos")[0]["total_views"] == 1045
    assert pipeline.table("videos")[0]["last_updated"] == (START + timedelta(seconds=49)).replace(tzinfo=None)


def test_a_version_that_is_gone_before_it_could_be_read_is_superseded(pipeline: Pipeline) -> None:
    version = pipeline.put("a.csv", snapshot(1))
    pipeline.put("b.csv", snapshot(2))
    pipeline.look()
    pipeline.store.delete_version("raw", "a.csv", version)
    pipeline.drain()
    assert pipeline.states() == {"a.csv": "superseded", "b.csv": "archived"}


def test_an_upload_between_copy_and_delete_is_not_deleted(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.put("a.csv", snapshot(1))
    delete = ObjectStore.delete_versions

    def late_upload(store: ObjectStore, bucket: str, versions: list[tuple[str, str]]) -> None:
        pipeline.put("a.csv", snapshot(2))
        delete(store, bucket, versions)

    pipeline.look()
    batch = pipeline.claim() or 0
    with monkeypatch.context() as race:
        race.setattr(ObjectStore, "delete_versions", late_upload)
        pipeline.run(batch)
    assert len(pipeline.raw()) == 1
    pipeline.drain()
    assert [f.state for f in pipeline.files()] == ["archived", "archived"]
    assert pipeline.raw() == []


def test_a_failed_move_is_tried_again_and_never_loads_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.put("a.csv", snapshot(1))
    pipeline.put("bad.csv", b"nothing")

    def fails(*_: Any) -> None:
        raise TransientError("the store is away")

    with monkeypatch.context() as broken:
        broken.setattr(etl.archive, "copy_file", fails)
        pipeline.look()
        batch = pipeline.claim() or 0
        pipeline.run(batch, "validate", "transform", "load")
        with pytest.raises(TransientError, match="2 files could not be moved"):
            pipeline.run(batch, "archive")
    assert pipeline.states() == {"a.csv": "loaded", "bad.csv": "invalid"}
    pipeline.execute("update mdp.files set due_at = now()")
    assert pipeline.look().count == 2
    assert pipeline.drain() == 1
    assert pipeline.states() == {"a.csv": "archived", "bad.csv": "quarantined"}
    assert [f.attempts for f in pipeline.files()] == [1, 1]


@pytest.mark.parametrize("point", ["put_checked", "delete_versions"])
def test_a_worker_killed_between_two_steps_of_a_move_leaves_the_object_in_one_place(
    pipeline: Pipeline, point: str
) -> None:
    pipeline.put("a.csv", snapshot(1))
    pipeline.look()
    batch = pipeline.claim() or 0
    pipeline.run(batch, "validate", "transform", "load")
    kill = f"""
import os, signal
from minidata.store import ObjectStore
done = ObjectStore.{point}
def die(*args, **kw):
    done(*args, **kw)
    os.kill(os.getpid(), signal.SIGKILL)
ObjectStore.{point} = die
from etl.step import run_step
run_step("archive", {batch})
"""
    assert pipeline.program(kill).wait() == -signal.SIGKILL
    assert pipeline.states() == {"a.csv": "loaded"}
    ledger.release(pipeline.connection, batch, "killed", pipeline.settings)
    pipeline.drain()
    (file,) = pipeline.files()
    assert (file.state, file.attempts) == ("archived", 1)
    assert pipeline.raw() == []
    assert b"".join(pipeline.store.read("archive", str(file.archive_key))) == snapshot(1)
    assert views(pipeline) == [1]


def test_a_late_holder_cannot_commit(pipeline: Pipeline) -> None:
    pipeline.put("a.csv", snapshot(1))
    pipeline.look()
    late = pipeline.claim() or 0
    pipeline.run(late, "validate", "transform")
    pipeline.execute("update mdp.batches set lease_until = now() - interval '1 second'")
    assert pipeline.look().count == 1
    other = pipeline.claim() or 0
    assert other != late
    with pytest.raises(ClaimLostError):
        pipeline.run(late, "load")
    assert views(pipeline) == []
    pipeline.run(other)
    assert views(pipeline) == [1]
    with pytest.raises(ClaimLostError):
        pipeline.run(late, "archive")


def test_a_claim_lost_in_the_middle_of_a_load_rolls_everything_back(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.put("a.csv", snapshot(1))
    pipeline.look()
    batch = pipeline.claim() or 0
    pipeline.run(batch, "validate", "transform")
    check = ledger.assert_claim

    def too_late(connection: Any, batch_id: int) -> None:
        with connect(pipeline.settings, "loader") as other:
            ledger.release(other, batch_id, "too late", pipeline.settings)
        check(connection, batch_id)

    with monkeypatch.context() as slow:
        slow.setattr(ledger, "assert_claim", too_late)
        with pytest.raises(ClaimLostError):
            run_step("load", batch)
    assert pipeline.tables() == {name: [] for name in pipeline.dataset.tables}
    assert pipeline.states() == {"a.csv": "pending"}


def test_while_a_step_works_its_lease_is_renewed(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.put("a.csv", snapshot(1))
    pipeline.look()
    batch = pipeline.claim() or 0
    (before,) = pipeline.execute("select lease_until from mdp.batches")
    time.sleep(0.05)
    pipeline.run(batch, "validate")
    (after,) = pipeline.execute("select lease_until from mdp.batches")
    assert after > before


KILLER = """
import os, signal
import etl.validate
read = etl.validate._stored
def poisoned(work, file):
    if file.key == "killer.csv":
        os.kill(os.getpid(), signal.SIGKILL)
    return read(work, file)
etl.validate._stored = poisoned
from etl.extract import extract
from etl.step import run_step
batch = extract("youtube_stats", "run")
for step in ("validate", "transform", "load", "archive"):
    run_step(step, batch)
"""


def test_a_file_that_kills_its_worker_takes_no_other_along(pipeline: Pipeline) -> None:
    for number in range(40):
        pipeline.put("killer.csv" if number == 17 else f"{number}.csv", snapshot(number, second=number))
    pipeline.look()
    deaths = 0
    while pipeline.execute("select 1 from mdp.files where state = 'pending'"):
        deaths += pipeline.program(KILLER).wait() == -signal.SIGKILL
        ledger.release_run(pipeline.connection, "run", "killed", pipeline.settings)
    states = pipeline.states()
    assert states.pop("killer.csv") == "failed"
    assert set(states.values()) == {"archived"}
    assert deaths <= 8  # 40, 20, 10, 5, 3, 2, 1: halves, not one by one
    assert [key for key, _ in pipeline.raw()] == ["killer.csv"]


def test_nothing_is_claimed_while_the_store_is_away(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.put("a.csv", snapshot(1))
    pipeline.look()

    def away(*_: object) -> None:
        raise TransientError("away")

    monkeypatch.setattr(ObjectStore, "check", away)
    with pytest.raises(TransientError):
        pipeline.claim()
    assert [f.attempts for f in pipeline.files()] == [0]


def test_folders_are_no_files(pipeline: Pipeline) -> None:
    pipeline.put("youtube_stats/", b"")
    assert pipeline.look().count == 0


def test_a_batch_is_bounded_in_files_and_bytes(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        pipeline.put(f"{number}.csv", snapshot(number))
    pipeline.look()
    size = len(snapshot(0))
    for limits, files in (({"batch_files": 3}, 3), ({"batch_bytes": 2 * size}, 2), ({"batch_bytes": 1}, 1)):
        batch = ledger.claim(pipeline.connection, DATASET, "r", pipeline.settings.model_copy(update=limits))
        assert batch is not None
        assert len(ledger.batch_files(pipeline.connection, batch.batch_id)) == files


def test_two_claims_at_once_share_no_file(pipeline: Pipeline) -> None:
    for number in range(6):
        pipeline.put(f"{number}.csv", snapshot(number))
    pipeline.look()
    few = pipeline.settings.model_copy(update={"batch_files": 3})
    with connect(pipeline.settings, "loader") as other:
        first = ledger.claim(pipeline.connection, DATASET, "a", few)
        second = ledger.claim(other, DATASET, "b", few)
    assert first is not None
    assert second is not None
    files = [{f.key for f in ledger.batch_files(pipeline.connection, batch.batch_id)} for batch in (first, second)]
    assert files[0].isdisjoint(files[1])
    assert len(files[0] | files[1]) == 6
    pipeline.run(second.batch_id)
    pipeline.run(first.batch_id)
    assert set(pipeline.states().values()) == {"archived"}


def test_a_batch_that_ends_leaves_its_moves_to_the_next(pipeline: Pipeline) -> None:
    pipeline.put("a.csv", snapshot(1))
    pipeline.look()
    batch = pipeline.claim() or 0
    pipeline.run(batch, "validate", "transform", "load")
    ledger.end_batch(pipeline.connection, batch)
    assert pipeline.execute("select batch_id, state::text from mdp.files") == [(None, "loaded")]


def staged_twins(pipeline: Pipeline) -> tuple[int, int]:
    """Return two batches with one content each, the same one, that wait for their load."""
    for name in ("a.csv", "b.csv"):
        pipeline.put(name, snapshot(5))
    pipeline.look()
    one = pipeline.settings.model_copy(update={"batch_files": 1})
    first, second = (ledger.claim(pipeline.connection, DATASET, run, one) for run in ("a", "b"))
    assert first
    assert second
    for batch in (first, second):
        pipeline.run(batch.batch_id, "validate", "transform")
    return first.batch_id, second.batch_id


def test_a_content_that_another_batch_has_just_loaded_is_not_loaded_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = staged_twins(pipeline)
    lock = ledger.lock_dataset

    def late(connection: Connection, dataset: str) -> None:
        monkeypatch.setattr(ledger, "lock_dataset", lock)
        run_step("load", first)
        lock(connection, dataset)

    monkeypatch.setattr(ledger, "lock_dataset", late)
    with pytest.raises(TransientError, match="Another batch has just loaded"):
        run_step("load", second)
    assert pipeline.states() == {"a.csv": "loaded", "b.csv": "pending"}


def test_loads_of_a_dataset_take_turns(pipeline: Pipeline) -> None:
    first, _ = staged_twins(pipeline)
    load = Thread(target=run_step, args=("load", first))
    with connect(pipeline.settings, "loader") as other, other.transaction():
        ledger.lock_dataset(other, DATASET)
        load.start()
        load.join(2)
        assert load.is_alive()
        assert views(pipeline) == []
    load.join(30)
    assert views(pipeline) == [5]


def test_a_later_copy_of_which_fewer_rows_are_in_the_future_is_loaded_too(pipeline: Pipeline) -> None:
    rows = snapshot(*range(20)).decode().splitlines()
    soon = datetime.now(UTC) + timedelta(days=2)
    future = ",".join([*rows[-1].split(",")[:-1], f"{soon:%F %T}"]).replace(",19,", ",99,")
    content = "\n".join([*rows, future, ""]).encode()
    pipeline.put("early.csv", content)
    pipeline.drain()
    assert views(pipeline) == [19]
    pipeline.put("late.csv", content)
    pipeline.look()
    pipeline.execute("update mdp.files set arrived_at = arrived_at + interval '3 days' where key = 'late.csv'")
    pipeline.drain()
    assert views(pipeline) == [19, 99]
    assert [file.duplicate_of for file in pipeline.files()] == [None, None]


def test_a_content_of_another_dataset_is_not_taken_for_known(pipeline: Pipeline) -> None:
    pipeline.put("a.csv", snapshot(5))
    pipeline.drain()
    pipeline.execute("update mdp.files set dataset = 'another'")
    pipeline.put("b.csv", snapshot(5))
    pipeline.drain()
    assert [(file.duplicate_of, file.rows_loaded) for file in pipeline.files()] == [(None, 1), (None, 1)]


def test_staging_is_swept_once_it_is_old(pipeline: Pipeline) -> None:
    pipeline.put("a.csv", snapshot(1))
    pipeline.drain()
    assert list(pipeline.store.keys("staging"))
    pipeline.execute("update mdp.batches set ended_at = now() - interval '25 hours'")
    pipeline.put("b.csv", snapshot(2))
    pipeline.drain()
    (fresh,) = pipeline.execute("select token::text from mdp.batches where swept_at is null")
    assert {key.split("/")[0] for key in pipeline.store.keys("staging")} == {fresh[0]}
