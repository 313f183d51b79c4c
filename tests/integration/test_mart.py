"""The reading layer on a real PostgreSQL: what the views say, who may read them, and how they come and go."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from bi.model import Measure
from bi.sql import measure_sql
from minidata.errors import PermanentError
from minidata.settings import PROJECT, Settings
from minidata.warehouse.connection import Connection, connect
from minidata.warehouse.mart import apply_mart
from minidata.warehouse.views import DATASETS, read_views
from operate.embedded.settings import embedded_settings
from operate.embedded.state import State
from tests.fakes.history import BIG, BIGGEST, HOSTILE, WINDOWS, write_history

Row = dict[str, Any]


@dataclass(frozen=True)
class Mart:
    settings: Settings
    newest: datetime

    def rows(self, query: str) -> list[Row]:
        """Ask as the role that dashboards ask as."""
        with connect(self.settings, "bi") as connection, connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query.encode()).fetchall()

    def by(self, key: str, view: str) -> dict[str, Row]:
        return {row[key]: row for row in self.rows(f"select * from {view}")}


@pytest.fixture(scope="module")
def mart(servers: State) -> Mart:
    settings = embedded_settings(servers)
    with connect(settings, "owner") as owner:
        newest = write_history(owner)
        apply_mart(owner)
    return Mart(settings, newest)


def test_titles_and_labels_are_the_first_line_and_unique(mart: Mart) -> None:
    names = mart.by("video_id", "video_names")
    assert names["rising"]["title"] == "Rising; 'drop table x'--"
    assert names["rising"]["video"] == "Rising; 'drop table x'--"
    assert names["few"]["video"] == " · few"
    assert len({row["video"] for row in names.values()}) == len(names)


def test_videos_of_one_title_are_told_apart(mart: Mart) -> None:
    with connect(mart.settings, "owner") as owner, owner.transaction(force_rollback=True):
        owner.execute("update youtube_stats.videos set description = 'Loved 100%' where video_id = 'few'")
        names = owner.execute("select video from mart.video_names where title = 'Loved 100%'").fetchall()
    assert sorted(names) == [("Loved 100% · few",), ("Loved 100% · loved",)]


def test_the_gains_of_a_period_are_found_without_their_rows(mart: Mart) -> None:
    with connect(mart.settings, "owner") as owner:
        owner.autocommit = True
        owner.execute("vacuum analyze youtube_stats.video_metrics")
        owner.execute("set enable_seqscan = off")
        owner.execute("set enable_bitmapscan = off")
        lines = owner.execute("explain select sum(views_gained) from mart.video_growth where date_updated < now()")
        plan = "\n".join(line for (line,) in lines)
    assert "Index Only Scan using video_metrics_gains" in plan


def test_channels_of_one_name_are_told_apart(mart: Mart) -> None:
    names = {row["channel_id"]: row["channel"] for row in mart.rows("select * from channel_names")}
    assert names["UC-twin-1"] == "Twins · UC-twin-1"
    assert names["UC-twin-2"] == "Twins · UC-twin-2"
    assert names["UC-hostile"] == HOSTILE


def test_now_is_the_newest_window_that_is_not_in_the_future(mart: Mart) -> None:
    assert mart.rows("select * from newest_window") == [{"date_updated": mart.newest}]


def test_growth_has_a_row_for_each_window_with_its_names(mart: Mart) -> None:
    found = mart.rows("select count(*) as n, count(video) as videos, count(channel) as channels from video_growth")
    assert found == [{"n": 8 * WINDOWS + 1, "videos": 8 * WINDOWS + 1, "channels": 8 * WINDOWS + 1}]
    rows = mart.rows("select * from video_growth where video_id = 'steady' order by date_updated")
    assert (rows[0]["views_gained"], rows[1]["views_gained"]) == (None, 50)


@pytest.mark.parametrize(("column", "minutes"), [("minute_over", 1), ("five_minutes_over", 5)])
def test_the_step_that_holds_the_newest_window_is_not_over(mart: Mart, column: str, minutes: int) -> None:
    open_since = mart.newest - timedelta(
        minutes=mart.newest.minute % minutes, seconds=mart.newest.second, microseconds=mart.newest.microsecond
    )
    rows = mart.rows(f"select date_updated, {column} as over from video_growth where video_id = 'steady'")
    assert {row["over"] for row in rows} == {True, False}
    assert all(row["over"] == (row["date_updated"] < open_since) for row in rows)


def test_trend_compares_the_last_quarter_of_an_hour_with_the_one_before(mart: Mart) -> None:
    found = mart.by("video_id", "video_trend")
    rising, steady, fading = (found[name] for name in ("rising", "steady", "fading"))
    assert (rising["views_gained"], rising["views_per_minute"]) == (30 * 90, Decimal("180.0"))
    assert (rising["rank"], steady["rank"], fading["rank"]) == (1, 2, 3)
    assert not steady["speeding_up"]
    assert "early" not in found, "the future is not now"


def test_trend_ranks_movement_and_acceleration(mart: Mart) -> None:
    with connect(mart.settings, "owner") as owner:
        # A quarter of an hour ago the rising video still gained 10 a window, and the fading one 80.
        owner.execute(
            "update youtube_stats.video_metrics set views_gained = case video_id when 'rising' then 10 else 80 end "
            "where video_id in ('rising', 'fading') and date_updated <= %s - interval '15 minutes'",
            [mart.newest],
        )
        try:
            rows = owner.execute(
                "select video_id, rank, places_won, acceleration_percent, speeding_up from mart.video_trend "
                "where video_id in ('rising', 'steady', 'fading') order by rank"
            ).fetchall()
        finally:
            owner.rollback()
    assert rows == [
        ("rising", 1, 2, Decimal("800.0"), True),
        ("steady", 2, 0, Decimal("0.0"), False),
        ("fading", 3, -2, Decimal("-75.0"), False),
    ]


def test_reception_is_by_likes_in_votes(mart: Mart) -> None:
    found = {name: row["reception"] for name, row in mart.by("video_id", "video_engagement").items()}
    assert found == {
        "steady": "loved", "rising": "loved", "loved": "loved", "fading": "liked", "disputed": "disputed",
        "few": "few votes", "big": "few votes", "biggest": "disputed", "early": "few votes",
    }  # fmt: skip


def test_unknown_likes_and_dislikes_make_no_share_and_no_reception(mart: Mart) -> None:
    with connect(mart.settings, "owner") as owner, owner.transaction(force_rollback=True):
        owner.execute("update youtube_stats.videos set total_dislikes = null where video_id = 'loved'")
        owner.execute("update youtube_stats.videos set total_likes = null where video_id = 'steady'")
        query = (
            "select video_id, like_percent, likes_per_1000_views is null, dislikes_per_1000_views is null, reception "
            "from mart.video_engagement where video_id in ('loved', 'steady') order by 1"
        )
        found = owner.execute(query).fetchall()
    assert found == [("loved", None, False, True, "unknown"), ("steady", None, True, False, "unknown")]


def test_a_ratio_is_of_the_rows_where_both_values_are_known(mart: Mart) -> None:
    measure = {"name": "Likes", "of": "likes", "to": "dislikes"}
    share = measure_sql(Measure.model_validate(measure | {"how": "share", "times": 100}))
    ratio = measure_sql(Measure.model_validate(measure | {"how": "ratio"}))
    rows = "(values (30, 10), (1000, null), (null, 1000)) v (likes, dislikes)"
    (found,) = mart.rows(f"select {share} as share, {ratio} as ratio from {rows}")
    assert found == {"share": Decimal("75.00"), "ratio": Decimal("3.00")}


def test_shares_do_not_overflow(mart: Mart) -> None:
    biggest = mart.by("video_id", "video_engagement")["biggest"]
    assert (biggest["like_percent"], biggest["likes_per_1000_views"]) == (Decimal("50.0"), Decimal("1000.00"))


def test_channels_stand_with_their_last_hour(mart: Mart) -> None:
    found = mart.by("channel_id", "channel_now")
    assert found["UC-twin-1"]["subscribers_gained_hour"] == -2 * 120
    assert found["UC-hostile"]["subscribers_gained_hour"] == 3 * 120
    assert found["UC-hostile"]["total_videos"] == 4


def test_counts_beyond_a_double_keep_every_digit(mart: Mart) -> None:
    assert mart.by("video_id", "video_engagement")["big"]["total_views"] == BIG
    assert mart.by("channel_id", "channel_now")["UC-big"]["sum_views"] == BIG
    assert mart.by("channel_id", "channel_now")["UC-biggest"]["sum_views"] == BIGGEST
    (row,) = mart.rows("select sum(total_views)::text as s from video_engagement where video_id in ('big', 'biggest')")
    assert row["s"] == str(BIG + BIGGEST)


def test_files_show_how_long_their_rows_took(mart: Mart) -> None:
    found = {key.removeprefix("youtube_stats/"): row for key, row in mart.by("key", "file_arrivals").items()}
    seconds = {key: row["upload_to_row_seconds"] for key, row in found.items()}
    assert seconds == {
        "a.csv": Decimal("1.50"), "b.csv": Decimal("2.50"), "c.csv": Decimal("3.50"), "copy of a.csv": None,
        "bad.csv": None, "worse.csv": None, "hopeless.csv": None, "new.csv": None,
    }  # fmt: skip
    assert [key for key, row in found.items() if row["quarantined"]] == ["bad.csv"]
    assert found["bad.csv"]["reason"] == "missing_column"


def test_rejects_are_counted_by_code(mart: Mart) -> None:
    rows = mart.rows("select code, sum(rejected)::bigint as n from file_rejects group by code order by code")
    assert rows == [{"code": "missing_value", "n": 6}, {"code": "negative", "n": 6}]


def test_what_needs_a_person_is_listed(mart: Mart) -> None:
    rows = mart.rows("select state, reason, message from file_quarantine order by state")
    assert rows == [
        {"state": "failed", "reason": "could not be loaded", "message": "what was wrong"},
        {"state": "invalid", "reason": "not_utf8", "message": "what was wrong"},
        {"state": "quarantined", "reason": "missing_column", "message": "what was wrong"},
    ]


def test_freshness_is_one_row_even_when_nothing_waits(mart: Mart) -> None:
    (row,) = mart.rows("select * from freshness")
    assert (row["files_waiting"], row["files_failed"], row["files_quarantined"]) == (1, 1, 2)
    assert row["longest_wait_seconds"] >= 600
    with connect(mart.settings, "owner") as owner:
        owner.execute("truncate mdp.files, youtube_stats.channels cascade")
        found = owner.execute("select files_waiting, seconds_since_load from mart.freshness").fetchall()
        owner.rollback()
    assert found == [(0, None)]


@pytest.mark.parametrize("place", ["youtube_stats.videos", "mdp.files", "mdp.batches", "public.mdp_migrations"])
def test_the_reading_role_reads_nothing_but_mart(mart: Mart, place: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        mart.rows(f"select * from {place}")


def test_the_reading_role_can_read_every_view_and_write_none(mart: Mart) -> None:
    for view in read_views():
        mart.rows(f"select * from {view} limit 1")
    with connect(mart.settings, "bi") as connection:
        connection.execute("set transaction read write")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("update mart.file_arrivals set key = ''")


def test_views_and_columns_say_what_they_are(mart: Mart) -> None:
    query = (
        "select c.relname as view, obj_description(c.oid) as means, "
        "(select array_agg(col_description(c.oid, a.attnum) order by a.attnum) from pg_catalog.pg_attribute a "
        "where a.attrelid = c.oid and a.attnum > 0) as columns "
        "from pg_catalog.pg_class c where c.relnamespace = 'mart'::regnamespace"
    )
    found = mart.by("view", f"({query}) described")
    for name, view in read_views().items():
        assert found[name]["means"] == f"{view.means} ({view.origin})"
        assert found[name]["columns"] == [column.means for column in view.columns.values()]


def test_a_comment_names_the_file_of_the_view(mart: Mart) -> None:
    views = read_views()
    assert views["freshness"].origin == "warehouse/mart/freshness.sql"
    assert views["video_growth"].origin == "datasets/youtube_stats/views/video_growth.sql"
    assert all((PROJECT / view.origin).is_file() for view in views.values())


# How the views come and go: in a transaction that is rolled back, in a folder of the test's own.


@pytest.fixture
def owner(mart: Mart) -> Iterator[Connection]:
    with connect(mart.settings, "owner") as connection, connection.transaction(force_rollback=True):
        yield connection


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATASETS, tmp_path / "datasets"))


def add_view(datasets: Path, name: str, select: str, columns: str) -> None:
    folder = datasets / "youtube_stats" / "views"
    (folder / f"{name}.sql").write_text(select, encoding="utf-8")
    text = (folder / "views.yaml").read_text(encoding="utf-8")
    head = text.split(f"\n{name}:")[0]
    (folder / "views.yaml").write_text(f"{head}\n{name}:\n  means: A row\n  columns: {columns}\n", encoding="utf-8")
    read_views.cache_clear()


ONE = "{a: {type: bigint, label: A, means: It}}"
TWO = "{a: {type: text, label: A, means: It}, b: {type: bigint, label: B, means: That}}"


def columns_of(owner: Connection, view: str) -> list[str]:
    return [c.name for c in owner.execute(f"select * from mart.{view} limit 0".encode()).description or []]


def test_applying_twice_is_applying_once(owner: Connection) -> None:
    def described() -> list[Any]:
        return owner.execute(
            "select oid, relname, relacl::text, pg_get_viewdef(oid) from pg_class "
            "where relnamespace = 'mart'::regnamespace order by relname"
        ).fetchall()

    before = described()
    assert apply_mart(owner) == list(read_views())
    assert described() == before


def test_a_view_may_change_its_columns(owner: Connection, folder: Path) -> None:
    add_view(folder, "zz", "select 1::bigint as a", ONE)
    apply_mart(owner, folder)
    add_view(folder, "zz", "select 'x'::text as a, 2::bigint as b", TWO)
    apply_mart(owner, folder)
    assert columns_of(owner, "zz") == ["a", "b"]
    granted = "select has_table_privilege('mdp_bi', 'mart.zz', 'select')"
    assert owner.execute(granted).fetchone() == (True,)


def test_a_view_that_is_no_longer_in_the_folder_goes_and_other_peoples_stay(owner: Connection, folder: Path) -> None:
    owner.execute("create view mart.analysts_own as select 1 as one")
    add_view(folder, "zz", "select 1::bigint as a", ONE)
    apply_mart(owner, folder)
    apply_mart(owner)
    left = owner.execute("select to_regclass('mart.zz'), to_regclass('mart.analysts_own')::text").fetchone()
    assert left == (None, "mart.analysts_own")
    assert columns_of(owner, "video_metrics"), "the plain views of the tables are not ours to drop"


def test_a_view_that_somebody_stands_on_is_not_dropped_under_them(owner: Connection, folder: Path) -> None:
    add_view(folder, "zz", "select 1::bigint as a", ONE)
    apply_mart(owner, folder)
    owner.execute("create view mart.analysts_own as select a from mart.zz")
    add_view(folder, "zz", "select 'x'::text as a, 2::bigint as b", TWO)
    with pytest.raises(PermanentError, match="analysts_own"):
        apply_mart(owner, folder)
    assert columns_of(owner, "zz") == ["a"]


@pytest.mark.parametrize(
    ("select", "words"),
    [
        ("select 1 as a", r"a int4 \(declared: a bigint\)"),
        ("select 1::bigint as b", r"b bigint \(declared: a bigint\)"),
        ("select 1::bigint as a, 2::bigint as b", r"b bigint \(declared: none\)"),
        ("select nothing as a", "zz.sql cannot be created"),
        ("selec 1", "zz.sql cannot be created"),
    ],
)
def test_a_select_that_is_not_as_declared_changes_nothing(
    owner: Connection, folder: Path, select: str, words: str
) -> None:
    add_view(folder, "yy", "select 1::bigint as a", ONE)
    add_view(folder, "zz", select, ONE)
    with pytest.raises(PermanentError, match=words):
        apply_mart(owner, folder)
    made = owner.execute("select to_regclass('mart.yy'), to_regclass('mart.zz')").fetchone()
    assert made == (None, None)
