"""How counts grow: closed curves over audience hours, so that any instant can be computed at once.

Every curve is cumulative and never falls. Nothing here is stepped: the state of the world after a year costs as
much as after a minute, and does not depend on how often it was looked at.
"""

from dataclasses import dataclass

FRESH = 24.0  # audience hours in which a new video loses its first third of viewing
_FADE = 0.5  # exponent of the fading of a video's viewing with its age
_MASK = 2**64 - 1
# Width in audience hours and strength (below 1) of the waves that keep growth from being a ruler's line.
_WAVES = ((0.25, 0.8), (1 / 120, 0.7))


def aged(age: float) -> float:
    """Return the views of a video at an age in audience hours, in units of its views in a first such hour."""
    return float(FRESH / (1 - _FADE) * ((1 + max(age, 0.0) / FRESH) ** (1 - _FADE) - 1))


def fading(age: float) -> float:
    """Return the slope of `aged`: a video's viewing at an age, as a share of that at its birth."""
    return float((1 + max(age, 0.0) / FRESH) ** -_FADE)


def noise(key: int, position: int) -> float:
    """Return a number in [0, 1) that looks random and depends on nothing but the two (splitmix64)."""
    z = (key + position * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return (z ^ (z >> 31)) / 2**64


def uneven(hours: float, key: int) -> float:
    """Return audience hours pulled to and fro by noise of their own for each key; they still never run back."""
    for width, strength in _WAVES:
        whole, part = divmod(hours / width, 1)
        position = int(whole)
        here, after = noise(key, position), noise(key, position + 1)
        hours = width * (whole + part + strength * (here + (after - here) * part - 0.5))
    return hours


@dataclass(frozen=True, slots=True)
class Burst:
    """A video goes viral: its viewing rises to a peak and relaxes after a power law.

    Attributes:
        began: audience hours of the video at its start, uneven as its own clock is.
        second: its start in seconds since the epoch.
        peak: views in an audience hour at the peak.
        rise: audience hours from start to peak.
        relaxation: exponent of the decay, not 1.
        likes: share of its viewers who like.
        dislikes: dislikes of such a like.
    """

    began: float
    second: float
    peak: float
    rise: float
    relaxation: float
    likes: float
    dislikes: float

    def views(self, hours: float) -> float:
        """Return the views that it has brought until some audience hours of its video."""
        x = hours - self.began
        if x <= 0:
            return 0.0
        if x < self.rise:
            return self.peak * x**3 / (3 * self.rise**2)
        past = (1 + (x - self.rise)) ** (1 - self.relaxation) - 1
        return float(self.peak * (self.rise / 3 + past / (1 - self.relaxation)))

    def rate(self, hours: float) -> float:
        """Return the views in an audience hour that it brings at some audience hours of its video."""
        x = hours - self.began
        if x <= 0:
            return 0.0
        if x < self.rise:
            return self.peak * (x / self.rise) ** 2
        return float(self.peak * (1 + (x - self.rise)) ** -self.relaxation)
