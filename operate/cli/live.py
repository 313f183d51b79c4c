"""Draws the invented world and the pipeline while snapshots are generated."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simulator.feed import Written
from simulator.snapshot import Row
from simulator.world import World

_BARS = "▁▂▃▄▅▆▇█"
_TOP, _BURSTS = 10, 5  # lines of each table
_KEPT = 24  # points of a sparkline
_BAR_WIDTH = 30
_SLACK = 4  # columns; terminals disagree about how wide some scripts are

Stages = Callable[[], Mapping[str, int]]


def sparkline(points: Iterable[float]) -> str:
    """Draw points as bars between the least and the greatest of them."""
    values = list(points)
    low, span = min(values, default=0.0), max(values, default=0.0) - min(values, default=0.0)
    return "".join(_BARS[int((value - low) / span * (len(_BARS) - 1))] if span else _BARS[0] for value in values)


class LiveView:
    """A picture of a world, renewed by each `observe`. Everything shown is data and is never read as markup.

    Args:
        stages: returns the number of files by the ledger's state, in the order in which to draw them.
    """

    def __init__(self, stages: Stages | None = None) -> None:
        self._stages = stages
        self._rates: dict[str, deque[float]] = {}
        self._rows: dict[str, Row] = {}
        self._world: World | None = None
        self._last: Written | None = None

    def observe(self, world: World, last: Written | None = None) -> None:
        """Count the world and keep each video's views an hour since the observation before."""
        before, self._rows = self._rows, {row.video_id: row for row in world.snapshot()}
        for video_id in before.keys() & self._rows.keys():
            old, new = before[video_id], self._rows[video_id]
            if (passed := (new.date_updated - old.date_updated).total_seconds()) > 0:
                rates = self._rates.setdefault(video_id, deque(maxlen=_KEPT))
                rates.append((new.total_views - old.total_views) * 3600 / passed)
        self._world, self._last = world, last

    def __rich__(self) -> RenderableType:
        """Draw what was observed."""
        if self._world is None:
            return Text("Waiting for the first snapshot …")
        heading = Text(f"{self._world.now:%Y-%m-%d %H:%M:%S} UTC", style="bold")
        heading.append(f"  {len(self._rows)} videos, {len(self._world.channels)} channels", style="dim")
        if self._last:
            fault = f" ({self._last.fault})" if self._last.fault else ""
            heading.append(f"  {self._last.key}: {self._last.rows:,} rows{fault}", style="dim")
        parts: list[RenderableType] = [heading]
        if self._stages:  # before the long table: a small terminal cuts what comes last
            parts.append(_pipeline(self._stages()))
        parts.append(self._videos())
        if bursts := self._world.bursts()[:_BURSTS]:
            lines = [(viral.video.title, f"{viral.began:%m-%d %H:%M}", f"× {1 + viral.lift:,.1f}") for viral in bursts]
            parts.append(_table("Gone viral", {"video": 3, "since": None, "lift": None}, lines))
        return Padding(Group(*parts), (0, _SLACK, 0, 0))

    def _videos(self) -> Table:
        lines = []
        for video_id in sorted(self._rates, key=lambda video_id: self._rates[video_id][-1], reverse=True)[:_TOP]:
            row, rates = self._rows[video_id], self._rates[video_id]
            title = row.description.splitlines()[0]
            lines.append((title, row.channel_name, f"{row.total_views:,}", f"{rates[-1]:,.0f}", sparkline(rates)))
        table = _table(
            "Most watched now", {"video": 3, "channel": 2, "views": None, "views/h": None, "growth": 0}, lines
        )
        table.columns[-1].width = _KEPT
        return table


def _pipeline(stages: Mapping[str, int]) -> Table:
    most = max([*stages.values(), 1])
    lines = [(state, f"{files:,}", "█" * -(-files * _BAR_WIDTH // most)) for state, files in stages.items()]
    return _table("Files in the pipeline", {"state": 0, "files": None, "": 1}, lines)


def _table(title: str, columns: Mapping[str, int | None], lines: Iterable[Iterable[str]]) -> Table:
    """Make a table; a column is a number (None) or a text with its share of the spare width (0: none)."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        expand=True,
    )
    for name, ratio in columns.items():
        table.add_column(name, ratio=ratio or None, justify="right" if ratio is None else "left", no_wrap=True)
    for line in lines:
        table.add_row(*map(Text, line))
    return table


def watch(
    progress: Iterable[Written], world: World, console: Console, stages: Stages | None = None
) -> Iterator[Written]:
    """Draw the progress and pass it on.

    Args:
        progress: what `Generation.write` yields.
        world: its world.
        console: where to draw.
        stages: the files of the pipeline by state, asked at each drawing.
    """
    view = LiveView(stages)
    with Live(view, console=console, refresh_per_second=4) as live:
        for last in progress:
            view.observe(world, last)
            live.refresh()
            yield last
