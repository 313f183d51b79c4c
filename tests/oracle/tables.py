"""The five derived tables of the contract, computed the long way: group everything, look at whole groups."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from tests.oracle.verdict import Row

Table = list[dict[str, Any]]
K = TypeVar("K", bound=Hashable)

_EPOCH = datetime(1970, 1, 1)  # rows hold naive UTC
_WINDOW = timedelta(seconds=30)


def tables(accepted: Iterable[Iterable[Row]]) -> dict[str, Table]:
    """All tables, each sorted by its primary key, with the columns in the contract's order.

    Args:
        accepted: the rows of each accepted content; the same content given twice changes nothing.
    """
    rows = [row for content in accepted for row in content]
    return {
        "video_metrics": _video_metrics(rows),
        "channel_stats": _channel_stats(rows),
        "videos": _videos(rows),
        "channels": _channels(rows),
        "channel_metrics": _channel_metrics(rows),
    }


def window(moment: datetime) -> datetime:
    """Start of the 30-second window that holds the moment; windows are counted from the epoch."""
    return _EPOCH + (moment - _EPOCH) // _WINDOW * _WINDOW


def _groups(rows: Iterable[Row], key: Callable[[Row], K]) -> list[tuple[K, list[Row]]]:
    """The rows of each key, keys in ascending order (texts by code point, as Python compares)."""
    groups: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return sorted(groups.items(), key=lambda group: group[0])


def _latest(rows: Iterable[Row], *columns: str) -> dict[str, Any]:
    """The columns of the row with the greatest date_updated; of several, of the greatest tuple of them."""
    best = max((row.date_updated, tuple(getattr(row, column) for column in columns)) for row in rows)
    return dict(zip(columns, best[1], strict=True))


def _maxima(rows: Sequence[Row]) -> dict[str, int | None]:
    return {
        "total_views": max(row.total_views for row in rows),
        "total_likes": max(_known(row.total_likes for row in rows), default=None),
        "total_dislikes": max(_known(row.total_dislikes for row in rows), default=None),
    }


def _known(values: Iterable[int | None]) -> list[int]:
    return [value for value in values if value is not None]


def _sum(values: Iterable[int | None]) -> int | None:
    """The sum of the known ones; nothing if none is known."""
    known = _known(values)
    return sum(known) if known else None


def _gain(now: int | None, before: int | None) -> int | None:
    return None if now is None or before is None else max(0, now - before)


def _last_updated(rows: Iterable[Row]) -> dict[str, datetime]:
    return {"last_updated": max(row.date_updated for row in rows)}


def _video_metrics(rows: list[Row]) -> Table:
    table = []
    previous: dict[str, dict[str, int | None]] = {}  # by video: the maxima of its window before
    for (start, video), group in _groups(rows, lambda row: (window(row.date_updated), row.video_id)):
        now = _maxima(group)
        before = previous.get(video)
        table.append(
            {
                "date_updated": start,
                "video_id": video,
                **_latest(group, "channel_id", "channel_name", "description"),
                **now,
                **{
                    f"{what}_gained": _gain(now[f"total_{what}"], before[f"total_{what}"] if before else None)
                    for what in ("views", "likes", "dislikes")
                },
                **_last_updated(group),
            }
        )
        previous[video] = now
    return table


def _channel_stats(rows: list[Row]) -> Table:
    table = []
    for channel, group in _groups(rows, lambda row: row.channel_id):
        of_each_video = [_maxima(its_rows) for _, its_rows in _groups(group, lambda row: row.video_id)]
        table.append(
            {
                "channel_id": channel,
                **_latest(group, "channel_subscribers", "channel_name"),
                "total_videos": len(of_each_video),
                **_maxima(group),
                **{
                    f"sum_{what}": _sum(maxima[f"total_{what}"] for maxima in of_each_video)
                    for what in ("views", "likes", "dislikes")
                },
                **_last_updated(group),
            }
        )
    return table


def _videos(rows: list[Row]) -> Table:
    return [
        {
            "channel_id": channel,
            "video_id": video,
            **_latest(group, "description"),
            "date_created": min(row.date_created for row in group),
            **_maxima(group),
            "first_updated": min(row.date_updated for row in group),
            **_last_updated(group),
        }
        for (channel, video), group in _groups(rows, lambda row: (row.channel_id, row.video_id))
    ]


def _channels(rows: list[Row]) -> Table:
    return [
        {
            "channel_id": channel,
            **_latest(group, "channel_subscribers", "channel_name"),
            **_last_updated(group),
        }
        for channel, group in _groups(rows, lambda row: row.channel_id)
    ]


def _channel_metrics(rows: list[Row]) -> Table:
    table = []
    previous: dict[str, int] = {}  # by channel: the subscribers of its window before
    for (start, channel), group in _groups(rows, lambda row: (window(row.date_updated), row.channel_id)):
        latest = _latest(group, "channel_subscribers", "channel_name")
        now = latest["channel_subscribers"]
        before = previous.get(channel)
        table.append(
            {
                "date_updated": start,
                "channel_id": channel,
                **latest,
                "subscribers_gained": None if before is None else now - before,
                **_last_updated(group),
            }
        )
        previous[channel] = now
    return table
