"""The world and the pipeline, drawn while snapshots are made."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simulator.clock import HOUR
from simulator.generate import Written
from simulator.snapshot import Row
from simulator.world import Viral, World

_BARS = "▁▂▃▄▅▆▇█"
_TOP = 10
_BURSTS = 5
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
    """A picture of a world, renewed by each `observe`.

    Everything shown is data from outside and goes through `Text`, never through markup.

    Args:
        stages: gives the number of files by the ledger's state, in the order in which to draw them.
    """

    def __init__(self, stages: Stages | None = None) -> None:
        self._stages = stages
        self._rates: dict[str, deque[float]] = {}
        self._before: dict[str, Row] = {}
        self._world: World | None = None
        self._last: Written | None = None

    def observe(self, world: World, last: Written | None = None) -> None:
        """Count the world and remember each video's views an hour since the observation before."""
        rows = {row.video_id: row for row in world.snapshot()}
        for video_id, row in rows.items():
            if before := self._before.get(video_id):
                passed = (row.date_updated - before.date_updated).total_seconds() / HOUR
                if passed > 0:
                    rate = (row.total_views - before.total_views) / passed
                    self._rates.setdefault(video_id, deque(maxlen=_KEPT)).append(rate)
        self._before, self._world, self._last = rows, world, last

    def __rich__(self) -> RenderableType:
        """Draw what was observed."""
        if self._world is None:
            return Text("Waiting for the first snapshot …")
        parts: list[RenderableType] = [self._heading(self._world)]
        if self._stages:  # before the long table: a small terminal cuts what comes last
            parts.append(self._pipeline(self._stages()))
        parts.append(self._videos())
        if bursts := self._world.bursts()[:_BURSTS]:
            parts.append(self._bursts(bursts))
        return Padding(Group(*parts), (0, _SLACK, 0, 0))

    def _heading(self, world: World) -> Text:
        text = Text(f"{world.now:%Y-%m-%d %H:%M:%S} UTC", style="bold")
        text.append(f"  {len(self._before)} videos, {len(world.channels)} channels", style="dim")
        if self._last:
            fault = f" ({self._last.fault})" if self._last.fault else ""
            text.append(f"  {self._last.key}: {self._last.rows:,} rows{fault}", style="dim")
        return text

    def _videos(self) -> Table:
        table = _table("Most watched now")
        table.add_column("video", ratio=3, no_wrap=True)
        table.add_column("channel", ratio=2, no_wrap=True)
        table.add_column("views", justify="right")
        table.add_column("views/h", justify="right")
        table.add_column("growth", width=_KEPT, no_wrap=True)
        top = sorted(self._rates, key=lambda video_id: self._rates[video_id][-1], reverse=True)[:_TOP]
        for video_id in top:
            row, rates = self._before[video_id], self._rates[video_id]
            heading = row.description.splitlines()[0]
            line = (heading, row.channel_name, f"{row.total_views:,}", f"{rates[-1]:,.0f}", sparkline(rates))
            table.add_row(*(Text(cell) for cell in line))
        return table

    @staticmethod
    def _bursts(bursts: list[Viral]) -> Table:
        table = _table("Gone viral")
        table.add_column("video", ratio=3, no_wrap=True)
        table.add_column("since", justify="right")
        table.add_column("lift", justify="right")
        for viral in bursts:
            line = (viral.video.heading, f"{viral.began:%m-%d %H:%M}", f"× {1 + viral.lift:,.1f}")
            table.add_row(*(Text(cell) for cell in line))
        return table

    @staticmethod
    def _pipeline(stages: Mapping[str, int]) -> Table:
        table = _table("Files in the pipeline")
        table.add_column("state")
        table.add_column("files", justify="right")
        table.add_column("", ratio=1)
        most = max(stages.values(), default=0)
        for state, files in stages.items():
            width = -(-files * _BAR_WIDTH // most) if most else 0
            table.add_row(Text(state), Text(f"{files:,}"), Text("█" * width))
        return table


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        expand=True,
    )


def watch(
    progress: Iterable[Written], world: World, console: Console, stages: Stages | None = None
) -> Iterator[Written]:
    """Pass progress on and draw it meanwhile.

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
