"""The invented world: a function of its seed, its start and the instant, without any I/O."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from minidata.errors import PermanentError
from simulator.catalogue import DAY, DISLIKES, LIKES, Video, around, found, new_video, within
from simulator.growth import Burst
from simulator.snapshot import Row

EVENTS = {"publish": 0.06, "burst": 0.03}  # events a day, as a share of the videos at the start
LEAD = 3  # days before the start in which events already happen, so that it begins with fresh videos and bursts


@dataclass(frozen=True)
class Viral:
    """A running burst: its video, when it began, and its views as a multiple of the video's others."""

    video: Video
    began: datetime
    lift: float


class World:
    """Channels and videos that grow.

    The state at an instant depends on the arguments and that instant alone, not on the steps on the way to it.

    Args:
        seed: the same one makes the same world.
        start: first instant, with a timezone; cut to whole seconds.
        channels: how many; the number stays.
        videos: how many at the start; new ones are published over time.

    Attributes:
        now: the present instant.
        channels: all channels.
        videos: those published so far, oldest first.

    Raises:
        PermanentError: if there would be no channel or no video.
        ValueError: if the start has no timezone.
    """

    def __init__(self, seed: int, start: datetime, *, channels: int = 40, videos: int = 400) -> None:
        if channels < 1 or videos < 1:
            raise PermanentError(
                f"A world of {channels} channels and {videos} videos is empty. Ask for at least one of each "
                "(MDP_SIMULATOR_CHANNELS, MDP_SIMULATOR_VIDEOS)."
            )
        self._start = int(_seconds(start))
        self.now = _instant(self._start)
        self._draw = Random(f"{seed}/{self._start}/{channels}/{videos}")
        recent = int(EVENTS["publish"] * LEAD * videos)
        self.channels, self.videos = found(channels, videos - recent, self._start, self._draw)
        self._hourly = sum(video.rate(self._start) for video in self.videos)
        self._events = self._timeline(videos)
        self._coming = next(self._events)
        self.advance(self.now)
        for video in self.videos:
            video.channel.views += video.counts(self._start)[0]

    def advance(self, to: datetime) -> None:
        """Let time pass: videos are published, bursts begin.

        Raises:
            ValueError: if the instant lies before the present one, or has no timezone.
        """
        until = _seconds(to)
        if until < _seconds(self.now):
            raise ValueError(f"The world is at {self.now} and cannot go back to {to}.")
        while self._coming[0] <= until:
            second, kind = self._coming
            if kind == "publish":
                self._publish(second)
            else:
                self._burst(second)
            self._coming = next(self._events)
        self.now = to

    def snapshot(self, at: datetime | None = None) -> list[Row]:
        """Count everything, at the present or at an earlier instant; one row per video, oldest video first.

        Raises:
            ValueError: if the instant lies in the future of the world, or has no timezone.
        """
        second = _seconds(at or self.now)
        if second > _seconds(self.now):
            raise ValueError(f"The world is at {self.now}; advance it to {at} first.")
        counted = [(video, video.counts(second)) for video in self.videos if video.created <= second]
        views = Counter[str]()
        for video, counts in counted:
            views[video.channel.channel_id] += counts[0]
        subscribers = {
            channel.channel_id: channel.subscribers_at(views[channel.channel_id], second - self._start)
            for channel in self.channels
        }
        return [
            Row(
                video.video_id,
                video.channel.channel_id,
                video.channel.name,
                subscribers[video.channel.channel_id],
                video.description,
                *counts,
                _instant(video.created),
                _instant(second),
            )
            for video, counts in counted
        ]

    def bursts(self, least: float = 0.5) -> list[Viral]:
        """List the running bursts, the strongest first.

        Args:
            least: views that a burst must bring, as a multiple of its video's others.
        """
        now = _seconds(self.now)
        running = []
        for video in self.videos:
            for burst in video.bursts:
                brought = burst.rate(video.hours(now))
                lift = brought / max(video.rate(now) - brought, 1.0)
                if lift >= least:
                    running.append(Viral(video, _instant(burst.second), lift))
        return sorted(running, key=lambda viral: viral.lift, reverse=True)

    def _timeline(self, videos: int) -> Iterator[tuple[float, str]]:
        """Yield second and kind of all events by time: a fixed number before the start, a Poisson process after it."""
        daily = {kind: share * videos for kind, share in EVENTS.items()}
        before = [(kind, LEAD * DAY * self._draw.random()) for kind in daily for _ in range(int(LEAD * daily[kind]))]
        yield from sorted((self._start - ago, kind) for kind, ago in before)
        second = float(self._start)
        while True:
            second += self._draw.expovariate(sum(daily.values()) / DAY)
            yield second, self._draw.choices(list(daily), list(daily.values()))[0]

    def _publish(self, second: float) -> None:
        weights = [channel.activity for channel in self.channels]
        video = new_video(self._draw.choices(self.channels, weights)[0], int(second), self._draw)
        video.scale = around(video.channel.typical, 0.8, self._draw)
        self.videos.append(video)

    def _burst(self, second: float) -> None:
        """Make a video go viral: the busiest of three, drawn from all or from the latest tenth."""
        draw = self._draw
        latest = self.videos[-max(1, len(self.videos) // 10) :]
        candidates = draw.choices(self.videos if draw.random() < 0.5 else latest, k=3)
        video = max(candidates, key=lambda candidate: candidate.rate(second))
        video.bursts.append(
            Burst(
                began=video.hours(second),
                second=second,
                peak=self._hourly * around(0.1, 0.8, draw),
                rise=draw.uniform(0.3, 2),
                relaxation=draw.choice((0.6, 1.4, 1.4, 1.4)),
                likes=within(around(video.channel.likes, 0.4, draw), LIKES),
                dislikes=within(around(video.channel.dislikes, 0.6, draw), DISLIKES),
            )
        )


def _seconds(instant: datetime) -> float:
    """Return the seconds since the epoch; without a timezone they would differ by machine, a ValueError."""
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no timezone. Pass an instant in UTC.")
    return instant.timestamp()


def _instant(second: float) -> datetime:
    """Return the instant of a second since the epoch, cut to whole seconds, in UTC."""
    return datetime.fromtimestamp(int(second), UTC)
