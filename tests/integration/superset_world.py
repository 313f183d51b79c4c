"""A platform with Superset as `up` brings it, with hours of invented history, and Chromium to look at it."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from playwright.sync_api import Browser, sync_playwright

from bi.target import Target
from minidata.dataset import Dataset, read_datasets
from minidata.rollup import merge, roll_up, stage
from minidata.settings import PROJECT, Settings
from minidata.warehouse.connection import connect
from minidata.warehouse.mart import apply_mart
from operate.embedded import processes
from operate.embedded.settings import embedded_settings
from operate.embedded.state import State
from operate.embedded.superset.service import target
from simulator.world import Row, World

# No sandbox: containers and root have none to offer. The rest keeps Chromium from talking to anybody but us.
CHROMIUM = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
TWINS = 120  # more than any limit of a tile of channels or videos but the scatters'
HUGE = 2**53 + 1  # the first whole number that a browser's own numbers cannot hold

MARKUP = "% {{ [[ ' <b>bold</b> <script>1</script>"


@dataclass(frozen=True)
class Running:
    """A platform with Superset that runs, and what its `up` printed."""

    state: State
    settings: Settings
    target: Target
    up_printed: str

    @property
    def url(self) -> str:
        return self.target.url

    def mdp(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return mdp(self.state.folder, *arguments)


def mdp(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [str(PROJECT / "mdp"), "--state", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@contextmanager
def superset(folder: Path) -> Iterator[Running]:
    """Run a platform with Superset, as its user would."""
    try:
        up = mdp(folder, "up", "--no-simulator")
        assert up.returncode == 0, up.stdout + up.stderr
        state = State.open(folder)
        settings = embedded_settings(state)
        yield Running(state, settings, target(state, settings), up.stdout)
    finally:
        mdp(folder, "destroy", "--yes")
    assert processes.find(folder) == []


def seed(settings: Settings) -> list[Row]:
    """Fill the warehouse: four hours of snapshots, one huge channel, files in every state.

    Returns:
        The snapshots' rows, by time.
    """
    end = datetime.now(UTC).replace(microsecond=0)
    world = World(3, end - timedelta(hours=4), channels=12, videos=60)
    rows, taken = [], []
    while world.now + timedelta(minutes=1) <= end:
        world.advance(world.now + timedelta(minutes=1))
        taken.append(world.now)
        rows += world.snapshot()
    huge = rows[-1]._replace(video_id="HUGE", channel_id="HUGE", channel_name="Huge", channel_subscribers=HUGE)
    huge = huge._replace(total_views=HUGE, total_likes=HUGE, total_dislikes=HUGE, description=MARKUP)
    with connect(settings, "owner") as owner:
        apply_mart(owner)
        owner.execute("truncate mdp.files, mdp.batches, mdp.inbox")
        for table in _dataset(settings).tables:
            owner.execute(f"truncate youtube_stats.{table}".encode())
    _load(settings, [*rows, huge])
    with connect(settings, "loader") as loader:
        for number, at in enumerate(taken):
            state = {3: "quarantined", 7: "failed", 11: "pending"}.get(number % 20, "archived")
            bad = state != "archived"
            loader.execute(
                "insert into mdp.files (key, version, size, arrived_at, dataset, state, reasons, message, "
                "rows_loaded, rows_rejected, counts, loaded_at) values (%s, 'v', 9, %s, 'youtube_stats', %s, %s, %s, "
                "%s, %s, %s, %s)",
                [
                    f"youtube_stats/{number:04d}.csv", at, state, ["not_csv"] if bad else [],
                    "An unclosed quote." if bad else None, None if bad else 60, 2, '{"negative": 2}',
                    None if bad else at + timedelta(seconds=2 + number % 3),
                ],
            )  # fmt: skip
    return rows


def seed_twins(settings: Settings, rows: list[Row]) -> None:
    """Add channels of one video each that are equal in every number, and grow faster than any other.

    Args:
        settings: of the platform.
        rows: what `seed` returned; the twins take their instants from there.
    """
    taken = sorted({row.date_updated for row in rows})
    twins = [hashlib.sha256(bytes([number])).hexdigest()[:11] for number in range(TWINS)]  # in no order
    _load(settings, [
        rows[-1]._replace(
            video_id=twin, channel_id=twin, channel_name=f"Twin {twin}", description=f"Twin {twin}",
            channel_subscribers=10**6 * (step + 1), total_views=10**7 * (step + 1), total_likes=0,
            total_dislikes=10**7 * (step + 1), date_created=taken[0], date_updated=at,
        )
        for step, at in enumerate(taken)
        for twin in twins
    ])  # fmt: skip


def _dataset(settings: Settings) -> Dataset:
    return read_datasets(settings.datasets_folder)["youtube_stats"]


def _load(settings: Settings, rows: list[Row]) -> None:
    dataset = _dataset(settings)
    frame = pl.DataFrame(rows, schema=list(Row._fields), orient="row", infer_schema_length=None)
    frame = frame.with_columns(pl.col("date_created", "date_updated").dt.replace_time_zone(None))
    with connect(settings, "loader") as loader, loader.transaction():
        loads = [
            stage(loader, dataset, name, [roll_up(frame.lazy(), rollup).collect()])
            for name, rollup in dataset.merged.items()
        ]
        merge(loader, dataset, loads)
    with connect(settings, "owner") as owner:
        owner.autocommit = True
        owner.execute("analyze")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Debian's Chromium (`apt-get install chromium`)."""
    program = shutil.which("chromium")
    assert program, "These tests look at the dashboards with Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        yield browser
        browser.close()
