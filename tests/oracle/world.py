"""A small believable world of channels and videos that snapshots are taken of, over and over."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

LARGEST_COUNT: Final = 2**63 - 1
_CHANNEL_NAMES: Final = (
    "Alpine Radio",
    "Zoë & Ана",
    'The "Quoted" Channel',
    "Comma, Inc.",
    "数据平台",
    "e\u0301clair",
    "\u00e9clair",
    "🎬 Movies",
    "NULL",
    "\uffff above, in UTF-16, of \U0001f3ac",
)
_DESCRIPTIONS: Final = (
    "",
    "A plain text",
    "  blanks around ",
    "two\nlines",
    "two\r\nlines",
    'a "quoted" word',
    "commas, commas,",
    "\\N",
    "tab\there",
    "🎬\U0010ffff\ue000",
    "a\u2028b",
)


@dataclass(frozen=True)
class Video:
    """A video, and the channels under which it is seen (mostly one)."""

    video_id: str
    channels: tuple[str, ...]
    created: datetime
    popularity: int


@dataclass
class World:
    """Channels, videos and moments; snapshots share them, so that their keys meet.

    Attributes:
        rng: the only source of chance.
        videos: the pool.
        moments: times of snapshots, naive UTC: window edges, a microsecond beside them, a few long ago.
        seen: (video, channel, moment) of rows made so far, from which exact ties are drawn.
    """

    rng: Random
    videos: list[Video]
    moments: list[datetime]
    seen: list[tuple[Video, str, datetime]]

    @classmethod
    def make(cls, rng: Random, snapshots: int, arrived_at: datetime) -> "World":
        """A world large enough for so many snapshots, all of whose moments lie before the arrival + 24 h."""
        channels = [f"UC{n:03}" for n in range(rng.randint(2, 12))] + ["UC é", "UC'0"]
        now = arrived_at.astimezone(UTC).replace(tzinfo=None)
        videos = [
            Video(
                f"vid-{n:04}",
                tuple(rng.sample(channels, 2 if rng.random() < 0.1 else 1)),
                now - timedelta(days=rng.randint(400, 4000), microseconds=rng.randrange(10**6)),
                rng.randint(0, 10**6),
            )
            for n in range(rng.randint(10, 80))
        ]
        # Two of the largest there can be, in one channel: their sum is beyond 64 bits.
        videos[:2] = [Video(f"vid-max-{n}", ("UC000",), videos[n].created, LARGEST_COUNT) for n in (0, 1)]
        return cls(rng, videos, _moments(rng, snapshots, now), [])

    def rows(self, count: int) -> list[dict[str, str]]:
        """Cells of so many good rows by column; timestamps in ISO format with microseconds, naive UTC."""
        moment = self.rng.choice(self.moments)
        return [self._row(moment) for _ in range(count)]

    def _row(self, snapshot_moment: datetime) -> dict[str, str]:
        rng = self.rng
        if self.seen and rng.random() < 0.15:
            video, channel, moment = rng.choice(self.seen)
        else:
            video = rng.choice(self.videos)
            channel = rng.choice(video.channels)
            moment = rng.choice(self.moments) if rng.random() < 0.1 else snapshot_moment
            self.seen.append((video, channel, moment))
        created = video.created if rng.random() < 0.9 else video.created - timedelta(days=rng.randint(0, 30))
        created = min(created, moment)
        age = int((moment - created).total_seconds())
        return {
            "video_id": video.video_id,
            "channel_id": channel,
            "channel_name": _CHANNEL_NAMES[_number_of(channel) % len(_CHANNEL_NAMES)]
            if rng.random() < 0.9
            else rng.choice(_CHANNEL_NAMES),
            "channel_subscribers": str(rng.randint(0, 1000) + age % 100_000),
            "description": rng.choice(_DESCRIPTIONS),
            "total_views": str(min(LARGEST_COUNT, video.popularity + age + rng.randint(0, 50))),
            "total_likes": "" if rng.random() < 0.1 else str(video.popularity // 50 + rng.randint(0, 50)),
            "total_dislikes": "" if rng.random() < 0.3 else str(rng.randint(0, 20)),
            "date_created": created.isoformat(timespec="microseconds"),
            "date_updated": moment.isoformat(timespec="microseconds"),
        }


def _number_of(text: str) -> int:
    """A number that is the same in every process, as Python's hash() is not."""
    return sum(ord(character) * (n + 1) for n, character in enumerate(text))


def _moments(rng: Random, snapshots: int, now: datetime) -> list[datetime]:
    """About half as many moments as snapshots, most in neighbouring windows of 30 seconds."""
    start = now.replace(second=0, microsecond=0) - timedelta(hours=2)
    edges = [start + timedelta(seconds=30) * n for n in range(min(2 + snapshots // 4, 200))]
    beside = [timedelta(microseconds=-1), timedelta(0), timedelta(0), timedelta(microseconds=1)]
    moments = [rng.choice(edges) + rng.choice(beside) for _ in range(2 + snapshots // 4)]
    moments += [rng.choice(edges) + timedelta(seconds=30 * rng.random()) for _ in range(2 + snapshots // 4)]
    late = [timedelta(days=1), timedelta(days=365), timedelta(days=30_000), timedelta(hours=-23)]
    return moments + [rng.choice(edges) - rng.choice(late) for _ in range(1 + snapshots // 20)]
