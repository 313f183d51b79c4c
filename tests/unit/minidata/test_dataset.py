"""A declaration is checked whole, and each error names the file and the place."""

import shutil
from pathlib import Path

import pytest
import yaml

from minidata.dataset import dataset_of, declared_datasets, read_dataset, read_datasets
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


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("columns", "total_views", "type"), "float", "columns → total_views"),
        (("columns", "date_updated", "not_before"), "video_id", "not_before names video_id"),
        (("rollups", "videos", "measures", "total_views"), {"sum": "total_views"}, "rollups → videos → measures"),
        (("rollups", "videos", "measures", "total_views"), {"max": "views"}, "views, which is no column"),
        (("rollups", "channels", "latest", "by"), "channel_id", "channel_id must be a timestamp"),
        (("rollups", "channels", "gains"), {"g": {"of": "channel_subscribers"}}, "a gain needs a window"),
        (("rollups", "video_metrics", "gains"), {"g": {"of": "nothing"}}, "which is no measure"),
        (("rollups", "video_metrics", "gains"), {"total_views": {"of": "total_views"}}, "named twice"),
        (
            ("rollups", "video_metrics", "keys", "video_id"),
            {"window": "date_created", "seconds": 60},
            "at most one window",
        ),
        (("summaries", "channel_stats", "from"), "nothing", "nothing is no rollup"),
        (("summaries", "channel_stats", "keys"), ["video_id"], "must be keys of channels"),
        (("summaries", "channel_stats", "columns"), {"total_views": "bigint"}, "must be among its columns"),
        (("summaries", "channel_stats", "sql"), "none.sql", "there is no none.sql beside"),
        (("prefix",), "/", "names a folder of the bucket raw, and is empty"),
        (("colour",), "blue", "colour: Extra inputs"),
        (("name",), "other", "its folder is youtube_stats"),
    ],
)
def test_a_wrong_declaration_is_refused_with_its_place(
    folder: Path, path: tuple[str, ...], value: object, message: str
) -> None:
    read_dataset(folder)
    change(folder, *path, value=value)
    with pytest.raises(PermanentError) as caught:
        read_dataset(folder)
    assert message in str(caught.value)
    assert str(folder / "dataset.yaml") in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "name: [", "a: b: c"])
def test_what_is_no_yaml_mapping_is_refused(folder: Path, text: str) -> None:
    (folder / "dataset.yaml").write_text(text)
    with pytest.raises(PermanentError, match="is no YAML mapping"):
        read_dataset(folder)


def test_a_folder_without_declarations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="No dataset is declared"):
        read_datasets(tmp_path)


@pytest.mark.parametrize("name", ["mdp", "mart", "public", "information_schema", "pg_catalog", "pg_mine"])
def test_a_dataset_takes_no_schema_that_is_something_else_s(folder: Path, name: str) -> None:
    change(folder, "name", value=name)
    folder = folder.rename(folder.with_name(name))
    with pytest.raises(PermanentError, match=f"schema {name} is not free"):
        read_dataset(folder)


def test_a_rollup_and_a_summary_are_two_tables(folder: Path) -> None:
    summary = yaml.safe_load((folder / "dataset.yaml").read_text())["summaries"]["channel_stats"]
    change(folder, "summaries", value={"channels": summary})
    with pytest.raises(PermanentError, match="channels: the name of a rollup and of a summary"):
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


def test_datasets_that_share_nothing_stand_beside_each_other(folder: Path) -> None:
    other_dataset(folder)
    assert set(read_datasets(folder.parent)) == {"other", "youtube_stats"}


@pytest.mark.parametrize("table", ["videos", "channel_stats"])
def test_two_datasets_with_a_table_of_one_name_are_refused_by_the_names_of_both_files(folder: Path, table: str) -> None:
    names = ("channels", "channel_metrics", "videos", "video_metrics")
    other = other_dataset(folder, {name: f"other_{name}" for name in names} | {table: table})
    with pytest.raises(PermanentError, match=f"both declare a table {table}") as caught:
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
