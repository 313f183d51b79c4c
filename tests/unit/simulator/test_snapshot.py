"""The raw file as it is written."""

import csv
import io
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from simulator.snapshot import HEADER, Row, cells, snapshot_key, timestamp, to_csv

AT = datetime(2026, 11, 23, 9, 5, 7, tzinfo=UTC)
SEED_HEADER = (
    "video_id,channel_id,channel_name,channel_subscribers,description,"
    "total_views,total_likes,total_dislikes,date_created,date_updated"
)


def test_the_header_is_the_seeds() -> None:
    assert to_csv([]).decode() == SEED_HEADER + "\r\n"


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=10, max_size=10)))
def test_any_cells_can_be_read_back(table: list[list[str]]) -> None:
    assert list(csv.reader(io.StringIO(to_csv(table).decode(), newline=""), strict=True)) == [HEADER, *table]


def test_line_ends_and_quotes_inside_a_cell_survive() -> None:
    row = Row("v", "c", 'The "A", B', 1, 'a\n"b",\r\nc 🎮 日本', 3, 2, 1, AT, AT)
    (_, read) = csv.reader(io.StringIO(to_csv(cells([row])).decode(), newline=""), strict=True)
    assert read == ["v", "c", 'The "A", B', "1", 'a\n"b",\r\nc 🎮 日本', "3", "2", "1", *[timestamp(AT)] * 2]


def test_instants_are_written_in_utc_without_a_fraction() -> None:
    here = AT.astimezone(timezone(timedelta(hours=7))).replace(microsecond=999_999)
    assert timestamp(here) == "2026-11-23 09:05:07"


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**7)), min_size=2, unique=True))
def test_keys_are_unique_and_sort_by_time(moments: list[tuple[int, int]]) -> None:
    keys = [snapshot_key(AT + timedelta(seconds=second), sequence) for second, sequence in sorted(moments)]
    assert keys == sorted(set(keys))
    assert keys[0].startswith("youtube_stats/2026-1")
