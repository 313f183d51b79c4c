"""Day and night: how much of its time an audience has spent watching, as a clock that runs fast and slow."""

from datetime import UTC, datetime
from itertools import accumulate, pairwise

# Viewing by local hour. The evening peak and the trough before dawn are what traffic studies report
# (docs/simulator.md); the heights between are ours.
HOURS = (.75, .50, .34, .25, .22, .26, .40, .60, .75, .85, .92, 1.0,
         1.12, 1.12, 1.08, 1.12, 1.22, 1.35, 1.50, 1.68, 1.80, 1.75, 1.50, 1.10)  # fmt: skip
HOUR = 3600
WEEK = 7 * 24
_MONDAY = 4 * 24  # hours from the epoch, a Thursday, to the first Monday


def seconds(instant: datetime) -> float:
    """Return the seconds since the epoch of an instant with a timezone.

    Raises:
        ValueError: if it has none, because it would mean another instant on another machine.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no timezone; the simulator takes instants in UTC only.")
    return instant.timestamp()


def instant_at(second: float) -> datetime:
    """Return the instant of a second since the epoch, cut to whole seconds, in UTC."""
    return datetime.fromtimestamp(int(second), UTC)


class Rhythm:
    """The week of one audience.

    Its clock counts audience hours: one passes in each hour on average, eight times as many in the hour of the
    evening peak as before dawn. Whatever grows evenly on this clock follows the rhythm of the real one.

    Args:
        utc_offset: of the audience's local time, in hours.
        weekend: viewing on Saturday and Sunday, as a multiple of that on other days.
    """

    def __init__(self, utc_offset: float, weekend: float) -> None:
        self._shift = utc_offset - _MONDAY
        week = [level * (weekend if day >= 5 else 1) for day in range(7) for level in HOURS]
        mean = sum(week) / WEEK
        self._level = [level / mean for level in [*week, week[0]]]
        self._passed = [0.0, *accumulate((here + after) / 2 for here, after in pairwise(self._level))]

    def level(self, second: float) -> float:
        """Return the viewing at a second since the epoch, as a multiple of the week's mean."""
        hour, part = divmod((second / HOUR + self._shift) % WEEK, 1)
        here, after = self._level[int(hour)], self._level[int(hour) + 1]
        return here + (after - here) * part

    def hours(self, second: float) -> float:
        """Return the audience hours since the first Monday of the epoch: the integral of `level`."""
        weeks, rest = divmod(second / HOUR + self._shift, WEEK)
        hour, part = divmod(rest, 1)
        here, after = self._level[int(hour)], self._level[int(hour) + 1]
        return weeks * WEEK + self._passed[int(hour)] + here * part + (after - here) * part * part / 2
