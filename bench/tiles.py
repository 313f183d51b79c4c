"""Measures each tile's question on a history of 1.44 million rows, as the role of the dashboards asks it.

Example: ./mdp dev bench tiles --state /tmp/tiles
A platform of its own is made in the folder for that, of PostgreSQL and the object store alone, and removed again.
"""

# ruff: noqa: INP001, T201, S608  a script; only numbers of its own are put into its queries
import argparse
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from bi.definition import read_dashboards
from bi.model import PeriodFilter
from minidata.settings import Settings
from minidata.warehouse.connection import connect
from operate.embedded.postgres import home as postgres_home
from operate.embedded.settings import embedded_settings
from operate.embedded.start import start_servers
from operate.embedded.state import State
from operate.embedded.stop import stop_platform
from tests.fakes.history import SUMMARIES
from tests.fakes.selection import Selection, tile_sql

VIDEOS, WINDOWS, CHANNELS, FILES = 2_000, 720, 200, 100_000
ROUNDS = 3
_NOW = "date_bin('30 seconds', now(), timestamptz '2000-01-01 00:00:00+00')"
_HISTORY = (
    f"""
    insert into youtube_stats.video_metrics (date_updated, video_id, channel_id, channel_name, description,
        total_views, total_likes, total_dislikes, views_gained, likes_gained, dislikes_gained, last_updated)
    select {_NOW} - n * interval '30 seconds', 'v' || v, 'c' || v % {CHANNELS}, 'Channel ' || v % {CHANNELS},
           'Video ' || v / 2 || E'\\n' || repeat('about it ', 30), v * 1000 + ({WINDOWS} - n) * (v % 90),
           v * 40 + ({WINDOWS} - n) * (v % 7), v + ({WINDOWS} - n) * (v % 2), v % 90, v % 7, v % 2, now()
    from generate_series({WINDOWS - 1}, 0, -1) n, generate_series(1, {VIDEOS}) v
    """,
    f"""
    insert into youtube_stats.channel_metrics (date_updated, channel_id, channel_name, channel_subscribers,
        subscribers_gained, last_updated)
    select {_NOW} - n * interval '30 seconds', 'c' || c, 'Channel ' || c, c * 1000 + ({WINDOWS} - n), 1, now()
    from generate_series({WINDOWS - 1}, 0, -1) n, generate_series(0, {CHANNELS - 1}) c
    """,
    *SUMMARIES,
    f"""
    insert into mdp.files (key, version, size, arrived_at, dataset, state, reasons, loaded_at, rows_loaded,
        rows_rejected, counts)
    select 'youtube_stats/' || n, 'v', 9, now() - n * interval '1 second', 'youtube_stats',
           (case when n % 50 = 0 then 'quarantined' else 'archived' end)::mdp.file_state,
           case when n % 50 = 0 then array['not_csv'] else '{{}}' end, now() - (n - 2) * interval '1 second',
           100, 1, '{{"negative": 1}}'
    from generate_series(1, {FILES}) n
    """,
)


def _quiet(*_: object) -> None:
    """Tell nobody what is being done."""


def fill(settings: Settings) -> None:
    """Write the history."""
    with connect(settings, "owner") as owner:
        for statement in _HISTORY:
            owner.execute(statement.encode())
        owner.commit()
        owner.autocommit = True
        owner.execute("vacuum analyze")


def measure(settings: Settings) -> None:
    """Print of each tile the median of its seconds, with the period that it opens with and with all time."""
    now = datetime.now(UTC)
    with connect(settings, "bi") as reader:
        reader.autocommit = True
        for dashboard in read_dashboards():
            hours = next((f.last_hours for f in dashboard.filters.values() if isinstance(f, PeriodFilter)), 24)
            begin = (now - timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)
            for tile in dashboard.tiles:
                medians = []
                for choice in (Selection(period=(begin, now)), Selection()):
                    seconds = []
                    for _ in range(ROUNDS):
                        started = time.perf_counter()
                        reader.execute(tile_sql(dashboard, tile, choice).encode()).fetchall()
                        seconds.append(time.perf_counter() - started)
                    medians.append(median(seconds))
                print(f"{dashboard.name}/{tile.name:20} {medians[0]:6.2f} s  all time {medians[1]:6.2f} s", flush=True)


def main() -> None:
    """Make the platform, measure, remove it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="an empty folder")
    state = State.open(parser.parse_args().state)
    try:
        start_servers(state, _quiet)
        settings = embedded_settings(state)
        fill(settings)
        measure(settings)
    finally:
        stop_platform(state, _quiet)
        postgres_home.remove(state)
        state.remove()


if __name__ == "__main__":
    main()
