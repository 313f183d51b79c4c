"""The audience's clock."""

from datetime import UTC, datetime
from statistics import mean

import pytest

from simulator.clock import HOUR, HOURS, WEEK, Rhythm, instant_at, seconds

MONDAY = seconds(datetime(2026, 11, 23, tzinfo=UTC))


def test_a_week_has_as_many_audience_hours_as_hours() -> None:
    rhythm = Rhythm(5.5, 1.3)
    assert rhythm.hours(MONDAY + WEEK * HOUR) - rhythm.hours(MONDAY) == pytest.approx(WEEK)
    assert mean(rhythm.level(MONDAY + minute * 60) for minute in range(WEEK * 60)) == pytest.approx(1, abs=1e-3)


def test_audience_hours_are_the_sum_of_the_levels() -> None:
    rhythm = Rhythm(-3, 0.8)
    step = 10.0
    passed = sum(rhythm.level(MONDAY + (tick + 0.5) * step) for tick in range(30_000)) * step / HOUR
    assert rhythm.hours(MONDAY + 30_000 * step) - rhythm.hours(MONDAY) == pytest.approx(passed, rel=1e-4)


def test_the_peak_is_in_the_local_evening_and_the_trough_before_dawn() -> None:
    for offset in (-8, 0, 5.5, 9):
        rhythm = Rhythm(offset, 1.0)
        levels = [rhythm.level(MONDAY + (hour - offset) * HOUR) for hour in range(24)]
        assert levels.index(max(levels)) == 20
        assert levels.index(min(levels)) == 4
        assert max(levels) / min(levels) == pytest.approx(max(HOURS) / min(HOURS))


def test_the_weekend_differs_by_its_factor() -> None:
    rhythm = Rhythm(0, 1.35)
    saturday = MONDAY + 5 * 24 * HOUR
    assert rhythm.level(saturday + 12 * HOUR) / rhythm.level(MONDAY + 12 * HOUR) == pytest.approx(1.35)


def test_instants_are_cut_to_seconds_in_utc() -> None:
    assert instant_at(MONDAY + 0.9) == datetime(2026, 11, 23, tzinfo=UTC)
