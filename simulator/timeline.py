"""What happens when: publications and bursts, as one endless stream in order of time."""

from collections.abc import Iterator
from heapq import merge
from itertools import chain, dropwhile, takewhile
from typing import Literal

from simulator.chance import stream

Event = Literal["publish", "burst"]

PUBLISHED = 0.06  # videos published in a day, as a share of the catalogue at the start
BURSTS = 0.03  # bursts in a day, as a share of the same
LEAD = 3 * 86400  # seconds before the world's start in which things already happen, so that it starts in full swing


def moments(name: str, begin: float, daily: float) -> Iterator[float]:
    """Yield the seconds since the epoch of events that come at a daily rate, without memory (Poisson)."""
    draw = stream(name)
    second = begin
    while True:
        second += draw.expovariate(daily / 86400)
        yield second


def timeline(name: str, start: float, videos: int) -> tuple[int, Iterator[tuple[float, Event]]]:
    """Return how many videos are published before the start, and all events, endlessly.

    Args:
        name: the only source of chance.
        start: of the world, in seconds since the epoch.
        videos: in the catalogue at the start; at most half of them are published in the days before.
    """
    recent = list(takewhile(lambda second: second < start, _publications(name, start, videos)))[: videos // 2]
    later = dropwhile(lambda second: second < start, _publications(name, start, videos))
    published: Iterator[tuple[float, Event]] = ((second, "publish") for second in chain(recent, later))
    viral: Iterator[tuple[float, Event]] = (
        (second, "burst") for second in moments(f"{name}/bursts", start - LEAD, BURSTS * videos)
    )
    return len(recent), merge(published, viral)


def _publications(name: str, start: float, videos: int) -> Iterator[float]:
    return moments(f"{name}/publications", start - LEAD, PUBLISHED * videos)
