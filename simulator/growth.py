"""How counts grow: closed curves over audience hours, so that the state at any instant is computed directly.

An audience hour passes in each hour on average, faster when the audience watches more. Every curve is cumulative
and never falls. The state after a year costs as much as after a minute.
"""

from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import sqrt

HOUR = 3600
WEEK = 7 * 24
# Viewing by local hour. The evening peak and the trough before dawn are what traffic studies report
# (docs/simulator.md); the heights between are ours.
HOURS = (.75, .50, .34, .25, .22, .26, .40, .60, .75, .85, .92, 1.0,
         1.12, 1.12, 1.08, 1.12, 1.22, 1.35, 1.50, 1.68, 1.80, 1.75, 1.50, 1.10)  # fmt: skip
FRESH = 24.0  # audience hours in which the viewing of a new video falls by 30 %
WAVES = (
    (0.25, 0.8),
    (1 / 120, 0.7),
)  # noise: width in audience hours, and strength (below 1, so that no clock runs back)
_MONDAY = 4 * 24  # hours from the epoch, a Thursday, to the first Monday
_MASK = 2**64 - 1


class Rhythm:
    """The week of one audience: day, night and weekend.

    Args:
        utc_offset: the audience's local time, in hours.
        weekend: viewing on Saturday and Sunday, as a multiple of a weekday's.
    """

    def __init__(self, utc_offset: float, weekend: float) -> None:
        self._shift = utc_offset - _MONDAY
        week = [level * (weekend if day >= 5 else 1) for day in range(7) for level in HOURS]
        mean = sum(week) / WEEK
        self._level = [level / mean for level in [*week, week[0]]]
        self._passed = [0.0, *accumulate((here + after) / 2 for here, after in pairwise(self._level))]

    def hours(self, second: float) -> float:
        """Return the audience hours since the first Monday of the epoch: the integral of viewing."""
        weeks, rest = divmod(second / HOUR + self._shift, WEEK)
        hour, part = divmod(rest, 1)
        here, after = self._level[int(hour)], self._level[int(hour) + 1]
        return weeks * WEEK + self._passed[int(hour)] + here * part + (after - here) * part * part / 2


def aged(age: float) -> float:
    """Return the views of a video at an age in audience hours, in units of the views in its first such hour."""
    return 2 * FRESH * (sqrt(1 + max(age, 0.0) / FRESH) - 1)


def fading(age: float) -> float:
    """Return the slope of `aged`: viewing at an age, as a share of the viewing at birth."""
    return 1 / sqrt(1 + max(age, 0.0) / FRESH)


def noise(key: int, position: int) -> float:
    """Return a pseudo-random number in [0, 1) that depends on the arguments only (splitmix64)."""
    z = (key + position * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return (z ^ (z >> 31)) / 2**64


def uneven(hours: float, key: int) -> float:
    """Return audience hours shifted by noise that differs by key; the result still grows with `hours`."""
    for width, strength in WAVES:
        whole, part = divmod(hours / width, 1)
        here, after = noise(key, int(whole)), noise(key, int(whole) + 1)
        hours = width * (whole + part + strength * (here + (after - here) * part - 0.5))
    return hours


@dataclass(frozen=True, slots=True)
class Burst:
    """A video goes viral: its viewing rises to a peak, then decays by a power law."""

    began: float  # start, in uneven audience hours of the video
    second: float  # start, in seconds since the epoch
    peak: float  # views per audience hour at the peak
    rise: float  # audience hours from start to peak
    relaxation: float  # exponent of the decay, not 1
    likes: float  # likes per view it brings
    dislikes: float  # dislikes per such like

    def views(self, hours: float) -> float:
        """Return the views that it has brought up to some uneven audience hours of the video."""
        x = hours - self.began
        if x <= self.rise:
            return self.peak * max(x, 0.0) ** 3 / (3 * self.rise**2)
        past = (1 + (x - self.rise)) ** (1 - self.relaxation) - 1
        return float(self.peak * (self.rise / 3 + past / (1 - self.relaxation)))

    def rate(self, hours: float) -> float:
        """Return the views per audience hour that it brings at some uneven audience hours of the video."""
        x = hours - self.began
        if x <= self.rise:
            return self.peak * (max(x, 0.0) / self.rise) ** 2
        return float(self.peak * (1 + (x - self.rise)) ** -self.relaxation)
