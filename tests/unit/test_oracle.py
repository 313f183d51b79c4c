"""The oracle itself against other readings of its rules: csv, datetime, and tables worked out by hand."""

import csv
import gzip
import io
import random
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import csv_text, strategies, styles
from tests.oracle.cells import RejectedError, read
from tests.oracle.hostile import hostile_folder
from tests.oracle.tables import tables, window
from tests.oracle.verdict import Entry, Row, Verdict, judge

ARRIVED_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOON = datetime(2025, 6, 1, 12)  # rows hold naive UTC


# --- CSV ------------------------------------------------------------------------------------------------


@given(
    records=st.lists(st.lists(st.text('ab \t,"\r\n\ufeff\x00é', max_size=6), min_size=1, max_size=4), max_size=5),
    # with "\n" and QUOTE_MINIMAL, Python 3.11 and 3.12 leave a lone CR unquoted
    dialect=st.sampled_from(((csv.QUOTE_ALL, "\n"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_MINIMAL, "\r\n"))),
)
def test_what_the_csv_module_writes_is_read_back(records: list[list[str]], dialect: Any) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=dialect[0], lineterminator=dialect[1]).writerows(records)
    assert [cells for _, cells in csv_text.records(out.getvalue())] == records


@given(text=st.text('a,"\r\n', max_size=12))
def test_each_record_starts_on_the_line_given_by_the_line_feeds_before_it(text: str) -> None:
    try:
        found = list(csv_text.records(text))
    except csv_text.NotCsvError:
        return
    starts = [line for line, _ in found]
    assert starts == sorted(set(starts))
    for line, cells in found:  # what stands from that line on begins with this record
        below = "\n".join(text.split("\n")[line - 1 :])
        assert next(csv_text.records(below)) == (1, cells)


@pytest.mark.parametrize(
    "text", ['"', '"a', '"""', '"a"b', '"a" ,', "a\rb", "\r", "a,\r", '"a"\r', "a\r\r\n", '"a"",\n']
)
def test_text_that_is_no_csv_is_refused(text: str) -> None:
    with pytest.raises(csv_text.NotCsvError):
        list(csv_text.records(text))


# --- compression ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", [".csv.gz", ".csv.zst"])
def test_no_beginning_of_a_compressed_file_is_accepted(extension: str) -> None:
    plain = styles.plain_snapshot([_row()])
    packed = gzip.compress(plain) if extension == ".csv.gz" else zstandard.compress(plain)
    reasons = [judge(f"a{extension}", packed[:size], ARRIVED_AT).reason for size in range(len(packed) + 1)]
    assert reasons == ["empty_file", *["bad_compression"] * (len(packed) - 1), None]


@given(seed=st.integers(0, 2**32), size=st.integers(0, 300_000))
@settings(max_examples=30, deadline=None)
def test_packed_files_say_what_the_plain_one_says(seed: int, size: int) -> None:
    plain = (styles.plain_snapshot([_row()] * (size // 100)))[:size]
    extension, data = styles.packed(random.Random(seed), plain)
    assert judge(f"a{extension}", data, ARRIVED_AT) == judge("a.csv", plain, ARRIVED_AT)


# --- cells ----------------------------------------------------------------------------------------------


@given(
    moment=st.datetimes(timezones=st.just(UTC)),
    minutes=st.integers(-23 * 60 - 59, 23 * 60 + 59),
    separator=st.sampled_from("T "),
)
def test_a_timestamp_is_read_as_datetime_reads_it(moment: datetime, minutes: int, separator: str) -> None:
    try:
        text = moment.astimezone(timezone(timedelta(minutes=minutes))).isoformat(separator)
    except OverflowError:
        text = moment.isoformat(separator)
    assert read("date_created", text) == datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


@given(number=st.integers(-(2**70), 2**70), zeros=st.integers(0, 40))
def test_a_count_is_read_as_int_reads_it(number: int, zeros: int) -> None:
    text = f"{'-' * (number < 0)}{'0' * zeros}{abs(number)}"
    try:
        got: object = read("total_views", text)
    except RejectedError as rejected:
        got = rejected.code
    assert got == (number if 0 <= number < 2**63 else "negative" if number < 0 else "out_of_range")


# --- verdicts -------------------------------------------------------------------------------------------


@given(contents=strategies.contents())
def test_the_plainest_snapshot_of_rows_is_read_as_these_rows(contents: list[list[Row]]) -> None:
    for rows in contents:
        verdict = judge("a.csv", styles.plain_snapshot(rows), ARRIVED_AT)
        assert verdict == Verdict(rows=rows, rows_total=len(rows))


@given(file=strategies.hostile_files(ARRIVED_AT))
@settings(max_examples=500, deadline=None)
def test_any_file_gets_a_verdict_that_adds_up(file: tuple[str, bytes]) -> None:
    verdict = judge(*file, ARRIVED_AT)
    assert (verdict.reason == "missing_column") == bool(verdict.missing_columns)
    assert verdict.counts == Counter(entry.code for entry in verdict.entries)
    assert len({entry.line for entry in verdict.entries}) == verdict.rows_rejected
    if verdict.reason is None:
        assert len(verdict.rows) == verdict.rows_total - verdict.rows_rejected
        assert verdict.rows_rejected * 10 <= verdict.rows_total
    else:
        assert not verdict.rows
        assert (verdict.reason == "too_many_rejected_rows") == (verdict.rows_rejected > 0)


def test_the_share_is_the_decimal_that_was_set_not_its_nearest_float() -> None:
    lines = styles.plain_snapshot([_row()] * 7) + b"short\n" * 3
    assert judge("a.csv", lines, ARRIVED_AT, max_rejected_share=0.3).reason is None
    assert judge("a.csv", lines, ARRIVED_AT, max_rejected_share=0.29).reason == "too_many_rejected_rows"


def test_the_arrival_may_have_any_offset() -> None:
    row = _row(date_updated=datetime(2026, 11, 24, 12))
    data = styles.plain_snapshot([row])
    zurich = ARRIVED_AT.astimezone(timezone(timedelta(hours=1)))
    assert judge("a.csv", data, zurich).rows == [row]
    early = judge("a.csv", data, zurich - timedelta(microseconds=1))
    assert early.entries == [Entry(2, "date_updated", "future_timestamp", "2026-11-24T12:00:00.000000Z")]


# --- tables ---------------------------------------------------------------------------------------------


def _row(second: float = 0, **cells: Any) -> Row:
    row = Row("v1", "c1", "Channel", "text", 10, 100, 20, 3, NOON - timedelta(days=1), NOON)
    return row._replace(**{"date_updated": NOON + timedelta(seconds=second), **cells})


@pytest.mark.parametrize(
    ("moment", "start"),
    [
        ("2025-06-01 12:00:00", "2025-06-01 12:00:00"),
        ("2025-06-01 12:00:29.999999", "2025-06-01 12:00:00"),
        ("2025-06-01 12:00:30", "2025-06-01 12:00:30"),
        ("1970-01-01 00:00:00", "1970-01-01 00:00:00"),
        ("1969-12-31 23:59:59.999999", "1969-12-31 23:59:30"),
        ("0001-01-01 00:00:29", "0001-01-01 00:00:00"),
        ("9999-12-31 23:59:59.999999", "9999-12-31 23:59:30"),
    ],
)
def test_a_window_holds_its_start_and_not_its_end(moment: str, start: str) -> None:
    assert window(datetime.fromisoformat(moment)) == datetime.fromisoformat(start)


def test_video_metrics_by_hand() -> None:
    first = [
        _row(1, total_views=100, total_likes=9, description="z"),
        _row(29.5, total_views=90, total_likes=30, channel_id="c2", channel_name="B", description="b"),
        _row(29.5, total_views=80, total_likes=20, channel_id="c2", channel_name="C", description="a"),
    ]
    third = [_row(60, total_views=250, total_likes=25, total_dislikes=3)]
    got = tables([third, first])["video_metrics"]
    assert list(got[0]) == [
        *("date_updated", "video_id", "channel_id", "channel_name", "description"),
        *("total_views", "total_likes", "total_dislikes", "views_gained", "likes_gained", "dislikes_gained"),
        "last_updated",
    ]
    start, end, later = (NOON + timedelta(seconds=seconds) for seconds in (0, 29.5, 60))
    assert [tuple(row.values()) for row in got] == [
        (start, "v1", "c2", "C", "a", 100, 30, 3, None, None, None, end),
        (later, "v1", "c1", "Channel", "text", 250, 25, 3, 150, 0, 0, later),
    ]


def test_channel_tables_by_hand() -> None:
    largest = 2**63 - 1
    rows = [
        _row(0, video_id="v1", total_views=largest, total_likes=5),
        _row(40, video_id="v1", total_views=7, total_likes=6, description="later"),
        _row(10, video_id="v2", total_views=largest, channel_subscribers=12, channel_name="Old"),
        _row(40, video_id="v2", total_views=1, channel_subscribers=8, channel_name="New \uffff"),
        _row(40, video_id="v2", total_views=1, channel_subscribers=8, channel_name="New \U0001f3ac"),
        _row(40, video_id="v2", total_views=1, channel_subscribers=7, channel_name="Zzz"),
        _row(5, video_id="v2", channel_id="c0", date_created=NOON - timedelta(days=9)),
    ]
    got = tables([rows])
    at = {seconds: NOON + timedelta(seconds=seconds) for seconds in (0, 5, 10, 30, 40)}
    latest = {"channel_subscribers": 10, "channel_name": "Channel"}
    assert [list(row) for row in got["channel_stats"]] == [
        [
            *("channel_id", "channel_subscribers", "channel_name", "total_videos"),
            *("total_views", "total_likes", "total_dislikes", "sum_views", "sum_likes", "sum_dislikes"),
            "last_updated",
        ]
    ] * 2
    assert [list(row.values()) for row in got["channel_stats"]] == [
        ["c0", 10, "Channel", 1, 100, 20, 3, 100, 20, 3, at[5]],
        ["c1", 10, "Channel", 2, largest, 20, 3, 2 * largest, 26, 6, at[40]],
    ]
    assert got["channels"] == [
        {"channel_id": "c0", **latest, "last_updated": at[5]},
        {"channel_id": "c1", **latest, "last_updated": at[40]},
    ]
    assert [list(row.values()) for row in got["videos"]] == [
        ["c0", "v2", "text", NOON - timedelta(days=9), 100, 20, 3, at[5], at[5]],
        ["c1", "v1", "later", NOON - timedelta(days=1), largest, 6, 3, at[0], at[40]],
        ["c1", "v2", "text", NOON - timedelta(days=1), largest, 20, 3, at[10], at[40]],
    ]
    # 12 subscribers at 12:00:10, then 10 of the greatest tuple at 12:00:40
    assert [list(row.values()) for row in got["channel_metrics"]] == [
        [NOON, "c0", 10, "Channel", None, at[5]],
        [NOON, "c1", 12, "Old", None, at[10]],
        [at[30], "c1", 10, "Channel", -2, at[40]],
    ]


def test_texts_compare_by_code_point() -> None:
    ids = ["a", "B", "\uffff", "\U0001f3ac", "é", "e\u0301"]
    got = tables([[_row(video_id=video) for video in ids]])["videos"]
    assert [row["video_id"] for row in got] == ["B", "a", "e\u0301", "é", "\uffff", "\U0001f3ac"]
    tied = [_row(description=text) for text in ("\uffff", "\U0001f3ac", "z")]
    assert tables([tied])["videos"][0]["description"] == "\U0001f3ac"


@given(contents=strategies.contents(), seed=st.integers())
def test_tables_are_a_function_of_the_set_of_contents(contents: list[list[Row]], seed: int) -> None:
    shuffled = [row for rows in contents for row in rows] * 2
    random.Random(seed).shuffle(shuffled)
    assert tables([shuffled]) == tables(contents)


# --- the hostile folder ---------------------------------------------------------------------------------


def test_a_hostile_folder_is_the_same_again_and_another_with_another_seed() -> None:
    assert hostile_folder(7, 40, ARRIVED_AT) == hostile_folder(7, 40, ARRIVED_AT)
    assert hostile_folder(7, 40, ARRIVED_AT) != hostile_folder(8, 40, ARRIVED_AT)


def test_a_hostile_folder_has_everything_in_it_and_is_mostly_good() -> None:
    folder = hostile_folder(1, 700, ARRIVED_AT)
    verdicts = [judge(key, data, ARRIVED_AT) for key, data in folder]
    reasons = Counter(verdict.reason for verdict in verdicts)
    codes: Counter[str] = sum((Counter(verdict.counts) for verdict in verdicts), Counter())
    assert len({key for key, _ in folder}) == len(folder) == 700
    assert len({data for _, data in folder}) < 670
    assert 0.6 < reasons[None] / len(folder) < 0.85
    assert len(reasons) == 1 + 9  # all reasons but too_large
    assert len(codes) == 10
    assert any(verdict.drift for verdict in verdicts if verdict.reason is None)
    assert len({key.rpartition("/")[0] for key, _ in folder}) > 10


def test_a_hostile_folder_brings_ties_and_keys_that_meet() -> None:
    folder = hostile_folder(2, 200, ARRIVED_AT)
    rows = [set(judge(key, data, ARRIVED_AT).rows) for key, data in folder]
    by_moment: dict[tuple[str, datetime], set[Row]] = {}
    for row in set().union(*rows):
        by_moment.setdefault((row.channel_id, row.date_updated), set()).add(row)
    assert sum(len({r.channel_name for r in tied}) > 1 for tied in by_moment.values()) > 20
    metrics = tables(rows)["video_metrics"]
    assert sum(row["views_gained"] is not None for row in metrics) > len(metrics) / 2
    assert any(row["date_updated"] == row["last_updated"] for row in metrics)
    assert any(row["sum_views"] > 2**63 for row in tables(rows)["channel_stats"])


@pytest.mark.parametrize("seed", range(5))
def test_the_verdicts_on_a_hostile_folder_hold_for_an_upload_within_the_hour(seed: int) -> None:
    for key, data in hostile_folder(seed, 60, ARRIVED_AT):
        now, later = (judge(key, data, ARRIVED_AT + timedelta(minutes=m)) for m in (0, 59))
        assert now == later, key
