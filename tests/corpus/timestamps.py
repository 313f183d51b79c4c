"""Timestamps: every way to write one that is accepted, many that are not, the ends of time, the arrival."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from tests.corpus.case import Case, Expected, accepts, good_cells, line, rejects, snapshot


def _naive(text: str) -> datetime:
    return datetime.fromisoformat(text)


_ACCEPTED: Final = {
    "t_and_z": ("2025-06-01T12:30:15Z", "2025-06-01 12:30:15"),
    "blank_and_nothing": ("2025-06-01 12:30:15", "2025-06-01 12:30:15"),
    "without_seconds": ("2025-06-01T12:30", "2025-06-01 12:30:00"),
    "without_seconds_z": ("2025-06-01 12:30Z", "2025-06-01 12:30:00"),
    "without_seconds_offset": ("2025-06-01 12:30+02:00", "2025-06-01 10:30:00"),
    "fraction_1": ("2025-06-01T12:30:15.1Z", "2025-06-01 12:30:15.100000"),
    "fraction_2": ("2025-06-01T12:30:15.12", "2025-06-01 12:30:15.120000"),
    "fraction_3": ("2025-06-01T12:30:15.123Z", "2025-06-01 12:30:15.123000"),
    "fraction_4": ("2025-06-01T12:30:15.1234", "2025-06-01 12:30:15.123400"),
    "fraction_5": ("2025-06-01T12:30:15.12345+00:00", "2025-06-01 12:30:15.123450"),
    "fraction_6": ("2025-06-01T12:30:15.123456Z", "2025-06-01 12:30:15.123456"),
    "fraction_of_one_microsecond": ("2025-06-01T12:30:15.000001Z", "2025-06-01 12:30:15.000001"),
    "offset_east": ("2025-06-02T01:00:00+05:30", "2025-06-01 19:30:00"),
    "offset_west": ("2025-05-31T22:00:00-09:30", "2025-06-01 07:30:00"),
    "offset_minus_zero": ("2025-06-01T12:30:15-00:00", "2025-06-01 12:30:15"),
    "offset_of_almost_a_day_east": ("2025-06-02T23:59:00+23:59", "2025-06-02 00:00:00"),
    "offset_of_almost_a_day_west": ("2025-06-01T00:00:00-23:59", "2025-06-01 23:59:00"),
    "offset_of_hours": ("2025-06-01 12:30:15+02", "2025-06-01 10:30:15"),
    "offset_of_hours_west": ("2025-06-01 12:30:15.5-11", "2025-06-01 23:30:15.5"),
    "offset_of_hours_without_seconds": ("2025-06-01 12:30+00", "2025-06-01 12:30:00"),
    "offset_without_colon": ("2025-06-01T12:30:15+0530", "2025-06-01 07:00:15"),
    "offset_without_colon_or_seconds": ("2025-06-01T12:30-0030", "2025-06-01 13:00:00"),
    "utc": ("2025-06-01 12:30:15 UTC", "2025-06-01 12:30:15"),
    "utc_after_a_fraction": ("2025-06-01 12:30:15.123456 UTC", "2025-06-01 12:30:15.123456"),
    "utc_without_seconds": ("2025-06-01T12:30 UTC", "2025-06-01 12:30:00"),
    "no_break_space_around": ("\u00a02025-06-01T12:30Z\u00a0", "2025-06-01 12:30:00"),
    "byte_order_mark_before": ("\ufeff2025-06-01T12:30Z", "2025-06-01 12:30:00"),
    "padded": ("  2025-06-01T12:30:15Z\t", "2025-06-01 12:30:15"),
    "padded_with_line_ends": ("\r\n2025-06-01 12:30\n", "2025-06-01 12:30:00"),
    "end_of_the_day": ("2025-06-01T23:59:59.999999Z", "2025-06-01 23:59:59.999999"),
    "offset_over_the_end_of_february": ("2026-03-01T00:00:00+01:00", "2026-02-28 23:00:00"),
}
_ACCEPTED_FOR_CREATED: Final = {
    "leap_day": ("2024-02-29T00:00Z", "2024-02-29 00:00:00"),
    "leap_day_2000": ("2000-02-29T00:00Z", "2000-02-29 00:00:00"),
    "year_1": ("0001-01-01T00:00:00Z", "0001-01-01 00:00:00"),
    "year_1_offset_staying": ("0001-01-01T00:00-01:00", "0001-01-01 01:00:00"),
    "year_1_offset_to_its_first_instant": ("0001-01-01T05:45+05:45", "0001-01-01 00:00:00"),
    "before_the_epoch": ("1969-12-31T23:59:59.999999", "1969-12-31 23:59:59.999999"),
    "julian_gap": ("1582-10-10 00:00", "1582-10-10 00:00:00"),
    "clock_change_gap": ("2025-03-30 02:30", "2025-03-30 02:30:00"),
}
_REFUSED: Final = {
    "no_time": "2025-06-01",
    "time_alone": "12:30:15",
    "hour_alone": "2025-06-01T12",
    "hour_alone_z": "2025-06-01T12Z",
    "hour_24": "2025-06-01T24:00:00Z",
    "hour_24_without_seconds": "2025-06-01 24:00",
    "hour_25": "2025-06-01T25:00:00Z",
    "minute_60": "2025-06-01T12:60:00Z",
    "second_60": "2025-06-01T12:30:60Z",
    "second_60_of_a_leap_second": "2016-12-31T23:59:60Z",
    "fraction_7": "2025-06-01T12:30:15.1234567Z",
    "fraction_7_zeros": "2025-06-01T12:30:15.0000000",
    "fraction_9": "2025-06-01T12:30:15.123456789Z",
    "fraction_empty": "2025-06-01T12:30:15.Z",
    "fraction_comma": "2025-06-01T12:30:15,5Z",
    "fraction_of_a_minute": "2025-06-01T12:30.5Z",
    "month_0": "2025-00-01T12:30Z",
    "month_13": "2025-13-01T12:30Z",
    "day_0": "2025-06-00T12:30Z",
    "june_31": "2025-06-31T12:30Z",
    "february_29": "2025-02-29T12:30Z",
    "february_29_1900": "1900-02-29T12:30Z",
    "february_30": "2024-02-30T12:30Z",
    "year_0": "0000-01-01T00:00Z",
    "year_of_5_digits": "12025-06-01T12:30Z",
    "year_with_plus": "+2025-06-01T12:30Z",
    "year_with_minus": "-2025-06-01T12:30Z",
    "year_of_2_digits": "25-06-01T12:30Z",
    "year_1_left_by_offset": "0001-01-01T00:30:00+01:00",
    "year_9999_left_by_offset": "9999-12-31T23:30:00-01:00",
    "month_of_1_digit": "2025-6-01T12:30Z",
    "hour_of_1_digit": "2025-06-01T9:30Z",
    "second_of_1_digit": "2025-06-01T12:30:5Z",
    "t_lower_case": "2025-06-01t12:30:15Z",
    "z_lower_case": "2025-06-01T12:30:15z",
    "two_blanks": "2025-06-01  12:30:15",
    "tab_between": "2025-06-01\t12:30:15",
    "line_end_between": "2025-06-01\n12:30:15",
    "no_break_space_between": "2025-06-01\u00a012:30:15",
    "underscore_between": "2025-06-01_12:30:15",
    "nothing_between": "2025-06-0112:30:15",
    "blank_before_z": "2025-06-01T12:30:15 Z",
    "blank_before_offset": "2025-06-01T12:30:15 +02:00",
    "z_twice": "2025-06-01T12:30:15ZZ",
    "z_and_offset": "2025-06-01T12:30:15Z+00:00",
    "zone_name": "2025-06-01T12:30:15[Europe/Zurich]",
    "offset_of_3_digits": "2025-06-01T12:30:15+020",
    "offset_with_a_colon_alone": "2025-06-01T12:30:15+02:",
    "offset_after_a_blank": "2025-06-01 12:30:15 +02",
    "offset_24_of_hours": "2025-06-01T12:30:15+24",
    "offset_minute_60_without_colon": "2025-06-01T12:30:15+0160",
    "utc_without_blank": "2025-06-01 12:30:15UTC",
    "utc_after_two_blanks": "2025-06-01 12:30:15  UTC",
    "utc_lower_case": "2025-06-01 12:30:15 utc",
    "utc_and_offset": "2025-06-01 12:30:15+00 UTC",
    "gmt": "2025-06-01 12:30:15 GMT",
    "offset_of_1_digit": "2025-06-01T12:30:15+2:00",
    "offset_with_seconds": "2025-06-01T12:30:15+02:00:00",
    "offset_24": "2025-06-01T12:30:15+24:00",
    "offset_minute_60": "2025-06-01T12:30:15+01:60",
    "offset_minus_sign_u2212": "2025-06-01T12:30:15\u221202:00",
    "offset_on_a_date": "2025-06-01+02:00",
    "basic_format": "20250601T123015Z",
    "dashes_missing": "2025-0601 12:30",
    "week_date": "2025-W22-7T12:30Z",
    "ordinal_date": "2025-152T12:30Z",
    "slashes": "2025/06/01 12:30:15",
    "european": "01.06.2025 12:30:15",
    "american": "06/01/2025 12:30 PM",
    "am_pm": "2025-06-01 01:30 PM",
    "era": "2025-06-01 12:30:15 BC",
    "epoch_seconds": "1748781015",
    "epoch_milliseconds": "1748781015000",
    "arabic_digits": "\u0662\u0660\u0662\u0665-06-01T12:30Z",
    "fullwidth_digits": "2025-06-01T1\uff12:30Z",
    "no_break_space_inside": "2025-06-01\u00a012:30Z",
    "now": "now",
    "today": "today",
    "epoch": "epoch",
    "infinity": "infinity",
    "nat": "NaT",
    "null": "NULL",
}


def _placed(
    name: str, cells: Callable[[datetime], dict[str, str]], *broken: tuple[str, str], exact: bool = False
) -> Case:
    """Ten good rows and, on line 12, one whose timestamps depend on the arrival; `broken` as in `rejects`."""

    def build(arrived_at: datetime) -> bytes:
        odd = line(good_cells(name, 11, cells(arrived_at)).values())
        return snapshot(name, 10) + odd.encode()

    def expected(arrived_at: datetime) -> Expected:
        entries = tuple((12, column, code, cells(arrived_at)[column]) for column, code in broken)
        return Expected(entries=entries, rows_total=11, rows_rejected=1 if broken else 0)

    return Case(name, build, expected, exact_arrival=exact)


def _updated(**later: float) -> Callable[[datetime], dict[str, str]]:
    """date_updated so much after the arrival, to the microsecond and with its offset."""
    return lambda arrived_at: {"date_updated": (arrived_at + timedelta(**later)).isoformat(timespec="microseconds")}


def _both(created: str, **later: float) -> Callable[[datetime], dict[str, str]]:
    return lambda arrived_at: {"date_created": created, **_updated(**later)(arrived_at)}


_FUTURE: Final = ("date_updated", "future_timestamp")
_BEFORE: Final = ("date_updated", "updated_before_created")

WRITTEN: Final = [
    *(
        accepts(f"timestamp_{name}", {"date_updated": cell}, date_updated=_naive(value))
        for name, (cell, value) in _ACCEPTED.items()
    ),
    *(
        accepts(f"created_{name}", {"date_created": cell}, date_created=_naive(value))
        for name, (cell, value) in _ACCEPTED_FOR_CREATED.items()
    ),
    accepts(
        "timestamps_in_year_1",
        {"date_created": "0001-01-01T00:00Z", "date_updated": "0001-01-01T00:00:00.000001Z"},
        date_updated=_naive("0001-01-01 00:00:00.000001"),
    ),
    *(
        rejects(f"timestamp_{name}", {"date_updated": cell}, ("date_updated", "not_a_timestamp"))
        for name, cell in _REFUSED.items()
    ),
    *(
        rejects(f"{column}_{name}", {column: cell}, (column, "missing_value"))
        for column in ("date_created", "date_updated")
        for name, cell in {"empty": "", "blank": " \t", "line_end": "\r\n"}.items()
    ),
    rejects("created_not_a_timestamp", {"date_created": "yesterday"}, ("date_created", "not_a_timestamp")),
    rejects(
        "created_year_9999_left_by_offset",
        {"date_created": "9999-12-31T23:59:59.999999-00:01"},
        ("date_created", "not_a_timestamp"),
    ),
]

COMPARED: Final = [
    _placed("future_by_23_hours", _updated(hours=23)),
    _placed("future_by_25_hours", _updated(hours=25), _FUTURE),
    _placed("future_by_24_hours", _updated(hours=24), exact=True),
    _placed("future_by_24_hours_1_microsecond", _updated(hours=24, microseconds=1), _FUTURE, exact=True),
    _placed("future_by_10_years", _updated(days=3653), _FUTURE),
    _placed("future_and_before_created", _both("9999-12-31T23:59:59.999999Z", hours=25), _FUTURE, _BEFORE),
    _placed("created_in_the_future", _both("9999-12-31T23:59:59.999999Z", hours=1), _BEFORE),
    _placed("created_in_the_future_and_offset_staying", _both("9999-12-31T23:59+23:59", hours=1), _BEFORE),
    rejects("updated_in_year_9999", {"date_updated": "9999-12-31T23:59:59.999999Z"}, _FUTURE),
    accepts(
        "updated_when_created",
        {"date_created": "2025-06-01T12:00+02:00", "date_updated": "2025-06-01T10:00Z"},
        date_created=_naive("2025-06-01 10:00:00"),
        date_updated=_naive("2025-06-01 10:00:00"),
    ),
    accepts(
        "updated_before_created_on_the_wall_only",
        {"date_created": "2025-06-01T12:00+02:00", "date_updated": "2025-06-01T11:00Z"},
        date_updated=_naive("2025-06-01 11:00:00"),
    ),
    rejects(
        "updated_before_created_by_a_microsecond",
        {"date_created": "2025-06-01T12:00:00.000001", "date_updated": "2025-06-01T12:00"},
        _BEFORE,
    ),
    rejects(
        "updated_before_created_by_offset",
        {"date_created": "2025-06-01T10:00-02:00", "date_updated": "2025-06-01T11:00Z"},
        _BEFORE,
    ),
    rejects(
        "updated_is_not_compared_with_an_invalid_created",
        {"date_created": "2025-06-31T00:00Z", "date_updated": "2025-01-01T00:00Z"},
        ("date_created", "not_a_timestamp"),
    ),
    rejects(
        "updated_invalid_is_not_compared",
        {"date_created": "2025-06-01T00:00Z", "date_updated": "2025-05-32T00:00Z"},
        ("date_updated", "not_a_timestamp"),
    ),
]

CASES: Final = [*WRITTEN, *COMPARED]
