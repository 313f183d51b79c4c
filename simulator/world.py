"""The invented world: a function of its seed, its start and the instant, without any I/O."""

from dataclasses import dataclass
from datetime import datetime

from minidata.errors import PermanentError
from simulator.catalogue import DISLIKES, LIKES, Video, around, new_video, within
from simulator.chance import stream
from simulator.clock import instant_at, seconds
from simulator.growth import Burst
from simulator.popularity import found
from simulator.snapshot import Row
from simulator.timeline import timeline


@dataclass(frozen=True)
class Viral:
    """A burst that is on: its video, when it began, and its views as a multiple of the video's others."""

    video: Video
    began: datetime
    lift: float


class World:
    """Channels and videos that grow.

    The state at an instant depends on the arguments and that instant alone, not on the steps on the way to it.

    Args:
        seed: any number; the same one makes the same world.
        start: first instant, with a timezone; cut to whole seconds.
        channels: how many, for ever.
        videos: how many at the start; new ones are published as time goes.

    Attributes:
        now: the present instant.
        videos: those published until now, oldest first.

    Raises:
        PermanentError: if there would be no channel or no video.
        ValueError: if the start has no timezone.
    """

    def __init__(self, seed: int, start: datetime, *, channels: int = 40, videos: int = 400) -> None:
        if channels < 1 or videos < 1:
            raise PermanentError(
                f"A world of {channels} channels and {videos} videos is empty; ask for at least one of each "
                "(MDP_SIMULATOR_CHANNELS, MDP_SIMULATOR_VIDEOS)."
            )
        self._start = int(seconds(start))
        self.now = instant_at(self._start)
        name = f"{seed}/{self._start}/{channels}/{videos}"
        self._publish_draw, self._burst_draw = stream(name, "publish"), stream(name, "burst")
        recent, self._events = timeline(name, self._start, videos)
        self.channels, self.videos = found(channels, videos - recent, self._start, stream(name, "found"))
        self._hourly = sum(video.rate(_audience(video, self._start)) for video in self.videos)
        self._coming = next(self._events)
        self.advance(self.now)
        for video, (views, _, _) in self._counted(self._start):
            video.channel.views += views

    def advance(self, to: datetime) -> None:
        """Let time pass: videos are published, bursts begin.

        Raises:
            ValueError: if the instant lies before the present one, or has no timezone.
        """
        until = seconds(to)
        if until < seconds(self.now):
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
        """Count everything, at the present or at an earlier instant; one row a video, oldest video first.

        Raises:
            ValueError: if the instant lies in the future of the world, where nothing is known yet.
        """
        second = seconds(at or self.now)
        if second > seconds(self.now):
            raise ValueError(f"The world is at {self.now}; advance it to {at} first.")
        counted = self._counted(second)
        views = dict.fromkeys((channel.channel_id for channel in self.channels), 0)
        for video, counts in counted:
            views[video.channel.channel_id] += counts[0]
        subscribers = {
            channel.channel_id: channel.subscribers_at(views[channel.channel_id], second - self._start)
            for channel in self.channels
        }
        taken = instant_at(second)
        return [
            Row(
                video.video_id,
                video.channel.channel_id,
                video.channel.profile.name,
                subscribers[video.channel.channel_id],
                video.text,
                *counts,
                instant_at(video.created),
                taken,
            )
            for video, counts in counted
        ]

    def bursts(self, least: float = 0.5) -> list[Viral]:
        """List the bursts that are on, the strongest first.

        Args:
            least: views that one must bring, as a multiple of its video's others.
        """
        now = seconds(self.now)
        running = []
        for video in self.videos:
            for burst in video.bursts:
                audience = _audience(video, now)
                brought = burst.rate(video.hours(audience))
                lift = brought / max(video.rate(audience) - brought, 1.0)
                if lift >= least:
                    running.append(Viral(video, instant_at(burst.second), lift))
        return sorted(running, key=lambda viral: viral.lift, reverse=True)

    def _counted(self, second: float) -> list[tuple[Video, tuple[int, int, int]]]:
        audience = {channel.channel_id: channel.rhythm.hours(second) for channel in self.channels}
        counted = []
        for video in self.videos:
            if video.created <= second:
                views, likes, dislikes = video.counts(audience[video.channel.channel_id])
                counted.append((video, (int(views), int(likes), int(dislikes))))
        return counted

    def _publish(self, second: float) -> None:
        draw = self._publish_draw
        channel = draw.choices(self.channels, weights=[channel.activity for channel in self.channels])[0]
        video = new_video(channel, int(second), draw)
        video.scale = around(channel.typical, 0.8, draw)
        self.videos.append(video)

    def _burst(self, second: float) -> None:
        """Make a video go viral: the busiest of three, from all of them or from the latest tenth."""
        draw = self._burst_draw
        latest = self.videos[-max(1, len(self.videos) // 10) :]
        candidates = draw.choices(self.videos if draw.random() < 0.5 else latest, k=3)
        video = max(candidates, key=lambda video: video.rate(_audience(video, second)))
        video.bursts.append(
            Burst(
                began=video.hours(_audience(video, second)),
                second=second,
                peak=self._hourly * around(0.1, 0.8, draw),
                rise=draw.uniform(0.3, 2),
                relaxation=draw.choice((0.6, 1.4, 1.4, 1.4)),
                likes=within(around(video.channel.likes, 0.4, draw), LIKES),
                dislikes=within(around(video.channel.dislikes, 0.6, draw), DISLIKES),
            )
        )


def _audience(video: Video, second: float) -> float:
    return video.channel.rhythm.hours(second)
