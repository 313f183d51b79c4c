"""When the platform is at fault: no file pays for it, no success is made up, and the others go on."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

import etl.load
import etl.step
from etl.step import run_step
from minidata import ledger
from minidata.errors import PermanentError, TransientError
from minidata.store import ObjectStore
from minidata.warehouse.connection import connect, is_outage
from tests.integration.conftest import STEPS, Pipeline
from tests.integration.test_ledger import snapshot, views


def refuse(
    monkeypatch: pytest.MonkeyPatch, method: str, wanted: Callable[..., bool], error: type[Exception] = PermanentError
) -> None:
    """Let the store refuse what it is asked, if that is wanted."""
    real = getattr(ObjectStore, method)

    def asked(store: ObjectStore, bucket: str, *arguments: Any) -> Any:
        if wanted(bucket, *arguments):
            raise error(f"The store refuses {bucket}.")
        return real(store, bucket, *arguments)

    monkeypatch.setattr(ObjectStore, method, asked)


@pytest.mark.parametrize(
    ("begun", "step"), [(("validate",), "transform"), (("validate", "transform"), "load")], ids=["rows", "rollups"]
)
def test_what_staging_has_lost_is_read_again(pipeline: Pipeline, begun: tuple[str, ...], step: str) -> None:
    pipeline.put("a.csv", snapshot(5))
    pipeline.look()
    batch = pipeline.claim()
    assert batch is not None
    pipeline.run(batch, *begun)
    assert pipeline.store.delete_prefix(pipeline.settings.staging_bucket, "")
    with pytest.raises(TransientError, match="Staging holds 0"):
        run_step(step, batch)
    assert pipeline.states() == {"a.csv": "pending"}
    pipeline.drain()
    assert pipeline.states() == {"a.csv": "archived"}
    assert views(pipeline) == [5]


def test_a_refused_bucket_costs_no_attempt_and_parts_no_batch(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        pipeline.put(f"{number}.csv", snapshot(number))
    pipeline.look()
    with monkeypatch.context() as refused:
        refuse(refused, "write", lambda bucket, *_: bucket == pipeline.settings.staging_bucket)
        for _ in range(pipeline.settings.max_attempts + 1):
            batch = pipeline.claim()
            assert batch is not None
            with pytest.raises(PermanentError):
                run_step("validate", batch)
    assert {(f.state, f.attempts, f.error) for f in pipeline.files()} == {
        ("pending", 0, f"PermanentError: The store refuses {pipeline.settings.staging_bucket}.")
    }
    assert pipeline.drain() == 1
    assert set(pipeline.states().values()) == {"archived"}


@pytest.mark.parametrize("skipped", ["validate", "transform", "load"])
def test_a_task_that_is_marked_as_a_success_and_never_ran_strands_no_file(pipeline: Pipeline, skipped: str) -> None:
    pipeline.put("a.csv", snapshot(5))
    pipeline.put("bad.csv", b"nothing\n")
    pipeline.look()
    batch = pipeline.claim() or 0
    ran = [step for step in STEPS if step != skipped]
    with contextlib.suppress(TransientError):  # load misses what transform would have made
        pipeline.run(batch, *ran)
    pipeline.drain()
    assert pipeline.states() == {"a.csv": "archived", "bad.csv": "quarantined"}
    assert [f.attempts for f in pipeline.files()] == [1, 1]
    assert views(pipeline) == [5]


def test_a_step_that_cannot_begin_costs_no_attempt(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.put("a.csv", snapshot(5))
    pipeline.look()
    batch = pipeline.claim()
    assert batch is not None
    with monkeypatch.context() as refused:
        refused.setattr(etl.step, "ObjectStore", _refused)
        with pytest.raises(TransientError):
            run_step("validate", batch)
    assert [(f.state, f.attempts) for f in pipeline.files()] == [("pending", 0)]
    pipeline.drain()
    assert pipeline.states() == {"a.csv": "archived"}


def _refused(settings: object) -> ObjectStore:
    raise TransientError("The store does not answer.")


def test_the_pause_grows_with_the_batches_that_died_of_late(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MDP_RETRY_SECONDS", "1")
    etl.step.load_settings.cache_clear()
    pipeline.put("a.csv", snapshot(5))
    pipeline.look()
    refuse(monkeypatch, "write", lambda bucket, *_: bucket == pipeline.settings.staging_bucket)
    pauses = []
    for _ in range(8):
        batch = pipeline.claim()
        assert batch is not None
        with pytest.raises(PermanentError):
            run_step("validate", batch)
        [(pause,)] = pipeline.execute(
            "select round(extract(epoch from due_at - ended_at)) from mdp.files, "
            "(select max(ended_at) as ended_at from mdp.batches) b"
        )
        pauses.append(int(pause))
        pipeline.execute("update mdp.files set due_at = clock_timestamp()")
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_an_object_that_cannot_be_read_stops_no_other(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("a.csv", "sealed.csv", "z.csv"):
        pipeline.put(key, snapshot(5, video=key))
    pipeline.look()
    real = ObjectStore.read_unless_deleted

    def read(store: ObjectStore, bucket: str, key: str, version: str) -> Iterator[bytes] | None:
        if key == "sealed.csv":
            raise TransientError("The object is encrypted with a customer's key.")
        return real(store, bucket, key, version)

    monkeypatch.setattr(ObjectStore, "read_unless_deleted", read)
    pipeline.drain()
    assert pipeline.states() == {"a.csv": "archived", "sealed.csv": "failed", "z.csv": "archived"}
    sealed = next(f for f in pipeline.files() if f.key == "sealed.csv")
    assert (sealed.attempts, sealed.error) == (
        pipeline.settings.max_attempts,
        "The object is encrypted with a customer's key.",
    )
    assert {f.attempts for f in pipeline.files() if f.state == "archived"} == {1}


def test_a_store_that_goes_away_while_reading_is_no_fault_of_the_file(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.put("a.csv", snapshot(5))
    pipeline.look()
    batch = pipeline.claim()
    assert batch is not None
    with monkeypatch.context() as away:
        for method in ("read_unless_deleted", "check"):
            refuse(away, method, lambda *_: True, TransientError)
        with pytest.raises(TransientError):
            run_step("validate", batch)
    assert [(f.state, f.attempts) for f in pipeline.files()] == [("pending", 0)]
    pipeline.drain()
    assert views(pipeline) == [5]


def test_a_refused_quarantine_keeps_no_good_file_from_the_archive(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.put("bad.csv", b"nothing\n")
    pipeline.put("good.csv", snapshot(5))
    pipeline.look()
    batch = pipeline.claim()
    assert batch is not None
    with monkeypatch.context() as refused:
        refuse(refused, "write", lambda bucket, *_: bucket == pipeline.settings.quarantine_bucket)
        pipeline.run(batch, "validate", "transform", "load")
        with pytest.raises(TransientError, match="1 files could not be moved"):
            run_step("archive", batch)
        assert pipeline.states() == {"bad.csv": "invalid", "good.csv": "archived"}
        assert pipeline.claim() is None, "it waits before it is tried again"
    pipeline.execute("update mdp.files set due_at = clock_timestamp() where state = 'invalid'")
    pipeline.drain()
    assert pipeline.states()["bad.csv"] == "quarantined"


def test_a_lost_connection_gives_the_batch_back_at_once(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.put("a.csv", snapshot(5))
    pipeline.look()
    batch = pipeline.claim()
    assert batch is not None
    pipeline.run(batch, "validate", "transform")
    real = etl.load.merge

    def cut(connection: Any, *others: Any) -> Any:
        with psycopg.connect(connection.info.dsn, password=connection.info.password, autocommit=True) as other:
            other.execute("select pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
        return real(connection, *others)

    with monkeypatch.context() as lost:
        lost.setattr(etl.load, "merge", cut)
        with pytest.raises(psycopg.OperationalError):
            run_step("load", batch)
    assert [(f.state, f.attempts) for f in pipeline.files()] == [("pending", 0)]
    pipeline.drain()
    assert views(pipeline) == [5]


def test_a_load_is_committed_when_it_ends_and_holds_no_lock_that_its_heartbeat_wants(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.put("a.csv", snapshot(5))
    pipeline.look()
    batch = pipeline.claim()
    assert batch is not None
    pipeline.run(batch, "validate", "transform")
    seen: list[tuple[str, list[int]]] = []
    real = etl.step.STEPS["load"]

    def load(work: Any) -> Any:
        counts = real(work)
        ledger.renew(pipeline.connection, batch, pipeline.settings)  # would wait forever
        seen.append((pipeline.states()["a.csv"], views(pipeline)))
        return counts

    monkeypatch.setitem(etl.step.STEPS, "load", load)
    pipeline.execute("set lock_timeout = '5s'")
    pipeline.run(batch, "load")
    assert seen == [("loaded", [5])]


@pytest.mark.parametrize(
    ("query", "outage"),
    [
        ("select pg_terminate_backend(pg_backend_pid())", True),
        ("select repeat('x', 1 << 30)", False),
        ("nonsense", False),
        ("create role somebody", True),  # it is the platform that lacks a right
    ],
)
def test_what_a_query_asks_for_is_no_outage(pipeline: Pipeline, query: str, outage: bool) -> None:
    with psycopg.connect(pipeline.connection.info.dsn, password=pipeline.connection.info.password) as connection:
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(query.encode())
        assert is_outage(caught.value) is outage


def test_a_worker_that_stands_still_in_a_transaction_loses_it_and_its_locks(pipeline: Pipeline) -> None:
    with connect(pipeline.settings, "loader", idle_seconds=0.2) as stopped:
        stopped.execute("begin")
        stopped.execute("select pg_advisory_xact_lock(1)")
        pipeline.execute("set lock_timeout = '10s'")
        pipeline.execute("select pg_advisory_xact_lock(1)")
        with pytest.raises(psycopg.Error) as caught:
            stopped.execute("select 1")
    assert is_outage(caught.value)


def test_a_bucket_without_versions_is_refused(pipeline: Pipeline) -> None:
    pipeline.store.require_versions(pipeline.settings.raw_bucket)
    with pytest.raises(PermanentError, match=r"staging .* keeps no versions"):
        pipeline.store.require_versions(pipeline.settings.staging_bucket)


def test_an_object_that_is_listed_and_not_given_out_is_not_called_gone(pipeline: Pipeline) -> None:
    """SeaweedFS lists U+0001 as U+FFFD, and knows no object of that name."""
    key = "odd\x01name.csv"
    version = pipeline.put(key, snapshot(5))
    try:
        pipeline.put("good.csv", snapshot(5))
        pipeline.drain()
        assert pipeline.states() == {"odd\ufffdname.csv": "failed", "good.csv": "archived"}
        assert "under another name" in str(next(f for f in pipeline.files() if f.state == "failed").error)
    finally:  # who empties the bucket by what is listed does not find it
        pipeline.store.delete_version(pipeline.settings.raw_bucket, key, version)
