"""Who is popular: the catalogue at the world's start, its totals after Zipf's law."""

import math
import random
from statistics import median

from simulator.catalogue import CHURN, Channel, Video, around, new_channel, new_video
from simulator.growth import aged, fading
from simulator.names import profiles

TOP_VIEWS = 9e8  # total views of the most popular video
ZIPF = 0.95  # its total over that of the video at rank r is r to this power
_DAY = 86400
_OLDEST, _YOUNGEST = 1500, 4  # days


def zipf(rank: int) -> float:
    """Return the popularity at a rank, from 1, as a share of the first one's."""
    return float(rank**-ZIPF)


def found(channels: int, videos: int, start: float, draw: random.Random) -> tuple[list[Channel], list[Video]]:
    """Make the channels, and the videos that exist some days before the start.

    Args:
        channels: how many.
        videos: how many; each channel has one before any has two.
        start: of the world, in seconds since the epoch.
        draw: the only source of chance.
    """
    reaches = [zipf(rank) for rank in range(1, channels + 1)]
    draw.shuffle(reaches)
    made = [new_channel(profile, reach, draw) for profile, reach in zip(profiles(channels, draw), reaches, strict=True)]
    more = max(0, videos - channels)
    owners = made[:videos] + draw.choices(made, weights=[channel.activity for channel in made], k=more)
    catalogue = []
    for owner in owners:
        age = _YOUNGEST + (_OLDEST - _YOUNGEST) * draw.random() ** 2.5
        catalogue.append(new_video(owner, start - age * _DAY, draw))
    _rank(catalogue, start, draw)
    for channel in made:
        _settle(channel, [video for video in catalogue if video.channel is channel], catalogue, start, draw)
    return made, sorted(catalogue, key=lambda video: (video.created, video.video_id))


def _age(video: Video, start: float) -> float:
    return video.hours(video.channel.rhythm.hours(start)) - video.began


def _rank(catalogue: list[Video], start: float, draw: random.Random) -> None:
    """Give each video its total at the start: a rank by its channel's reach, its age and luck, then Zipf's law."""
    luck = {
        video.video_id: math.log(video.channel.reach * aged(_age(video, start))) + draw.gauss(0, 0.9)
        for video in catalogue
    }
    ranked = sorted(catalogue, key=lambda video: luck[video.video_id], reverse=True)
    for rank, video in enumerate(ranked, 1):
        video.scale = TOP_VIEWS * zipf(rank) / aged(_age(video, start))


def _settle(channel: Channel, own: list[Video], catalogue: list[Video], start: float, draw: random.Random) -> None:
    """Give a channel a size of new videos, and subscribers near the number that its views can keep."""
    channel.typical = median(video.scale for video in own or catalogue)
    hourly = sum(video.scale * fading(_age(video, start)) for video in own)
    kept = channel.conversion * hourly * 24 * 365 / CHURN
    channel.subscribers = max(100.0, around(kept, 0.5, draw))
