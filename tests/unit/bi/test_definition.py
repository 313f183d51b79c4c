"""Definitions: what is in the project reads, and what is wrong is named with its file and line."""

from pathlib import Path

import pytest

from bi.definition import read_dashboards
from bi.metabase.render import Ids
from bi.metabase.render import dashboard as render
from minidata.errors import PermanentError
from minidata.warehouse.views import DATASETS, MART, read_views

GOOD = """\
name: example
title: An example
question: Does it read?
refresh_seconds: 60
filters:
  period: {kind: period, label: Period, last_hours: 3}
  channel: {kind: values, label: Channel, column: channel, view: channel_names}
rows:
  - height: 3
    tiles:
      - name: first
        title: First
        means: One line.
        view: video_growth
        chart: number
        measures: [{name: Views gained, how: sum, of: views_gained}]
        width: 4
      - name: second
        title: Second
        means: Another line.
        view: video_growth
        chart: line
        dimensions: [{column: date_updated, every: 1 minute}, {column: video, top: 6}]
        measures: [{name: Views gained, how: sum, of: views_gained}]
        where: [{column: minute_over, is: "=", value: true}]
        width: 8
  - height: 8
    tiles:
      - name: third
        title: Third
        means: A third line.
        view: video_engagement
        chart: table
        dimensions: [title, channel]
        measures: [{name: Seen views, how: max, of: total_views}]
        sort: {by: Seen views}
        limit: 20
        width: 12
"""


def written(folder: Path, text: str, name: str = "example") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_the_projects_own_dashboards_are_the_seeds_three_and_the_pipelines_health() -> None:
    titles = {dashboard.name: dashboard.title for dashboard in read_dashboards()}
    assert titles == {
        "channels": "Channel growth insights",
        "engagement": "Engagement: likes and dislikes against views",
        "health": "Pipeline health",
        "trending": "Trending videos over time",
    }


def test_every_view_has_its_select_and_every_select_its_view() -> None:
    selects = [*MART.glob("*.sql"), *DATASETS.glob("*/views/*.sql")]
    assert {view.file for view in read_views().values()} == set(selects)
    assert {view.file.stem for view in read_views().values()} == set(read_views())


def test_places_fill_rows_from_left_to_right_and_top_down(tmp_path: Path) -> None:
    (dashboard,) = read_dashboards(written(tmp_path, GOOD))
    cards = render(dashboard, Ids()).body["dashcards"]
    places = [tuple(card[key] for key in ("col", "row", "size_x", "size_y")) for card in cards]
    assert places == [(0, 0, 8, 3), (8, 0, 16, 3), (0, 3, 24, 8)]


def test_a_filter_narrows_the_tiles_whose_view_has_its_column(tmp_path: Path) -> None:
    (dashboard,) = read_dashboards(written(tmp_path, GOOD))
    narrowed = {tile.name: dashboard.filters_of(tile) for tile in dashboard.tiles}
    assert narrowed["first"] == {"period": "date_updated", "channel": "channel"}
    assert narrowed["third"] == {"channel": "channel"}, "a view about now has no time to narrow"


def test_a_dashboard_carries_the_views_that_it_uses_and_no_others(tmp_path: Path) -> None:
    (dashboard,) = read_dashboards(written(tmp_path, GOOD))
    assert set(dashboard.views) == {"channel_names", "video_growth", "video_engagement"}


# what is replaced, by what, the line that must be named, and words of the explanation
FAULTS = [
    ("of: views_gained}]\n        width: 4", "of: view_gained}]\n        width: 4", 16, "did you mean `views_gained`?"),
    ("name: second", "name: first", 18, "two tiles are called `first`"),
    ("chart: line", "chart: lines", 22, "'line'"),
    ("view: video_engagement", "view: video_engagements", 32, "did you mean `video_engagement`?"),
    ("[title, channel]", "[title, chanel]", 34, "did you mean `channel`?"),
    ("column: minute_over", "column: over", 25, "`over` is not a column"),
    ("value: true", "value: yes please", 25, "does not compare"),
    ("column: channel, view: channel_names", "column: channel, view: names", 7, "`names` is not a view or a table"),
    ("column: channel, view: channel_names", "column: chan, view: channel_names", 7, "`chan` is not a column"),
    ("{column: date_updated, every: 1 minute}", "date_updated", 23, "`every` belongs to the time axis"),
    ("{column: date_updated, every: 1 minute}", "{column: channel, every: 1 minute}", 23, "must be a timestamptz"),
    ("every: 1 minute", "every: 2 minutes", 23, "'1 minute'"),
    ("every: 1 minute", "every: 1 day", 23, "a step is longer than the period of the dashboard, 3 hours"),
    ("how: max, of: total_views", "how: max", 35, "every other measure needs one"),
    ("how: max, of: total_views", "how: count, of: total_views", 35, "`count` counts rows"),
    ("how: max, of: total_views", "how: ratio, of: total_views", 35, "needs `to`"),
    ("how: max, of: total_views", "how: sum, of: title", 35, "`sum` needs a number"),
    ("name: Seen views", 'name: "Seen {{views}}"', 35, "does not match the pattern"),
    ("{name: Seen views, how", "{name: Title, how", 35, "same name"),
    ("{by: Seen views}", "{by: Seen view}", 36, "did you mean `Seen views`?"),
    ("        limit: 20\n", "", 29, "needs a `limit`"),
    ("table\n        dimensions: [title, channel]", "pie\n        dimensions: [channel]", 29, "a pie chart takes no"),
    ("width: 8", "width: 9", 9, "13 wide together"),
    ("width: 12", "width: 12\n        colour: red", 39, "there is no such key"),
    ("last_hours: 3", "last_hours: 0", 6, "greater than 0"),
    ("name: example", "name: exmple", 1, "the file is example.yaml"),
    ("refresh_seconds: 60", "refresh_seconds: 60\nrefresh_seconds: 30", 4, "given twice"),
    ("question: Does it read?", "question: Does it: read?", 3, "not valid YAML"),
    ("title: An example", "titel: An example", 2, "there is no such key"),
    ("measures: [{name: Views gained, how: sum, of: views_gained}]\n        width: 4", "width: 4", 11, "1 measures"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "words"), FAULTS)
def test_a_fault_is_named_with_file_line_and_fix(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in GOOD
    folder = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(PermanentError) as caught:
        read_dashboards(folder)
    assert f"{folder / 'example.yaml'}:{line}: " in str(caught.value)
    assert words in str(caught.value)


def test_all_faults_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    written(tmp_path, GOOD.replace("of: total_views", "of: totals").replace("name: second", "name: first"))
    written(tmp_path, GOOD.replace("view: video_engagement", "view: nothing"), "other")
    with pytest.raises(PermanentError) as caught:
        read_dashboards(tmp_path)
    for words in ("`totals` is not a column", "two tiles", "`nothing` is not a view", "the file is other.yaml"):
        assert words in str(caught.value)


def test_two_dashboards_of_one_title_are_refused(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    written(tmp_path, GOOD.replace("name: example", "name: other"), "other")
    with pytest.raises(PermanentError, match="same title"):
        read_dashboards(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"just text", b"[1, 2]"])
def test_a_file_that_is_not_a_definition_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "example.yaml").write_bytes(content)
    with pytest.raises(PermanentError, match=r"example\.yaml"):
        read_dashboards(tmp_path)


def test_an_empty_folder_says_where_to_put_a_dashboard(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="put one into"):
        read_dashboards(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lonely", "there is no lonely.sql next to it."),
        ("freshness", "warehouse/mart/freshness.sql has the same name."),
    ],
)
def test_a_wrong_view_of_a_dataset_is_named_with_file_and_line(tmp_path: Path, name: str, words: str) -> None:
    folder = tmp_path / "mine" / "views"
    folder.mkdir(parents=True)
    view = f"{name}:\n  means: A row\n  columns:\n    a: {{type: text, label: A, means: It}}\n"
    (folder / "views.yaml").write_text(view, encoding="utf-8")
    with pytest.raises(PermanentError) as caught:
        read_dashboards(datasets=tmp_path)
    assert f"{folder / 'views.yaml'}:1: {name}: {words}" in str(caught.value)
