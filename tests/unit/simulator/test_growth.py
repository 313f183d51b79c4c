"""The curves of growth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.growth import Burst, aged, fading, noise, uneven

BURST = Burst(began=100.0, second=0.0, peak=5000.0, rise=2.0, relaxation=1.4, likes=0.03, dislikes=0.05)
HOURS = st.floats(0, 1e6)


@given(st.integers(0, 2**64 - 1), st.floats(4e5, 6e5), st.floats(1e-4, 100))
def test_uneven_hours_never_run_back_and_stay_near(key: int, hours: float, step: float) -> None:
    assert uneven(hours, key) < uneven(hours + step, key)
    assert uneven(hours, key) == pytest.approx(hours, abs=0.25)


def test_uneven_hours_differ_by_key_but_not_by_call() -> None:
    assert uneven(1000.1, 1) == uneven(1000.1, 1)
    assert uneven(1000.1, 1) != uneven(1000.1, 2)


def test_noise_is_spread_evenly() -> None:
    drawn = [noise(42, position) for position in range(10_000)]
    assert all(0 <= number < 1 for number in drawn)
    for tenth in range(10):
        assert 800 < sum(tenth / 10 <= number < (tenth + 1) / 10 for number in drawn) < 1200


@given(HOURS)
def test_fading_is_the_slope_of_aged(age: float) -> None:
    step = 1e-3 * (1 + age)
    assert (aged(age + step) - aged(age)) / step == pytest.approx(fading(age), rel=1e-2)
    assert fading(age + step) < fading(age) <= 1


@pytest.mark.parametrize("relaxation", [0.6, 1.4])
def test_a_burst_rises_to_its_peak_then_relaxes_after_its_power(relaxation: float) -> None:
    burst = Burst(100.0, 0.0, 5000.0, 2.0, relaxation, 0.03, 0.05)
    assert burst.views(99) == burst.rate(99) == 0
    assert burst.rate(101) < burst.rate(102) == burst.peak
    assert burst.rate(102 + 9) / burst.peak == pytest.approx(10**-relaxation)
    for hours in (100.5, 101.9, 103.0, 150.0):
        slope = (burst.views(hours + 1e-4) - burst.views(hours - 1e-4)) / 2e-4
        assert slope == pytest.approx(burst.rate(hours), rel=1e-3)


@given(st.floats(90, 500), st.floats(0, 50))
def test_a_burst_never_takes_views_back(hours: float, step: float) -> None:
    assert BURST.views(hours + step) >= BURST.views(hours)
