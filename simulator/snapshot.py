"""The raw file: rows in, the bytes of a CSV snapshot and its key out."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

PREFIX = "youtube_stats"


class Row(NamedTuple):
    """One video at one instant; the fields are the columns of a raw file, in its order.

    Attributes:
        video_id: 11 characters.
        channel_id: 24 characters.
        channel_name: as viewers see it.
        channel_subscribers: at the instant; may fall.
        description: title and text, may hold line ends, quotes and any script.
        total_views: never falls.
        total_likes: never falls.
        total_dislikes: never falls.
        date_created: publication, in UTC, whole seconds.
        date_updated: the instant, in UTC, whole seconds.
    """

    video_id: str
    channel_id: str
    channel_name: str
    channel_subscribers: int
    description: str
    total_views: int
    total_likes: int
    total_dislikes: int
    date_created: datetime
    date_updated: datetime


HEADER = list(Row._fields)


def written(instant: datetime) -> str:
    """Write an instant the way snapshots do: `YYYY-MM-DD HH:MM:SS`, in UTC."""
    here = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    return here.isoformat(" ", "seconds")[:19]


def cells(rows: Iterable[Row]) -> list[list[str]]:
    """Turn rows into cells of text."""
    return [[*map(str, row[:8]), written(row.date_created), written(row.date_updated)] for row in rows]


def to_csv(table: Iterable[Sequence[str]], header: Sequence[str] = HEADER) -> bytes:
    """Write a header and cells as a CSV after RFC 4180 (UTF-8, CRLF, quotes only where they are needed)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(table)
    return text.getvalue().encode()


def snapshot_key(taken: datetime, sequence: int, suffix: str = ".csv") -> str:
    """Name a snapshot `youtube_stats/YYYY-MM-DD/HHMMSS-<sequence>.csv`: unique, and sorted by time."""
    return f"{PREFIX}/{taken.astimezone(UTC):%Y-%m-%d/%H%M%S}-{sequence:08d}{suffix}"
