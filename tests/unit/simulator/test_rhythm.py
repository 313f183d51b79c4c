"""The audience's clock."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from simulator.growth import HOUR, HOURS, WEEK, Rhythm

MONDAY = datetime(2026, 11, 23, tzinfo=UTC).timestamp()


def level(rhythm: Rhythm, second: float) -> float:
    """The slope of its audience hours: viewing, as a multiple of the week's mean."""
    return (rhythm.hours(second + 1) - rhythm.hours(second - 1)) * HOUR / 2


def test_a_week_has_as_many_audience_hours_as_hours() -> None:
    rhythm = Rhythm(5.5, 1.3)
    assert rhythm.hours(MONDAY + WEEK * HOUR) - rhythm.hours(MONDAY) == pytest.approx(WEEK)


def test_audience_hours_never_run_back_and_are_continuous_over_the_turn_of_the_week() -> None:
    rhythm = Rhythm(-3, 0.8)
    hours = [rhythm.hours(MONDAY + minute * 60) for minute in range(-WEEK * 60, WEEK * 60)]
    steps = [after - before for before, after in pairwise(hours)]
    assert min(steps) > 0
    assert max(steps) < 2.5 / 60


def test_the_peak_is_in_the_local_evening_and_the_trough_before_dawn() -> None:
    for offset in (-8, 0, 5.5, 9):
        rhythm = Rhythm(offset, 1.0)
        levels = [level(rhythm, MONDAY + (hour - offset) * HOUR) for hour in range(24)]
        assert levels.index(max(levels)) == 20
        assert levels.index(min(levels)) == 4
        assert max(levels) / min(levels) == pytest.approx(max(HOURS) / min(HOURS), rel=1e-2)


def test_the_weekend_differs_by_its_factor() -> None:
    rhythm = Rhythm(0, 1.35)
    saturday = MONDAY + 5 * 24 * HOUR
    assert level(rhythm, saturday + 12 * HOUR) / level(rhythm, MONDAY + 12 * HOUR) == pytest.approx(1.35, rel=1e-3)
