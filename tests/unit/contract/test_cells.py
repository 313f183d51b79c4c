"""The expressions over whole columns accept nothing that the exact rule rejects, and all that is usual."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minidata.contract.cells import BrokenRuleError, read_cell, rule_of
from minidata.contract.header import Header
from minidata.contract.rows import Rows
from minidata.dataset import Column, IntegerColumn, TextColumn, TimestampColumn

NUMBER = IntegerColumn(type="integer")
TIME = TimestampColumn(type="timestamp")
NAME = TextColumn(type="text", min_length=1, max_length=3)
TEXT = TextColumn(type="text", trimmed=False, max_length=3)

# Every string of the shape of a timestamp, but with signs, blanks and digits more and less in all places.
_fields = st.sampled_from(["01", "1", " 1", "+1", "1 ", "001", "12", "59", "60", "00", "24", "-1", "\t1", "٣"])
_years = st.sampled_from(["2026", "0000", "0001", "9999", "026", "+2026", " 2026", "12026", "-026", "2024"])
_ends = st.sampled_from(
    [
        " UTC",
        "+01",
        "-0130",
        "+010",
        "+2400",
        "UTC",
        "",
        "Z",
        "z",
        ".5",
        ".",
        ".1234567",
        "+01:00",
        "-23:59",
        "+24:00",
        " ",
        "+0100",
        ".5Z",
    ]
)
_between = st.sampled_from([" ", "T", "t", "  ", "", "\t"])
timestamps = st.builds(
    lambda y, mo, d, sep, h, mi, s, end: f"{y}-{mo}-{d}{sep}{h}:{mi}{s}{end}",
    *(_years, _fields, _fields, _between, _fields, _fields),
    st.one_of(st.just(""), _fields.map(":{}".format)),
    _ends,
)
sound_timestamps = st.builds(
    lambda at, sep, end: at.isoformat(sep, "seconds") + end,
    st.datetimes(),
    st.sampled_from("T "),
    st.sampled_from(
        ["", "Z", ".25", ".000001Z", "+05:30", "-11:00", "+0530", "-11", ".5+00", " UTC", ".25 UTC", "\u200b"]
    ),
)
integers = st.one_of(st.text("0123456789+-_. ex\t\n٣", max_size=5), st.integers(-9, 2**65).map(str))


def _rows(columns: dict[str, Column], arrived_at: datetime = datetime.max) -> Rows:
    header = Header(b"", len(columns), {name: n for n, name in enumerate(columns)}, [])
    return Rows(columns, header, arrived_at)


def _assert_accepts_no_more(column: Column, cells: list[str], *, unusual: bool) -> None:
    rows = _rows({"x": column})
    rows._mostly_unusual = unusual
    frames, doubtful = rows.accept(pl.DataFrame({"x": cells}, {"x": pl.String}))
    found = [value for frame in frames for value in frame["x"].to_list()]
    rule = rule_of(column)
    expected = []
    for number, cell in enumerate(cells):
        try:
            value = read_cell(rule, cell)
        except BrokenRuleError:
            assert number in doubtful
            continue
        if number not in doubtful:
            expected.append(value)
    assert sorted(found, key=repr) == sorted(expected, key=repr)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.one_of(timestamps, sound_timestamps), max_size=20), st.booleans())
def test_what_it_takes_for_an_instant_the_exact_rule_takes_for_the_same(cells: list[str], unusual: bool) -> None:
    _assert_accepts_no_more(TIME, cells, unusual=unusual)


@settings(max_examples=500, deadline=None)
@given(st.lists(integers, max_size=20), st.booleans())
def test_what_it_takes_for_an_integer_the_exact_rule_takes_for_the_same(cells: list[str], unusual: bool) -> None:
    _assert_accepts_no_more(NUMBER, cells, unusual=unusual)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(integers, st.sampled_from(["", " ", "\u00a0\n"])), max_size=20), st.booleans())
def test_what_it_takes_for_a_known_integer_the_exact_rule_takes_for_the_same(cells: list[str], unusual: bool) -> None:
    _assert_accepts_no_more(IntegerColumn(type="integer", optional=True), cells, unusual=unusual)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("aé🎬 \t\n\u00a0", max_size=6), max_size=20), st.sampled_from([NAME, TEXT]))
def test_what_it_takes_for_a_text_the_exact_rule_takes_for_the_same(cells: list[str], column: Column) -> None:
    _assert_accepts_no_more(column, cells, unusual=False)


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        (NUMBER, ["0", "00012", " 12\t", "9223372036854775807", "0" * 40 + "7"]),
        (TIME, ["2026-01-02 03:04:05", "2026-01-02T03:04", " 2026-01-02T03:04:05.123456Z", "2026-01-02 03:04+05:30"]),
        (TIME, ["0001-01-01 00:00:00", "9999-12-31T23:59:59.999999Z", "2024-02-29 00:00:00-23:59"]),
        (NAME, ["a", " ab\n", "\u00a0a", "🎬🎬🎬"]),
        (TEXT, ["", "   ", "\n"]),
        (NUMBER, ["\u00a012\ufeff", "\u200b7"]),
        (TIME, ["2026-01-02 03:04:05+00", "2026-01-02 03:04:05.5 UTC", "2026-01-02T03:04-0330", "2026-01-02 03:04+05"]),
        (IntegerColumn(type="integer", optional=True), ["", "12", "0", " \u00a0", " 7"]),
        (TimestampColumn(type="timestamp", optional=True), ["", "2026-01-02 03:04:05", "\t", "2026-01-02T03:04Z"]),
    ],
)
def test_no_usual_cell_is_left_to_the_exact_rule(column: Column, cells: list[str]) -> None:
    _, doubtful = _rows({"x": column}).accept(pl.DataFrame({"x": cells}))
    assert doubtful.tolist() == []


def test_an_instant_is_in_utc_to_the_microsecond() -> None:
    cells = ["2026-01-02T03:04:05.1+05:30", "2026-01-02 03:04:05.000001-00:30"]
    (_, frame), _ = _rows({"x": TIME}).accept(pl.DataFrame({"x": cells}))
    assert frame["x"].to_list() == [
        datetime(2026, 1, 1, 21, 34, 5, 100_000),
        datetime(2026, 1, 2, 3, 34, 5, 1),
    ]


def test_rows_that_break_rules_between_columns_are_left_to_the_exact_rule() -> None:
    latest = datetime(2026, 1, 2)
    columns: dict[str, Column] = {"a": TIME, "b": TimestampColumn(type="timestamp", not_before="a", max_ahead_hours=0)}
    moments = [latest, latest + timedelta(microseconds=1), latest - timedelta(days=9)]
    frame = pl.DataFrame({"a": ["2026-01-01 00:00:00"] * 3, "b": [moment.isoformat(" ") for moment in moments]})
    _, doubtful = _rows(columns, latest).accept(frame)
    assert doubtful.tolist() == [1, 2]
