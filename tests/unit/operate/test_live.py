"""The drawing of the world and the pipeline."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from rich.console import Console

from operate.cli.live import LiveView, sparkline, watch
from simulator.feed import Generation, Written
from simulator.world import World


def drawn(view: LiveView) -> str:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    console.print(view)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def world() -> World:
    return World(1, datetime(2026, 11, 23, tzinfo=UTC), channels=10, videos=400)


def observed(view: LiveView, hours: int = 6) -> World:
    moving = world()
    for _ in range(hours):
        moving.advance(moving.now + timedelta(hours=1))
        view.observe(moving)
    return moving


def test_a_sparkline_rises_with_its_points() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([3, 3]) == "▁▁"
    assert sparkline([]) == ""


def test_before_anything_was_seen_it_says_so() -> None:
    assert "Waiting" in drawn(LiveView())


def test_it_shows_the_videos_that_are_watched_most_with_their_growth() -> None:
    view = LiveView()
    moving = observed(view)
    now = {row.video_id: row for row in moving.snapshot()}
    before = {row.video_id: row for row in moving.snapshot(moving.now - timedelta(hours=1))}
    gains = {key: now[key].total_views - before[key].total_views for key in before}
    picture = drawn(view)
    busiest = sorted(gains, key=lambda key: gains[key], reverse=True)[:10]
    lines = picture.splitlines()
    places = [next(n for n, line in enumerate(lines) if f"{now[key].total_views:,}" in line) for key in busiest]
    assert places == sorted(places)
    assert f"{gains[busiest[0]]:,}" in picture
    assert "█" in picture


def test_it_shows_the_bursts_that_are_on() -> None:
    view = LiveView()
    moving = observed(view)
    strongest = moving.bursts()[0]
    assert f"{strongest.began:%m-%d %H:%M}" in drawn(view)


def test_it_shows_the_files_by_state_when_told_how_to_ask() -> None:
    asked = iter([{"pending": 3, "archived": 1200}, {"pending": 0, "archived": 1203}])
    view = LiveView(lambda: next(asked))
    observed(view, hours=2)
    assert "1,200" in drawn(view)
    assert "1,203" in drawn(view)


def test_names_are_data_and_never_markup() -> None:
    view = LiveView(lambda: {"[red]boo[/red]": 1})
    moving = world()
    for channel in moving.channels:
        channel.name = "[b]evil"
    for video in moving.videos:
        video.description = video.title = "[i]worse"
    for _ in range(2):
        moving.advance(moving.now + timedelta(hours=1))
        view.observe(moving)
    picture = drawn(view)
    assert "[red]boo[/red]" in picture
    assert picture.count("[b]evil") == 10
    assert picture.count("[i]worse") > 10


def test_watching_passes_the_progress_on() -> None:
    generation = Generation(files=5, rows=20)
    console = Console(file=io.StringIO(), force_terminal=True, width=100)

    def progress() -> Iterator[Written]:
        yield from generation.write([])

    assert [one.snapshots for one in watch(progress(), generation.world, console)] == [1, 2, 3, 4, 5]
    assert isinstance(console.file, io.StringIO)
    assert "Most watched now" in console.file.getvalue()
