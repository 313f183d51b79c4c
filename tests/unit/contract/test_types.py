"""The types of columns: what each accepts, rejects, and that whole columns are typed as single cells are."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from minidata.contract.cells import read_cell, rule_of
from minidata.contract.numbers import NumberFormat
from minidata.contract.rule import BrokenRuleError
from minidata.dataset import Column

POINT, GERMAN, FRENCH = NumberFormat(), NumberFormat(",", "."), NumberFormat(",", " ")
D = Decimal
MONEY = {"type": "decimal", "precision": 9, "scale": 2}
LOCAL = {"type": "timestamp", "formats": ["%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S.%f%z"], "zone": "Europe/Berlin"}


def column(**rules: Any) -> Column:
    return TypeAdapter[Column](Column).validate_python(rules)


def result(cell: str, rules: dict[str, Any], numbers: NumberFormat = POINT) -> object:
    """The value of a cell, or the code of the rule that it breaks."""
    try:
        return read_cell(rule_of(column(**rules), None, numbers), cell)
    except BrokenRuleError as error:
        return str(error)


VALUES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "text"}, {" a ": "a", "": "", "x" * 50_000: "x" * 50_000}),
    ({"type": "text", "optional": True}, {"": None, " \u00a0": None, "a": "a"}),
    ({"type": "text", "optional": True, "trimmed": False}, {" ": None, " a": " a"}),
    ({"type": "text", "min_length": 2}, {"": "missing_value", "a": "too_short", "ab": "ab"}),
    ({"type": "text", "one_of": ["paid", "open"]}, {"paid": "paid", " open": "open", "Paid": "not_allowed"}),
    (
        {"type": "text", "pattern": "[A-Z]{2}|é"},
        {"DE": "DE", "DEU": "wrong_pattern", "é": "é", "D\nE": "wrong_pattern"},
    ),
    ({"type": "text", "null_words": ["NA", "-"], "optional": True}, {"NA": None, " - ": None, "na": "na"}),
    ({"type": "text", "null_words": ["NA"], "min_length": 1}, {"NA": "missing_value"}),
    ({"type": "integer"}, {"-5": -5, "0007": 7, str(-(2**63)): -(2**63), str(-(2**63) - 1): "out_of_range"}),
    ({"type": "integer", "min": 0}, {"-5": "negative", "-0": "negative", "5": 5}),
    (
        {"type": "integer", "min": -5, "max": 5},
        {"-5": -5, "-6": "out_of_range", "6": "out_of_range", "+5": "not_an_integer"},
    ),
    ({"type": "integer", "one_of": [1, 2]}, {"1": 1, "3": "not_allowed"}),
    (MONEY, {"12.5": D("12.50"), "-0.01": D("-0.01"), ".5": D("0.50"), "1.500": D("1.50"), "1.005": "too_precise"}),
    (MONEY, {"9999999.99": D("9999999.99"), "10000000": "out_of_range", "000010000000": "out_of_range"}),
    (
        MONEY,
        {
            "1,5": "not_a_decimal",
            "1e3": D("1000.00"),
            "12.5E-1": D("1.25"),
            "1e-3": "too_precise",
            "1e999": "out_of_range",
            "1e": "not_a_decimal",
            "5.": D("5.00"),
            "$5": "not_a_decimal",
            "": "missing_value",
        },
    ),
    ({**MONEY, "min": 0, "max": "10"}, {"-1": "negative", "10.00": D("10.00"), "10.01": "out_of_range"}),
    ({"type": "decimal", "precision": 38, "scale": 0}, {"9" * 38: D("9" * 38), "9" * 39: "out_of_range"}),
    ({"type": "boolean"}, {"TRUE": True, " no": False, "1": True, "maybe": "not_a_boolean", "": "missing_value"}),
    ({"type": "boolean", "true_words": ["Ja"], "false_words": ["Nein"]}, {"ja": True, "true": "not_a_boolean"}),
    ({"type": "date"}, {"2026-11-25": date(2026, 11, 25), "2026-02-30": "not_a_date", "0000-01-01": "not_a_date"}),
    ({"type": "date", "formats": ["%d.%m.%y", "%b %d, %Y"]}, {"5.1.69": date(1969, 1, 5), "5.1.68": date(2068, 1, 5)}),
    ({"type": "date", "formats": ["%b %d, %Y"]}, {"November 5, 2026": date(2026, 11, 5), "Foo 5, 2026": "not_a_date"}),
    ({"type": "date", "optional": True}, {"": None, "2026-11-25": date(2026, 11, 25)}),
]


@pytest.mark.parametrize(("rules", "cells"), VALUES)
def test_a_cell_has_its_value_or_the_code_of_the_rule_that_it_breaks(
    rules: dict[str, Any], cells: dict[str, Any]
) -> None:
    assert {cell: result(cell, rules) for cell in cells} == cells


@pytest.mark.parametrize(
    ("rules", "cell", "value"),
    [
        (LOCAL, "25.11.2026 14:30", datetime(2026, 11, 25, 13, 30)),
        (LOCAL, "25.07.2026 14:30", datetime(2026, 7, 25, 12, 30)),
        (LOCAL, "29.03.2026 02:30", "nonexistent_time"),
        (LOCAL, "25.10.2026 02:30", datetime(2026, 10, 25, 0, 30)),
        (LOCAL, "25.11.2026 14:30:00.25-02", datetime(2026, 11, 25, 16, 30, 0, 250_000)),
        (LOCAL, "2026-11-25 14:30", "not_a_timestamp"),
        ({**LOCAL, "formats": ["iso"]}, "2026-11-25 14:30", datetime(2026, 11, 25, 13, 30)),
        ({**LOCAL, "formats": ["iso"]}, "2026-11-25 14:30 UTC", datetime(2026, 11, 25, 14, 30)),
        ({"type": "timestamp", "formats": ["%m/%d/%Y %I:%M %p"]}, "1/2/2026 12:05 am", datetime(2026, 1, 2, 0, 5)),
        ({"type": "timestamp", "formats": ["%m/%d/%Y %I:%M %p"]}, "1/2/2026 13:05 pm", "not_a_timestamp"),
        (
            {"type": "timestamp", "formats": ["epoch_seconds"]},
            "1748781015.5",
            datetime(2025, 6, 1, 12, 30, 15, 500_000),
        ),
        ({"type": "timestamp", "formats": ["epoch_milliseconds"]}, "-1", datetime(1969, 12, 31, 23, 59, 59, 999_000)),
        ({"type": "timestamp", "formats": ["epoch_seconds"]}, "253402300800", "not_a_timestamp"),
        ({"type": "timestamp", "formats": ["epoch_seconds", "iso"]}, "2026-01-01 00:00", datetime(2026, 1, 1)),
    ],
)
def test_a_time_is_read_by_format_and_zone(rules: dict[str, Any], cell: str, value: object) -> None:
    assert result(cell, rules) == value


@pytest.mark.parametrize(
    ("numbers", "cells"),
    [
        (
            GERMAN,
            {"1.234,5": D("1234.50"), "1234,5": D("1234.50"), "12.34,5": "not_a_decimal", "1,234.5": "not_a_decimal"},
        ),
        (
            FRENCH,
            {"1 234,5": D("1234.50"), "1\u00a0234,5": D("1234.50"), "1\u202f234": D("1234.00"), "1.5": "not_a_decimal"},
        ),
    ],
)
def test_numbers_are_read_as_the_dialect_writes_them(numbers: NumberFormat, cells: dict[str, Any]) -> None:
    assert {cell: result(cell, MONEY, numbers) for cell in cells} == cells


def test_integers_have_separators_of_thousands_but_no_fraction() -> None:
    cells = {"1.234": 1234, "-1.234.567": -1234567, "1.23": "not_an_integer", "1234,0": "not_an_integer", "7": 7}
    assert {cell: result(cell, {"type": "integer"}, GERMAN) for cell in cells} == cells


COLUMNS = [
    column(type="integer"),
    column(type="integer", min=-5, max=5, optional=True, null_words=["NA"]),
    column(**MONEY),
    column(**MONEY, min=0, optional=True),
    column(type="decimal", precision=3, scale=0),
    column(type="boolean", optional=True),
    column(type="date"),
    column(type="date", formats=["%d.%m.%y", "%b %d, %Y"], optional=True),
    column(**LOCAL),
    column(type="timestamp", zone="America/New_York", optional=True),
    column(type="timestamp", formats=["epoch_seconds", "%m/%d/%Y %I:%M %p"]),
    column(type="timestamp", formats=["epoch_milliseconds"]),
    column(type="text", pattern="[a-z]+|[0-9]{2}", null_words=["NA"]),
    column(type="text", one_of=["a", "NA"], optional=True),
    column(type="text", optional=True),
    column(type="text", optional=True, trimmed=False, null_words=["NA"], max_length=8),
]
CELLS = st.one_of(
    st.text("0123456789+-. ,eE\u00a0", max_size=8),
    st.sampled_from(
        ["", " ", "NA", "true", "No", "t", "a", "-0", "1.500", "1.005", "0.10", "٣", "99999999999999999999"]
    ),
    st.integers(-(2**65), 2**65).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9).map(str),
    st.dates().map(str),
    st.dates().map(lambda day: f"{day.day}.{day.month}.{day.year % 100:02}"),
    st.dates().map(lambda day: f"{day:%B} {day.day}, {day.year:04}"),
    st.datetimes().map(lambda at: at.isoformat(" ", "seconds")),
    st.datetimes().map(lambda at: f"{at.day:02}.{at.month:02}.{at.year:04} {at.hour:02}:{at.minute:02}"),
    st.datetimes(datetime(2026, 3, 29), datetime(2026, 3, 29, 4)).map(lambda at: f"{at:%d.%m.%Y %H:%M}"),
    st.datetimes(datetime(2026, 10, 25), datetime(2026, 10, 25, 4)).map(lambda at: f"{at:%d.%m.%Y %H:%M:%S.%f}+0200"),
    st.datetimes(datetime(2026, 3, 8), datetime(2026, 3, 8, 4)).map(lambda at: f"{at:%Y-%m-%d %H:%M}"),
    st.datetimes().map(
        lambda at: f"{at.month}/{at.day}/{at.year:04} {at.hour}:{at.minute:02} {'PM' if at.hour % 3 else 'am'}"
    ),
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(COLUMNS), st.lists(CELLS, max_size=12), st.sampled_from([POINT, GERMAN, FRENCH]), st.booleans())
def test_whole_columns_are_typed_as_single_cells(
    one: Column, cells: list[str], numbers: NumberFormat, usual: bool
) -> None:
    rule = rule_of(one, None, numbers)
    frame = pl.DataFrame({"x": cells}, {"x": pl.String})
    typed = (rule.usual if usual else rule.unusual)(pl.col("x"))
    found = frame.select(v=typed.value, g=typed.guard.fill_null(value=False))
    assert found.schema["v"] == rule.dtype
    holds = found.select(pl.col("g") & rule.holds(pl.col("v")).fill_null(value=False)).to_series()
    taken = [cell for cell, held in zip(cells, holds, strict=True) if held]
    assert found.filter(holds)["v"].to_list() == [read_cell(rule, cell) for cell in taken]


@pytest.mark.parametrize(
    ("rules", "cells"),
    [
        ({"type": "integer"}, ["-5", "0", str(2**63 - 1), str(-(2**63)), " 7"]),
        (MONEY, ["12.5", "-0.01", "1.500", "7", "9999999.99"]),
        ({"type": "boolean", "optional": True}, ["True", "f", "", "NO"]),
        ({"type": "date", "optional": True, "null_words": ["NA"]}, ["2026-11-25", "", "NA", " "]),
        (LOCAL, ["25.11.2026 14:30", "25.10.2026 02:30", "1.1.2026 4:05:06.5+01"]),
        ({"type": "timestamp", "formats": ["epoch_seconds"]}, ["0", "-1.5", "1748781015"]),
        ({"type": "timestamp", "zone": "Asia/Kolkata"}, ["2026-11-25 14:30:00", "2026-11-25T14:30Z"]),
        ({"type": "text", "pattern": "[a-z]+", "null_words": ["NA"], "optional": True}, ["abc", "NA", ""]),
    ],
)
def test_no_clean_cell_is_left_to_the_exact_rule(rules: dict[str, Any], cells: list[str]) -> None:
    rule = rule_of(column(**rules))
    typed = rule.unusual(pl.col("x"))
    found = pl.DataFrame({"x": cells}).select(v=typed.value, g=typed.guard)
    assert found.select(pl.col("g") & rule.holds(pl.col("v"))).to_series().to_list() == [True] * len(cells)
