"""Channels and videos: who they are, and how their numbers come from the audience's clock."""

import math
import random
import string
from dataclasses import dataclass, field

from simulator.clock import Rhythm
from simulator.growth import Burst, aged, fading, uneven
from simulator.names import CATEGORIES, Profile
from simulator.titles import description, title

LIKES = (0.01, 0.08)  # likes of a view, least and most
DISLIKES = (0.01, 0.10)  # dislikes of a like
CHURN = 0.25  # share of its subscribers that a channel loses in a year
YEAR = 365.25 * 86400
_ALPHABET = string.ascii_letters + string.digits + "-_"


def identifier(length: int, draw: random.Random) -> str:
    """Return an id in the alphabet of the real ones, leading dashes included."""
    return "".join(draw.choices(_ALPHABET, k=length))


def around(median: float, spread: float, draw: random.Random) -> float:
    """Draw a log-normal number: the median times or over about e^spread."""
    return median * math.exp(draw.gauss(0, spread))


def within(number: float, bounds: tuple[float, float]) -> float:
    """Cut a number to its bounds."""
    return min(max(number, bounds[0]), bounds[1])


@dataclass(slots=True)
class Channel:
    """A channel.

    Attributes:
        channel_id: 24 characters.
        profile: its name, category, language and time.
        rhythm: the clock of its audience.
        reach: its popularity; 1 for the most popular channel.
        activity: how often it publishes, relative to the others.
        likes: usual likes of a view, of a video with ten million views.
        dislikes: dislikes of such a like.
        conversion: subscribers won by a view.
        subscribers: at the world's start.
        views: of all its videos at the world's start.
        typical: views in a first audience hour of its usual new video.
    """

    channel_id: str
    profile: Profile
    rhythm: Rhythm
    reach: float
    activity: float
    likes: float
    dislikes: float
    conversion: float
    subscribers: float = 0.0
    views: int = 0
    typical: float = 0.0

    def subscribers_at(self, views: int, elapsed: float) -> int:
        """Count subscribers: each view wins some, time takes some away (so that the count may fall).

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
    """A video; `scale` is its views in a first audience hour, `began` the hours of its own clock at birth."""

    video_id: str
    channel: Channel
    heading: str
    text: str
    created: float
    key: int
    began: float
    likes: float
    dislikes: float
    scale: float = 0.0
    bursts: list[Burst] = field(default_factory=list)

    def hours(self, audience: float) -> float:
        """Return the time of its own uneven clock at some audience hours of its channel."""
        return uneven(audience, self.key)

    def counts(self, audience: float) -> tuple[float, float, float]:
        """Return its views, likes and dislikes at some audience hours of its channel; none ever falls."""
        hours = self.hours(audience)
        views = self.scale * aged(hours - self.began)
        # The larger the audience, the fewer of it like: a tenth power, within bounds, as in the published counts.
        likes = views * within(self.likes * ((views + 1000) / 1e7) ** -0.1, LIKES)
        dislikes = likes * self.dislikes
        for burst in self.bursts:
            more = burst.views(hours)
            views += more
            likes += more * burst.likes
            dislikes += more * burst.likes * burst.dislikes
        return views, likes, dislikes

    def rate(self, audience: float) -> float:
        """Return its views in an audience hour, bursts included."""
        hours = self.hours(audience)
        return self.scale * fading(hours - self.began) + sum(burst.rate(hours) for burst in self.bursts)


def new_channel(profile: Profile, reach: float, draw: random.Random) -> Channel:
    """Make a channel of a profile; its subscribers come later, when its videos are known."""
    category = CATEGORIES[profile.category]
    return Channel(
        channel_id="UC" + identifier(22, draw),
        profile=profile,
        rhythm=Rhythm(profile.utc_offset, category.weekend),
        reach=reach,
        activity=around(1, 0.6, draw),
        likes=within(around(category.likes, 0.25, draw), LIKES),
        dislikes=within(around(category.dislikes, 0.35, draw), DISLIKES),
        conversion=within(around(0.003, 0.5, draw), (0.0005, 0.01)),
    )


def new_video(channel: Channel, created: float, draw: random.Random) -> Video:
    """Make a video of a channel, published at a second since the epoch; its scale comes later."""
    heading = title(channel.profile, draw)
    video = Video(
        video_id=identifier(11, draw),
        channel=channel,
        heading=heading,
        text=description(heading, channel.profile, draw),
        created=created,
        key=draw.getrandbits(64),
        began=0.0,
        likes=around(channel.likes, 0.15, draw),
        dislikes=within(around(channel.dislikes, 0.2, draw), DISLIKES),
    )
    video.began = video.hours(channel.rhythm.hours(created))
    return video
