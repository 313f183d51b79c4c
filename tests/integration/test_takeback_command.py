"""`files exclude`, `files include`, `rebuild` and `lineage` as people call them, and what stands in their way."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from minidata import ledger, rebuild
from minidata.errors import PermanentError, TransientError
from minidata.ledger.contents import Content, contents
from minidata.settings import load_settings
from minidata.warehouse.checksum import checksums
from minidata.warehouse.connection import Connection, connect
from minidata.warehouse.migrate import apply_declarations
from operate.cli.app import app
from tests.corpus.case import HEADER
from tests.integration.conftest import DATASET, Pipeline
from tests.integration.test_takeback import archive, chosen, exclude, shadow

ROWS = {
    "one.csv": [
        "v1,c1,Alpha,10,first,100,5,1,2020-01-01 00:00,2025-06-01 12:00:01",
        "v2,c1,Alpha,10,other,7,2,0,2019-01-01 00:00,2025-06-01 12:00:02",
    ],
    "two.csv": ["v1,c1,Beta,12,second,90,9,1,2020-01-01 00:00,2025-06-01 12:00:05"],
    "three.csv": ["v1,c1,Gamma,15,third,130,9,3,2020-01-01 00:00,2025-06-01 12:00:31"],
}
ABSURD = {"bad.csv": ["v1,c1,Zzz,9000000000000000,wrong,9000000000000000,9,3,2020-01-01 00:00,2025-06-01 12:00:40"]}


def put(pipeline: Pipeline, files: dict[str, list[str]]) -> None:
    for key, rows in files.items():
        pipeline.put(key, "\n".join([HEADER, *rows, ""]).encode())
        pipeline.drain()


@pytest.fixture
def loaded(pipeline: Pipeline) -> Pipeline:
    put(pipeline, ROWS)
    return pipeline


@pytest.fixture
def owner(pipeline: Pipeline) -> Iterator[Connection]:
    with connect(pipeline.settings, "owner") as connection:
        connection.autocommit = True
        yield connection


def mdp(tmp_path: Path, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["--state", str(tmp_path), *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def found(pipeline: Pipeline) -> dict[str, tuple[int, str]]:
    return checksums(pipeline.connection, pipeline.dataset)


def test_absurd_values_leave_no_trace_and_come_back(loaded: Pipeline, tmp_path: Path) -> None:
    before = found(loaded)
    put(loaded, ABSURD)
    wrong = found(loaded)
    assert wrong != before
    assert mdp(tmp_path, "files", "exclude", "bad.csv", "--why", "absurd", "--yes") == "1 file excluded.\n"
    assert found(loaded) == before
    (file,) = [file for file in loaded.files() if file.key == "bad.csv"]
    assert file.excluded_at
    assert file.excluded_by
    assert (file.state, file.excluded_why, file.rows_loaded) == ("excluded", "absurd", 0)
    assert mdp(tmp_path, "files", "include", "bad.csv", "--yes") == "1 file included.\n"
    assert found(loaded) == wrong
    assert loaded.states()["bad.csv"] == "archived"


def test_files_are_chosen_by_pattern_time_and_run(loaded: Pipeline, tmp_path: Path) -> None:
    def excluded(*arguments: str) -> list[str]:
        keys = [file["key"] for file in json.loads(mdp(tmp_path, "files", "exclude", "--yes", "--json", *arguments))]
        mdp(tmp_path, "files", "include", "--yes", *keys)
        return keys

    assert excluded("t*.csv") == ["two.csv", "three.csv"]
    assert excluded("?n?.csv") == ["one.csv"]
    arrived = {file.key: file.arrived_at for file in loaded.files()}
    loaded.execute("update mdp.files set arrived_at = arrived_at - interval '1 day' where key = 'one.csv'")
    middle = f"{arrived['one.csv']:%Y-%m-%dT%H:%M:%S}"
    assert excluded("--to", middle) == ["one.csv"]
    assert excluded("--from", middle) == ["two.csv", "three.csv"]
    loaded.execute("update mdp.batches set run = 'run 7' where batch_id = (select min(batch_id) from mdp.batches)")
    assert excluded("--run", "run 7") == ["one.csv"]


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("pending", "not loaded yet"),
        ("claimed", "being loaded"),
        ("loaded", "being moved"),
        ("excluded", "excluded already"),
        ("quarantined", "never loaded"),
    ],
)
def test_what_cannot_be_excluded_says_why(loaded: Pipeline, tmp_path: Path, state: str, says: str) -> None:
    loaded.execute("update mdp.files set state = %s::mdp.file_state where key = 'one.csv'", state)
    with pytest.raises(PermanentError, match=says):
        mdp(tmp_path, "files", "exclude", "one.csv", "--yes")
    with pytest.raises(PermanentError, match="no such file"):
        mdp(tmp_path, "files", "exclude", "none.csv", "--yes")


def test_without_a_yes_nothing_changes(loaded: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="--yes"):
        mdp(tmp_path, "files", "exclude", "one.csv")
    assert loaded.states()["one.csv"] == "archived"


def test_a_copy_that_is_being_loaded_keeps_its_content_from_being_excluded(loaded: Pipeline) -> None:
    before = found(loaded)
    loaded.put("copy.csv", "\n".join([HEADER, *ROWS["one.csv"], ""]).encode())
    loaded.look()
    batch = loaded.claim()
    assert batch is not None
    loaded.run(batch, "validate", "transform")
    with pytest.raises(TransientError, match=r"copy\.csv with the same content is being loaded"):
        exclude(loaded, "one.csv")
    loaded.run(batch, "load", "archive")
    exclude(loaded, "one.csv")
    assert found(loaded) == before
    assert [f.rows_loaded for f in loaded.files() if f.key == "copy.csv"] == [2]


def test_a_rebuild_equals_and_a_damaged_table_is_told_by_key_and_put_right(loaded: Pipeline, tmp_path: Path) -> None:
    before = found(loaded)
    (result,) = json.loads(mdp(tmp_path, "rebuild", "--verify", "--json"))
    assert (result["files"], result["rows"], result["differences"]) == (3, 4, [])
    loaded.execute("update youtube_stats.videos set total_views = 1 where video_id = 'v2'")
    loaded.execute("delete from youtube_stats.channels")
    result = CliRunner().invoke(app, ["--state", str(tmp_path), "rebuild", "--verify"])
    assert isinstance(result.exception, PermanentError)
    assert "{'channel_id': 'c1', 'video_id': 'v2'}" in result.stdout
    assert "live:    {'total_views': 1}" in result.stdout
    assert "rebuilt: {'total_views': 7}" in result.stdout
    assert "youtube_stats.channels: 0 rows, and 1 rebuilt" in result.stdout
    mdp(tmp_path, "rebuild", "--dataset", DATASET)
    assert found(loaded) == before
    with connect(loaded.settings, "bi") as bi:  # the views and the rights of readers are on the new tables
        assert bi.execute("select total_views from mart.videos order by 1").fetchall() == [(7,), (130,)]
        assert bi.execute("select count(*) from mart.video_growth").fetchone() is not None
    put(loaded, ABSURD)
    assert found(loaded) != before


def test_files_that_come_while_a_rebuild_runs_are_in_it(
    loaded: Pipeline, owner: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = rebuild.Archive.read
    late = iter([{"late 1.csv": ROWS["one.csv"][:1]}, ABSURD])

    def slow(self: rebuild.Archive, content: Content, *rest: Any) -> int:
        put(loaded, next(late, {}))
        return read(self, content, *rest)

    monkeypatch.setattr(rebuild.Archive, "read", slow)
    again = shadow(loaded, owner)
    with rebuild.exclusive(owner, DATASET):
        with pytest.raises(TransientError, match="Another command is rebuilding"):
            exclude(loaded, "one.csv")
        again.create()
        again.fill()
        rebuild.swap(again, loaded.settings)
    after = found(loaded)
    again = shadow(loaded, owner)
    again.create()
    assert rebuild.compare(again) == (after, [])
    again.drop()
    assert ("v1", 9 * 10**15) in loaded.execute("select video_id, total_views from youtube_stats.videos")


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_an_object_that_is_missing_or_changed_is_named_and_nothing_is_swapped(
    loaded: Pipeline, tmp_path: Path, damage: str
) -> None:
    loaded.execute("update youtube_stats.videos set total_views = 1")
    before = found(loaded)
    (place,) = [str(file.archive_key) for file in loaded.files() if file.key == "two.csv"]
    loaded.store.delete_prefix("archive", place)
    if damage == "changed":
        loaded.store.write("archive", place, "\n".join([HEADER, *ABSURD["bad.csv"], ""]).encode())
    with pytest.raises(PermanentError) as caught:
        mdp(tmp_path, "rebuild")
    assert place in str(caught.value)
    with pytest.raises(PermanentError, match=r"two\.csv"):
        exclude(loaded, "one.csv")
    assert found(loaded) == before
    assert loaded.states()["one.csv"] == "archived"
    put(loaded, {"two.csv": ROWS["two.csv"]})  # the way out that the message names
    mdp(tmp_path, "rebuild", "--dataset", DATASET)
    assert found(loaded) != before
    assert loaded.execute("select nspname from pg_namespace where nspname like 'rebuild%%'") == []


def test_what_a_killed_rebuild_left_is_cleared(loaded: Pipeline, owner: Connection, tmp_path: Path) -> None:
    left = shadow(loaded, owner)
    left.create()
    left.fill()
    before = found(loaded)
    mdp(tmp_path, "rebuild")
    assert found(loaded) == before
    assert loaded.execute("select nspname from pg_namespace where nspname like 'rebuild%%'") == []


def test_a_changed_declaration_is_applied_by_a_rebuild(
    loaded: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = found(loaded)
    folder = tmp_path / "datasets"
    shutil.copytree(loaded.settings.datasets_folder, folder)
    file = folder / DATASET / "dataset.yaml"
    text = file.read_text()
    changed = text.replace(
        "first_updated: {min: date_updated}", "first_updated: {min: date_updated}\n      least: {min: total_views}"
    )
    assert changed != text
    file.write_text(changed.replace("total_likes: {max: total_likes}\n", "total_likes: {min: total_likes}\n"))
    monkeypatch.setenv("MDP_DATASETS_FOLDER", str(folder))
    load_settings.cache_clear()
    with connect(loaded.settings, "owner") as owner, pytest.raises(PermanentError, match=r"\./mdp rebuild"):
        apply_declarations(owner, load_settings())
    mdp(tmp_path, "rebuild")
    with connect(loaded.settings, "bi") as bi:
        rows = bi.execute("select video_id, total_likes, least from mart.videos order by 1").fetchall()
        assert rows == [("v1", 5, 90), ("v2", 2, 7)]
        assert bi.execute("select count(*) from mart.video_growth").fetchone() is not None
    monkeypatch.delenv("MDP_DATASETS_FOLDER")
    load_settings.cache_clear()
    mdp(tmp_path, "rebuild")
    assert found(loaded) == before


def origins(tmp_path: Path, *arguments: str) -> dict[str, set[tuple[str, int]]]:
    told = json.loads(mdp(tmp_path, "lineage", *arguments, "--json"))
    return {value["column"]: {(f["key"], f["line"]) for f in value["from"]} for value in told["values"]}


def test_each_value_of_a_row_leads_to_its_lines(loaded: Pipeline, tmp_path: Path) -> None:
    first, second, third = ("one.csv", 2), ("two.csv", 2), ("three.csv", 2)
    window = origins(tmp_path, "video_metrics", "video_id=v1", "date_updated=2025-06-01 12:00:00")
    assert window["total_views"] == {first}
    assert window["total_likes"] == {second}
    assert window["description"] == window["last_updated"] == {second}
    assert window["video_id"] == {first, second}
    later = origins(tmp_path, "video_metrics", "video_id=v1", "date_updated=2025-06-01T12:00:30Z")
    assert later["views_gained"] == {first, third}
    assert later["likes_gained"] == {second, third}
    video = origins(tmp_path, "videos", "channel_id=c1", "video_id=v1")
    assert video["first_updated"] == {first}
    assert video["total_likes"] == {second, third}
    channel = origins(tmp_path, "channel_stats", "channel_id=c1")
    assert channel["total_views"] == channel["channel_name"] == {third}
    assert channel["sum_views"] == {first, second, third, ("one.csv", 3)}
    assert "three.csv" in mdp(tmp_path, "lineage", "channels", "channel_id=c1")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nosuch", "a=b"], "no table nosuch"),
        (["videos", "nosuch=1"], "no column nosuch"),
        (["videos", "channel_id=c1"], "Give the whole key: channel_id, video_id"),
        (["videos", "channel_id=c9"], "no row with these values"),
        (["videos", "total_views=x"], "does not fit its column"),
    ],
)
def test_what_is_no_row_says_so(loaded: Pipeline, tmp_path: Path, arguments: list[str], says: str) -> None:
    with pytest.raises(PermanentError, match=says):
        mdp(tmp_path, "lineage", *arguments)


def test_only_files_that_count_are_named(loaded: Pipeline, tmp_path: Path) -> None:
    exclude(loaded, "three.csv")
    assert origins(tmp_path, "channels", "channel_id=c1")["channel_name"] == {("two.csv", 2)}
    rebuild.include(loaded.connection, loaded.dataset, chosen(loaded, "three.csv"), archive(loaded))
    assert origins(tmp_path, "channels", "channel_id=c1")["channel_name"] == {("three.csv", 2)}


def test_only_files_that_can_hold_the_keys_are_read_again(loaded: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    put(loaded, {"far.csv": ["w1,d1,Delta,15,far,130,9,3,2020-01-01 00:00,2025-06-09 12:00:31"]})
    read = rebuild.Archive.read
    keys: list[str] = []

    def counted(self: rebuild.Archive, files: list[Content], *rest: Any) -> Iterator[tuple[Content, int]]:
        keys.extend(file.key for file in files)
        return read(self, files, *rest)

    monkeypatch.setattr(rebuild.Archive, "read", counted)
    exclude(loaded, "far.csv")
    assert keys == ["far.csv"]
    exclude(loaded, "two.csv")
    assert keys == ["far.csv", "two.csv", "one.csv", "three.csv"]
    rebuild.trace(
        loaded.connection,
        loaded.dataset,
        "video_metrics",
        {"video_id": "v2", "date_updated": "2025-06-01 12:00"},
        archive(loaded),
    )
    assert keys[4:] == ["one.csv"]


def test_what_an_excluded_file_had_closed_is_open_again_until_it_is_back(pipeline: Pipeline) -> None:
    def waiting() -> list[str]:
        return [file.key for file in ledger.files_to_review(pipeline.connection)]

    pipeline.put("fixed.csv", b"a,b\n1,2\n")
    pipeline.put("two.csv", b"a,b\n1,2\n3,4\n")
    pipeline.drain()
    ledger.dismiss(pipeline.connection, ["two.csv"], "me", "a test")
    put(pipeline, {"fixed.csv": ROWS["one.csv"], "two.csv": ROWS["two.csv"]})
    assert waiting() == []

    def newest(key: str) -> list[Content]:
        last = max(file.file_id for file in pipeline.files() if file.key == key)
        return contents(pipeline.connection, [last])

    def exclude(key: str) -> None:
        place = pipeline.connection, pipeline.dataset
        rebuild.exclude(*place, newest(key), archive(pipeline), who="me", why="wrong")

    def include(key: str) -> None:
        rebuild.include(pipeline.connection, pipeline.dataset, newest(key), archive(pipeline))

    exclude("fixed.csv")
    assert waiting() == ["fixed.csv"]
    exclude("two.csv")
    assert waiting() == ["fixed.csv"]  # a person had closed the other one
    include("fixed.csv")
    assert waiting() == []
    put(pipeline, {"fixed.csv": ROWS["three.csv"]})
    exclude("fixed.csv")
    assert waiting() == []  # the version before is in, and closes it as well
    include("fixed.csv")
    assert waiting() == []
