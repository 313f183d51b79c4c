"""Channels and videos: their names and texts, how popular they are, and how many people watch and like them."""

import math
import string
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median

from simulator.growth import Burst, Rhythm, aged, fading, uneven

WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
LIKES = (0.01, 0.08)  # likes per view: least, most
DISLIKES = (0.01, 0.10)  # dislikes per like: least, most
CHURN = 0.25  # share of its subscribers that a channel loses in a year
TOP_VIEWS = 9e8  # total views of the most popular video
ZIPF = 0.95  # the total at rank r is TOP_VIEWS / r**ZIPF
DAY = 86400
YEAR = 365.25 * DAY
_OLDEST, _YOUNGEST = 1500, 4  # age in days of the videos that exist at the start
_ALPHABET = string.ascii_letters + string.digits + "-_"


def around(median: float, spread: float, draw: Random) -> float:
    """Draw a log-normal number; about two thirds lie within a factor of e^spread of the median."""
    return median * math.exp(draw.gauss(0, spread))


def within(number: float, bounds: tuple[float, float]) -> float:
    """Clamp a number to its bounds."""
    return min(max(number, bounds[0]), bounds[1])


def _identifier(length: int, draw: Random) -> str:
    return "".join(draw.choices(_ALPHABET, k=length))


@dataclass(slots=True)
class Channel:
    """A channel."""

    channel_id: str  # 24 characters
    name: str  # unique in its world
    category: str  # one of the categories in words.toml
    language: str  # of its titles, such as `en`
    utc_offset: float  # local time of its audience, in hours
    rhythm: Rhythm  # the week of its audience
    reach: float  # its popularity; 1 for the most popular channel
    activity: float  # how often it publishes, relative to the others
    likes: float  # usual likes per view, of a video with ten million views
    dislikes: float  # usual dislikes per like
    conversion: float  # subscribers won per view
    subscribers: float = 0.0  # at the world's start
    views: int = 0  # of all its videos at the world's start
    typical: float = 0.0  # views in a first audience hour of its usual new video

    def subscribers_at(self, views: int, elapsed: float) -> int:
        """Count subscribers: each view wins some, time takes some away, so the count may fall.

        Args:
            views: of all its videos now.
            elapsed: seconds since the world's start.
        """
        loss = CHURN * elapsed / YEAR
        won = self.conversion * (views - self.views)
        # Those won since the start have been there for half of the time, on average.
        return int(self.subscribers * math.exp(-loss) + won * math.exp(-loss / 2))


@dataclass(slots=True)
class Video:
    """A video."""

    video_id: str  # 11 characters
    channel: Channel  # its channel
    title: str  # the first line of its description
    description: str  # may hold line ends, quotes, emoji and any script
    created: int  # publication, in whole seconds since the epoch
    key: int  # selects the noise of its clock
    likes: float  # likes per view, with ten million views
    dislikes: float  # dislikes per like
    scale: float = 0.0  # views in its first audience hour
    bursts: list[Burst] = field(default_factory=list)  # when it went viral
    born: float = field(init=False)  # its clock at publication, in uneven audience hours

    def __post_init__(self) -> None:
        self.born = self.hours(self.created)

    def hours(self, second: float) -> float:
        """Return its clock at a second since the epoch, in uneven audience hours."""
        return uneven(self.channel.rhythm.hours(second), self.key)

    def counts(self, second: float) -> tuple[int, int, int]:
        """Return its views, likes and dislikes at a second since the epoch; none ever falls."""
        hours = self.hours(second)
        views = self.scale * aged(hours - self.born)
        # The share that likes falls with the tenth power of the views, as in the published counts.
        likes = views * within(self.likes * ((views + 1000) / 1e7) ** -0.1, LIKES)
        dislikes = likes * self.dislikes
        for burst in self.bursts:
            brought = burst.views(hours)
            views += brought
            likes += brought * burst.likes
            dislikes += brought * burst.likes * burst.dislikes
        return int(views), int(likes), int(dislikes)

    def rate(self, second: float) -> float:
        """Return its views per audience hour, bursts included."""
        hours = self.hours(second)
        return self.scale * fading(hours - self.born) + sum(burst.rate(hours) for burst in self.bursts)


def found(channels: int, videos: int, start: int, draw: Random) -> tuple[list[Channel], list[Video]]:
    """Make the channels and videos that exist at the start; every channel has one video before any has two.

    Args:
        channels: how many.
        videos: how many, all at least four days old.
        start: in seconds since the epoch.
        draw: the only source of chance.
    """
    reaches = [rank**-ZIPF for rank in range(1, channels + 1)]
    draw.shuffle(reaches)
    made = [_channel(number, reach, draw) for number, reach in enumerate(reaches)]
    more = max(0, videos - channels)
    owners = made[:videos] + draw.choices(made, weights=[channel.activity for channel in made], k=more)
    ages = [_YOUNGEST + (_OLDEST - _YOUNGEST) * draw.random() ** 2.5 for _ in owners]
    catalogue = [new_video(owner, int(start - age * DAY), draw) for owner, age in zip(owners, ages, strict=True)]
    _rank(catalogue, start, draw)
    for channel in made:
        own = [video for video in catalogue if video.channel is channel]
        channel.typical = median(video.scale for video in own or catalogue)
        hourly = sum(video.rate(start) for video in own)
        kept = channel.conversion * hourly * 24 * 365 / CHURN  # so many that as many leave as are won
        channel.subscribers = max(100.0, around(kept, 0.5, draw))
    return made, sorted(catalogue, key=lambda video: (video.created, video.video_id))


def _rank(catalogue: list[Video], start: int, draw: Random) -> None:
    """Rank the videos by their channel's reach, their age and luck; give each the total of its rank by Zipf's law."""
    grown = [aged(video.hours(start) - video.born) for video in catalogue]  # views, if the scale were 1
    luck = [around(video.channel.reach * views, 0.9, draw) for video, views in zip(catalogue, grown, strict=True)]
    for rank, place in enumerate(sorted(range(len(catalogue)), key=luck.__getitem__, reverse=True), 1):
        catalogue[place].scale = TOP_VIEWS * rank**-ZIPF / grown[place]


def _channel(number: int, reach: float, draw: Random) -> Channel:
    """Make a channel: one of those in words.toml while there are any, then a composed one."""
    if number < len(WORDS["channels"]):
        name, category, language, utc_offset = WORDS["channels"][number]
    else:
        name = f"{draw.choice(WORDS['first'])} {draw.choice(WORDS['second'])} {number + 1}"
        category, language = draw.choice(list(WORDS["categories"])), "en"
        utc_offset = draw.choice(WORDS["utc_offsets"])
    likes, dislikes, weekend, _, _ = WORDS["categories"][category]
    return Channel(
        "UC" + _identifier(22, draw), name, category, language, utc_offset, Rhythm(utc_offset, weekend), reach,
        activity=around(1, 0.6, draw),
        likes=within(around(likes, 0.25, draw), LIKES),
        dislikes=within(around(dislikes, 0.35, draw), DISLIKES),
        conversion=within(around(0.003, 0.5, draw), (0.0005, 0.01)),
    )  # fmt: skip


def new_video(channel: Channel, created: int, draw: Random) -> Video:
    """Make a video of a channel, published at a second since the epoch; its scale is set by the caller."""
    *_, emoji, things = WORDS["categories"][channel.category]
    titles = WORDS["titles"].get(channel.language, {}).get(channel.category, WORDS["english"])
    title = draw.choice(titles).format(thing=draw.choice(things), number=draw.randrange(3, 40), emoji=emoji)
    title = title[0].upper() + title[1:]
    lines = draw.sample(WORDS["lines"], draw.choice((0, 0, 1, 1, 2)))
    text = "\n\n".join([title, *lines]).replace("{tag}", channel.category)
    return Video(
        video_id=_identifier(11, draw),
        channel=channel,
        title=title,
        description=f"{text}\n{emoji}" if draw.random() < 0.15 else text,
        created=created,
        key=draw.getrandbits(64),
        likes=around(channel.likes, 0.15, draw),
        dislikes=within(around(channel.dislikes, 0.2, draw), DISLIKES),
    )
