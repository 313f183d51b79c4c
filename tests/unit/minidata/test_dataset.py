"""A declaration is checked whole, and each error names the file and the place."""

import os
import shutil
import time
from pathlib import Path

import pytest
import yaml

from minidata.dataset import (
    TextColumn,
    broken_datasets,
    dataset_of,
    declared_datasets,
    ignored,
    owners_of_files,
    read_dataset,
    read_datasets,
    sound_dataset,
    sound_datasets,
)
from minidata.errors import PermanentError
from minidata.settings import PROJECT, Settings

DATASETS = PROJECT / "datasets"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATASETS / "youtube_stats", tmp_path / "youtube_stats"))


def change(folder: Path, *path: str, value: object) -> None:
    file = folder / "dataset.yaml"
    declared = yaml.safe_load(file.read_text())
    place = declared
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    file.write_text(yaml.safe_dump(declared, sort_keys=False))


def test_the_seed_s_dataset_declares_the_tables_of_the_contract() -> None:
    dataset = read_datasets(DATASETS)["youtube_stats"]
    assert dataset.tables == {
        "video_metrics": ["date_updated", "video_id"],
        "channel_metrics": ["date_updated", "channel_id"],
        "videos": ["channel_id", "video_id"],
        "channels": ["channel_id"],
        "channel_stats": ["channel_id"],
    }


# what is replaced in the declaration, by what, the line that must be named, and words of the explanation
VIEWS, CREATED = "total_views: {type: integer, min: 0", "date_created: {type: timestamp"
FAULTS = [
    ("total_views: {type: integer,", "total_views: {type: float,", 12, "`float` must be one of"),
    ("max_length: 10000, ", "max_length: 0, ", 11, "0 must be greater than 0"),
    ("video_id: {type: text, trimmed: true, min_length: 1, max_length: 255", "video_id: {type: text, max_length: 4000",
     21, "its longest value has 16,024 bytes, and an index of PostgreSQL holds 2,704. Set `max_length` of video_id to"),
    (VIEWS, "total_views: {type: integer, min: 5, max: 4", 12, "`min` is 5, and `max` is 4"),
    (VIEWS, "total_views: {type: decimal, precision: 2, scale: 3", 12, "`precision` only 2"),
    (VIEWS, "total_views: {type: boolean", 23, "is a boolean, which has no max"),
    (CREATED, "date_created: {type: timestamp, formats: [iso, '%Q']", 15, "`%Q` in `%Q` is unknown"),
    (CREATED, "date_created: {type: timestamp, formats: ['%H:%M']", 15, "exactly one year (%Y)"),
    (CREATED, "date_created: {type: date, formats: ['%Y-%m-%d %H']", 15, "has a time (%H)"),
    (CREATED, "date_created: {type: timestamp, zone: Mars/North", 15, "`Mars/North` is no"),
    ("date_updated: {", "date_updated: {optional: true, ", 21, "optional, and a key must not be null"),
    ("description: {type: text, trimmed: false", "description: {type: text, pattern: '('", 11, "is no regular"),
    ("min_length: 0, max_length: 10000", "min_length: -1, max_length: 10000", 11, "-1 must be at least 0"),
    ("max_length: 10000", "max_lenght: 10000", 11, "max_lenght: there is no such key"),
    ("not_before: date_created", "not_before: video_id", 16, "`video_id` is of type text, and must be timestamp"),
    ("not_before: date_created", "not_before: date_made", 16, "`date_made` is no column"),
    ("s: {total_views: {max: total_views}", "s: {total_views: {sum: total_views}", 23, "sum: there is no such key"),
    ("s: {total_views: {max: total_views}", "s: {total_views: {}", 23, "the `max` or the `min` of one column"),
    ("s: {total_views: {max: total_views}", "s: {total_views: {max: views}", 23, "`views` is no column"),
    ("date_updated, seconds: 30}, video_id", "video_id, seconds: 30}, video_id", 21, "`video_id` is of type text"),
    ("seconds: 30}, video_id: video_id", "seconds: 0}, video_id: video_id", 21, "seconds: 0 must be greater than 0"),
    ("video_id: video_id}", "video_id: {window: date_created, seconds: 60}}", 21, "at most one window"),
    ("views_gained: {of: total_views", "views_gained: {of: nothing", 25, "`nothing` is no measure"),
    ("views_gained: {of: total_views", "views_gained: {of: channel_id", 25, "must be integer"),
    ("views_gained: {of", "total_views: {of", 19, "two columns of the table would be called `total_views`"),
    ("keys: {channel_id: channel_id, video_id: video_id}", "keys: [channel_id]", 38, "is no mapping of keys to values"),
    ("from: channels", "from: channel", 56, "did you mean `channels`?"),
    ("keys: [channel_id]", "keys: [channel]", 55, "`channel` is no column of `channels`; did you mean `channel_"),
    ("      channel_id: text\n", "", 55, "channel_id: a key is also one of the columns"),
    ("channel_stats.sql", "none.sql", 57, "there is no none.sql next to"),
    ("total_videos: bigint", "total_videos: int", 62, "`int` must be 'text', 'bigint', 'numeric', 'boolean', 'date'"),
    ("prefix: youtube_stats", "prefix: /", 4, "must name a folder of the bucket raw"),
    ("title: YouTube statistics", "title: YouTube statistics\ncolour: blue", 4, "colour: there is no such key"),
    ("title: YouTube statistics", "title: YouTube statistics\ntitle: Again", 3, "given twice"),
    ("title: YouTube statistics", "", 2, "`title` is missing"),
    ("name: youtube_stats", "name: other", 2, "the folder is youtube_stats"),
]  # fmt: skip


def test_a_text_in_a_key_needs_no_max_length(folder: Path) -> None:
    change(folder, "columns", "video_id", value={"type": "text"})
    change(folder, "columns", "description", value={"type": "text"})
    columns = read_dataset(folder).columns
    assert isinstance(columns["video_id"], TextColumn)
    assert columns["video_id"].max_length == 255
    assert isinstance(columns["description"], TextColumn)
    assert columns["description"].max_length is None


@pytest.mark.parametrize(("old", "new", "line", "words"), FAULTS)
def test_a_fault_is_named_with_its_file_and_line_in_our_own_words(
    folder: Path, old: str, new: str, line: int, words: str
) -> None:
    read_dataset(folder)
    file = folder / "dataset.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(PermanentError) as caught:
        read_dataset(folder)
    assert f"{file}:{line}: " in str(caught.value)
    assert words in str(caught.value)
    assert "Value error" not in str(caught.value)


def test_all_faults_of_all_declarations_are_reported_at_once(folder: Path) -> None:
    other = other_dataset(folder)
    change(other, "prefix", value="/")
    change(folder, "prefix", value="")
    change(folder, "summaries", "channel_stats", "sql", value="none.sql")
    change(folder, "rollups", "channels", "latest", "by", value="channel_id")
    with pytest.raises(PermanentError) as caught:
        read_datasets(folder.parent)
    for file, words in (
        (other, "prefix: it is empty"),
        (folder, "prefix: it is empty"),
        (folder, "no none.sql"),
        (folder, "rollups → channels → latest → by: `channel_id` is of type text"),
    ):
        assert any(f"{file / 'dataset.yaml'}:" in line and words in line for line in str(caught.value).splitlines())


def test_a_broken_declaration_stops_no_other_and_keeps_its_own_files(folder: Path) -> None:
    other = other_dataset(folder)
    sound = read_datasets(folder.parent)
    for broken in ("prefix: mine/deep # kept\nname: [", "prefix: youtube_stats\n", "]"):
        (other / "dataset.yaml").write_text(broken)
        assert sound_datasets(folder.parent) == {"youtube_stats": sound["youtube_stats"]}
        assert list(broken_datasets(folder.parent)) == ["other"]
        assert str(other / "dataset.yaml") in broken_datasets(folder.parent)["other"]
        with pytest.raises(PermanentError, match="dataset declarations are wrong"):
            read_datasets(folder.parent)
    owners = owners_of_files(folder.parent)
    assert dataset_of("other/a.csv", owners.values(), "youtube_stats") == "other"
    (other / "dataset.yaml").write_text("prefix: 'mine/deep' # kept\nname: [")
    owners = owners_of_files(folder.parent)
    assert dataset_of("mine/deep/a.csv", owners.values(), "youtube_stats") == "other"
    assert ignored("mine/deep/_SUCCESS", owners["other"])
    with pytest.raises(PermanentError, match="not valid YAML"):
        sound_dataset(folder.parent, "other")


def test_of_two_declarations_in_each_other_s_way_the_one_that_was_changed_last_is_wrong(folder: Path) -> None:
    first = other_dataset(folder).rename(folder.with_name("a_new_one"))
    change(first, "name", value="a_new_one")
    change(first, "prefix", value="youtube_stats")
    os.utime(first / "dataset.yaml", ns=(time.time_ns() + 10**9,) * 2)
    assert (list(sound_datasets(folder.parent)), list(broken_datasets(folder.parent))) == (
        ["youtube_stats"],
        ["a_new_one"],
    )


def test_a_gain_needs_a_window(folder: Path) -> None:
    change(folder, "rollups", "channels", "gains", value={"g": {"of": "channel_subscribers"}})
    with pytest.raises(PermanentError, match="a gain compares neighbouring windows"):
        read_dataset(folder)


@pytest.mark.parametrize("text", ["", "[]", "name: [", "a: b: c"])
def test_what_is_no_yaml_mapping_is_refused(folder: Path, text: str) -> None:
    (folder / "dataset.yaml").write_text(text)
    with pytest.raises(PermanentError, match=r"dataset\.yaml.*(is empty|not valid YAML|no mapping)"):
        read_dataset(folder)


def test_a_folder_without_declarations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="No dataset is declared"):
        read_datasets(tmp_path)


@pytest.mark.parametrize("name", ["mdp", "mart", "public", "information_schema", "pg_catalog", "pg_mine"])
def test_a_dataset_takes_no_schema_that_is_something_else_s(folder: Path, name: str) -> None:
    change(folder, "name", value=name)
    folder = folder.rename(folder.with_name(name))
    with pytest.raises(PermanentError, match=f"the schema {name} has another purpose"):
        read_dataset(folder)


def test_a_rollup_and_a_summary_are_two_tables(folder: Path) -> None:
    summary = yaml.safe_load((folder / "dataset.yaml").read_text())["summaries"]["channel_stats"]
    change(folder, "summaries", value={"channels": summary})
    with pytest.raises(PermanentError, match="channels: another table of this declaration has the same name"):
        read_dataset(folder)


def other_dataset(folder: Path, renamed: dict[str, str] | None = None) -> Path:
    """Copies a declaration under another name, its tables renamed but for those that are not named here."""
    other = Path(shutil.copytree(folder, folder.with_name("other")))
    declared = yaml.safe_load((other / "dataset.yaml").read_text())
    tables = renamed or {name: f"other_{name}" for name in ("channels", "channel_metrics", "videos", "video_metrics")}
    declared["rollups"] = {tables.get(name, name): rollup for name, rollup in declared["rollups"].items()}
    summary = declared["summaries"].pop("channel_stats")
    declared["summaries"][tables.get("channel_stats", "other_stats")] = summary | {"from": tables["channels"]}
    (other / "dataset.yaml").write_text(yaml.safe_dump(declared | {"name": "other", "prefix": "other"}))
    return other


def test_datasets_that_share_nothing_are_read_together(folder: Path) -> None:
    other_dataset(folder)
    assert set(read_datasets(folder.parent)) == {"other", "youtube_stats"}


@pytest.mark.parametrize("table", ["videos", "channel_stats"])
def test_two_datasets_with_a_table_of_one_name_are_refused_by_the_names_of_both_files(folder: Path, table: str) -> None:
    names = ("channels", "channel_metrics", "videos", "video_metrics")
    other = other_dataset(folder, {name: f"other_{name}" for name in names} | {table: table})
    with pytest.raises(PermanentError, match=f"also declares a table {table}") as caught:
        read_datasets(folder.parent)
    for declaring in (folder, other):
        assert str(declaring / "dataset.yaml") in str(caught.value)


@pytest.mark.parametrize("prefix", ["youtube_stats", "youtube_stats/"])
def test_two_datasets_with_one_prefix_are_refused_by_the_names_of_both_files(folder: Path, prefix: str) -> None:
    other = other_dataset(folder)
    change(other, "prefix", value=prefix)
    with pytest.raises(PermanentError, match="the same prefix") as caught:
        read_datasets(folder.parent)
    for declaring in (folder, other):
        assert str(declaring / "dataset.yaml") in str(caught.value)


def test_the_longest_prefix_of_whole_segments_decides() -> None:
    base = read_datasets(DATASETS)["youtube_stats"]
    known = [base, base.model_copy(update={"name": "nested", "prefix": "youtube_stats/nested"})]
    for key, name in {
        "youtube_stats/a.csv": "youtube_stats",
        "youtube_stats/nested/a.csv": "nested",
        "youtube_stats/nested.csv": "youtube_stats",
        "youtube_stats2/a.csv": "fallback",
        "a.csv": "fallback",
    }.items():
        assert dataset_of(key, known, "fallback") == name, key


def test_the_default_dataset_must_be_declared() -> None:
    assert "youtube_stats" in declared_datasets(Settings())
    with pytest.raises(PermanentError, match="MDP_DEFAULT_DATASET is nothing, but"):
        declared_datasets(Settings(default_dataset="nothing"))
