"""Open quarantine: what waits for a person, and what closes it."""

import json
from pathlib import Path

import pytest

from etl.move_files import put_back
from minidata import ledger
from minidata.settings import PROJECT
from minidata.warehouse.connection import connect
from tests.corpus.case import HEADER, good_lines
from tests.integration.conftest import Pipeline
from tests.integration.test_command import mdp

GOOD = f"{HEADER}\n{good_lines('one', 5)}".encode()
BAD = b"a,b\n1,2\n"
ONE_REJECT = GOOD + good_lines("one", 19).encode() + good_lines("two", 1).replace(",10,", ",ten,", 1).encode()


def arrive(pipeline: Pipeline, key: str, content: bytes) -> str:
    version = pipeline.put(key, content)
    pipeline.drain()
    return version


def open_keys(pipeline: Pipeline) -> list[str]:
    return [file.key for file in ledger.files_to_review(pipeline.connection)]


def test_a_key_deleted_before_its_claim_is_superseded_and_not_loaded(pipeline: Pipeline) -> None:
    pipeline.put("gone.csv", GOOD)
    pipeline.put("kept.csv", GOOD.replace(b"one", b"six"))
    pipeline.put("gone.csv.csv", GOOD.replace(b"one", b"ten"))
    pipeline.look()
    pipeline.store.client.delete_object(Bucket="raw", Key="gone.csv")
    pipeline.drain()
    assert pipeline.states() == {"gone.csv": "superseded", "kept.csv": "archived", "gone.csv.csv": "archived"}
    (file,) = ledger.find_files(pipeline.connection, key="gone.csv")
    assert file.message == "Deleted from raw by its uploader before it was read."
    assert [key for key, _ in pipeline.raw()] == ["gone.csv"]  # the version under the marker is the uploader's
    pipeline.put("gone.csv", GOOD)
    pipeline.drain()
    assert [f.state for f in pipeline.files() if f.key == "gone.csv"] == ["superseded", "archived"]


def test_a_key_deleted_and_uploaded_again_before_its_claim_is_loaded(pipeline: Pipeline) -> None:
    pipeline.put("again.csv", GOOD)
    pipeline.store.client.delete_object(Bucket="raw", Key="again.csv")
    pipeline.put("again.csv", GOOD.replace(b"one", b"six"))
    pipeline.drain()
    assert {f.state for f in pipeline.files()} == {"archived"}


def test_a_refused_file_is_open_until_a_later_version_is_accepted(pipeline: Pipeline) -> None:
    arrive(pipeline, "a.csv", BAD)
    arrive(pipeline, "other.csv", GOOD)
    assert open_keys(pipeline) == ["a.csv"]
    assert ledger.count_open(pipeline.connection) == {"quarantined": 1, "failed": 0, "rejects": 0}
    assert pipeline.execute("select files_quarantined from mart.freshness") == [(1,)]
    version = arrive(pipeline, "a.csv", GOOD.replace(b"one", b"six"))
    assert open_keys(pipeline) == []
    assert ledger.count_states(pipeline.connection) == {"archived": 2}
    assert pipeline.execute("select key from mart.file_quarantine") == []
    assert pipeline.execute("select files_quarantined from mart.freshness") == [(0,)]
    (file,) = [f for f in ledger.files_to_review(pipeline.connection, closed=True) if f.state == "quarantined"]
    assert (file.closed_by, file.why) == (f"version {version} of a.csv", "A later version was accepted.")
    assert file.closed_at is not None


def test_an_earlier_version_closes_nothing(pipeline: Pipeline) -> None:
    arrive(pipeline, "a.csv", GOOD)
    arrive(pipeline, "a.csv", BAD)
    assert open_keys(pipeline) == ["a.csv"]


def test_versions_close_each_other_whichever_is_moved_first(pipeline: Pipeline) -> None:
    """The later version reaches its place before the earlier one is refused."""
    pipeline.put("a.csv", BAD)
    pipeline.put("a.csv", GOOD)
    pipeline.look()
    pipeline.execute("update mdp.files set due_at = clock_timestamp() + interval '1 hour' where size = %s", len(BAD))
    pipeline.drain()
    pipeline.execute("update mdp.files set due_at = clock_timestamp()")
    pipeline.drain()
    assert [(f.state, f.open, f.closed_at is None) for f in pipeline.files()] == [
        ("quarantined", False, False),
        ("archived", False, True),
    ]


def test_the_same_content_accepted_under_another_key_closes(pipeline: Pipeline) -> None:
    arrive(pipeline, "a.txt", GOOD)
    arrive(pipeline, "a.csv", GOOD)
    assert open_keys(pipeline) == []
    (file,) = [f for f in pipeline.files() if f.key == "a.txt"]
    assert file.why == "The same content was accepted."


def test_a_replay_that_is_refused_again_leaves_one_open(pipeline: Pipeline) -> None:
    arrive(pipeline, "a.csv", BAD)
    (file,) = pipeline.files()
    put_back(pipeline.store, pipeline.settings, file)
    pipeline.drain()
    assert open_keys(pipeline) == ["a.csv"]
    assert ledger.count_states(pipeline.connection) == {"quarantined": 1}
    assert pipeline.files()[0].why == "The same content was refused again."


def test_rejected_rows_wait_until_a_corrected_version_comes(pipeline: Pipeline) -> None:
    arrive(pipeline, "a.csv", ONE_REJECT)
    assert ledger.count_open(pipeline.connection)["rejects"] == 1
    arrive(pipeline, "a.csv", ONE_REJECT)  # the same again corrects nothing
    arrive(pipeline, "copy.csv", ONE_REJECT)
    assert open_keys(pipeline) == ["a.csv"]
    arrive(pipeline, "a.csv", ONE_REJECT.replace(b",ten,", b",10,"))
    assert open_keys(pipeline) == []


def test_the_corrected_rejects_file_closes_its_file_under_any_folder(pipeline: Pipeline) -> None:
    arrive(pipeline, "a.csv", ONE_REJECT)
    (file,) = pipeline.files()
    name = str(file.rejects_key).rsplit("/", 1)[-1]
    arrive(pipeline, f"mine/{name}", GOOD.replace(b"one", b"six"))
    assert open_keys(pipeline) == []


def test_failed_files_are_open_until_they_are_replayed(pipeline: Pipeline) -> None:
    arrive(pipeline, "a.csv", GOOD)
    pipeline.execute("update mdp.files set state = 'failed'")
    assert open_keys(pipeline) == ["a.csv"]
    assert ledger.dismiss(pipeline.connection, ["a.csv"], "me", None) != []
    assert open_keys(pipeline) == []
    ledger.retry_failed(pipeline.connection)
    assert [(f.state, f.closed_at) for f in pipeline.files()] == [("pending", None)]


def test_dismissed_files_are_listed_only_with_all(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    arrive(pipeline, "a.csv", BAD)
    version = arrive(pipeline, "b.csv", BAD + b"3,4\n")
    done = json.loads(mdp(tmp_path, "quarantine", "dismiss", "b.csv", "--why", "a test", "--json"))
    assert done == [{"key": "b.csv", "version": version}]
    assert [f["key"] for f in json.loads(mdp(tmp_path, "quarantine", "ls", "--json"))] == ["a.csv"]
    found = {f["key"]: f for f in json.loads(mdp(tmp_path, "quarantine", "ls", "--all", "--json"))}
    assert (found["b.csv"]["closed_by"], found["b.csv"]["why"]) == ("ann", "a test")
    assert found["a.csv"]["closed_at"] is None
    assert "ann" in mdp(tmp_path, "quarantine", "ls", "--all")
    mdp(tmp_path, "quarantine", "dismiss", "a.csv")
    assert mdp(tmp_path, "quarantine", "ls") == "No file waits for a fix.\n"
    assert ledger.count_states(pipeline.connection) == {}


def test_the_migration_closes_what_an_existing_platform_has_settled(pipeline: Pipeline) -> None:
    """The same history gives the same open files, whether it is settled as it happens or by the migration."""
    for key, content in (
        ("later.csv", BAD), ("later.csv", GOOD), ("before.csv", GOOD.replace(b"one", b"b")), ("before.csv", BAD),
        ("a.txt", ONE_REJECT), ("a.csv", ONE_REJECT), ("twice.csv", b"x,y\n1,1\n"), ("open.csv", b"x\n1\n"),
        ("rows.csv", ONE_REJECT.replace(b"one", b"r")), ("rows.csv", GOOD.replace(b"one", b"r")),
    ):  # fmt: skip
        arrive(pipeline, key, content)
    (file,) = ledger.find_files(pipeline.connection, key="twice.csv")
    put_back(pipeline.store, pipeline.settings, file)
    pipeline.drain()
    columns = "file_id, open, closed_by, closed_why"
    settled = pipeline.execute(f"select {columns} from mdp.files order by file_id")
    assert {why for *_, why in settled} == {
        None,
        "A later version was accepted.",
        "The same content was accepted.",
        "The same content was refused again.",
    }
    statement = (PROJECT / "warehouse/migrations/0003_quarantine.sql").read_text().split("closed already:", 1)[1]
    with connect(pipeline.settings, "owner") as owner:
        owner.execute("update mdp.files set closed_at = null, closed_by = null, closed_why = null")
        owner.execute(statement.split("\n", 1)[1].encode())
        assert owner.execute(f"select {columns} from mdp.files order by file_id".encode()).fetchall() == settled
        owner.rollback()


def test_a_hundred_thousand_open_files_are_listed_by_an_index(pipeline: Pipeline) -> None:
    with connect(pipeline.settings, "owner") as owner:
        owner.execute(
            "insert into mdp.files (key, version, size, arrived_at, dataset, state, sha256) "
            "select 'k' || n || '.csv', 'v', 1, now() - n * interval '1 s', 'youtube_stats', 'quarantined', "
            "encode(sha256(n::text::bytea), 'hex') from generate_series(1, 100000) n"
        )
        owner.execute("analyze mdp.files")
        owner.commit()
    found = ledger.files_to_review(pipeline.connection, limit=50)
    assert [found[0].key, len(found)] == ["k1.csv", 50]
    plan = pipeline.execute("explain select * from mdp.files where open order by arrived_at desc, file_id desc limit 9")
    assert "Index Scan" in str(plan)
    assert "Sort" not in str(plan)
    started = pipeline.execute("select clock_timestamp()")[0][0]
    arrive(pipeline, "k7.csv", GOOD)
    assert (pipeline.execute("select clock_timestamp()")[0][0] - started).total_seconds() < 10
    (old, new) = sorted(ledger.find_files(pipeline.connection, key="k7.csv"), key=lambda file: file.file_id)
    assert (old.open, new.state) == (False, "archived")
