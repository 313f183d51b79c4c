"""Another kind of file is a declaration: the one of docs/datasets.md, beside the first, from the upload to the view."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from bi.definition import read_dashboards
from bi.metabase.render import Ids, card
from bi.superset.bundle import render
from bi.target import Warehouse
from etl.extract import extract
from minidata.dataset import read_datasets
from minidata.events import trigger
from minidata.events.trigger import SnapshotTrigger
from minidata.settings import load_settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import connect
from minidata.warehouse.mart import apply_mart
from minidata.warehouse.plan import apply_datasets
from minidata.warehouse.views import DATASETS, read_views
from tests.corpus.case import HEADER, good_lines
from tests.fakes.selection import Selection, tile_sql
from tests.integration.conftest import DATASET, Pipeline
from tests.integration.second_dataset import NAME, block, declare_beside_the_first, files

AIR = "sensors/air/monday.csv"
VIDEOS = "youtube_stats/a.csv"
VIDEO_ROWS = f"{HEADER}\n{good_lines('second', 5)}".encode()


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2025-06-02 {text}+00:00")


HOURS = [
    ("Harbour", at("08:00"), 90, 120, 90, None, at("08:50")),
    ("Harbour", at("09:00"), 150, 150, 150, 60, at("09:10")),
    ("Old town", at("08:00"), 40, 40, 40, None, at("08:30")),
]
STATIONS = [("Harbour", 2, 150, at("09:10")), ("Old town", 1, 40, at("08:30"))]


@pytest.fixture
def two(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """A platform that was started with both declarations."""
    folder = declare_beside_the_first(tmp_path / "datasets")
    monkeypatch.setenv("MDP_DATASETS_FOLDER", str(folder))
    monkeypatch.setenv("MDP_WAKE_SECONDS", "0.2")
    load_settings.cache_clear()
    trigger._turns.cache_clear()
    settings = load_settings()
    with connect(settings, "owner") as owner:
        apply_datasets(owner, read_datasets(folder).values())
        apply_mart(owner, folder)
    yield Pipeline(settings, pipeline.store, pipeline.connection)
    pipeline.connection.rollback()
    with connect(settings, "owner") as owner:
        owner.execute(f"drop schema {NAME} cascade")
        apply_mart(owner)
    trigger._turns.cache_clear()


def load(pipeline: Pipeline, *datasets: str) -> None:
    pipeline.look()
    for dataset in datasets:
        batch = extract(dataset, f"run of {dataset}")
        assert batch is not None, dataset
        pipeline.run(batch)


def read(pipeline: Pipeline, query: str) -> list[tuple[Any, ...]]:
    with connect(pipeline.settings, "bi") as connection:
        return connection.execute(query.encode()).fetchall()


def hours(pipeline: Pipeline) -> list[tuple[Any, ...]]:
    columns = "station, hour, particles, most_particles, least_particles, particles_gained, last_measured"
    return read(pipeline, f"select {columns} from air_hours order by station, hour")


def test_the_page_s_example_comes_from_the_upload_to_the_view(two: Pipeline) -> None:
    two.put(AIR, block("csv").encode())
    load(two, NAME)
    (file,) = two.files()
    assert (file.dataset, file.state, file.rows_loaded, file.rows_rejected) == (NAME, "archived", 4, 0)
    assert str(file.archive_key).startswith(f"{NAME}/")
    assert hours(two) == HOURS
    assert read(two, "select * from air_stations order by station") == STATIONS
    assert two.raw() == []


def test_its_view_index_and_dashboard_come_from_its_folder_alone(two: Pipeline) -> None:
    datasets = two.settings.datasets_folder
    assert {folder.name for folder in datasets.iterdir()} == {NAME, *(f.name for f in DATASETS.iterdir())}
    assert {"views/air_history.sql", "indexes.sql", "dashboards/air.yaml"} < set(files())
    two.put(AIR, block("csv").encode())
    load(two, NAME)
    assert read(two, "select station, most_particles, clean from mart.air_history order by hour, station") == [
        ("Harbour", 120, False),
        ("Old town", 40, True),
        ("Harbour", 150, False),
    ]
    (comment,) = read(two, "select obj_description('mart.air_history'::regclass)")[0]
    assert comment == "One row for each hour and station (datasets/air_quality/views/air_history.sql)"
    (index,) = two.execute("select indexdef from pg_indexes where indexname = 'air_hours_history'")[0]
    assert "air_quality.air_hours" in index

    dashboards = {dashboard.name: dashboard for dashboard in read_dashboards(datasets=datasets)}
    assert list(dashboards) == ["air", "channels", "engagement", "health", "trending"]
    (tile,) = dashboards["air"].tiles
    choice = Selection((at("00:00"), at("23:00")), {"station": ["Harbour"]})
    answer = read(two, tile_sql(dashboards["air"], tile, choice))
    assert [(station, most) for _, station, most in answer] == [("Harbour", 120), ("Harbour", 150)]

    assets = {
        asset.name: asset.content
        for asset in render(dashboards.values(), read_views(datasets), Warehouse.of(two.settings))
    }
    assert {"mart.air_history", "air/over_time", "air"} <= set(assets)
    assert assets["air"]["metadata"]["label_colors"] == {"Most particles": "#e07b39"}
    assert assets["engagement"]["metadata"]["label_colors"].keys().isdisjoint({"Most particles", "archived"})
    assert "air_history" in str(card(dashboards["air"], tile, Ids()).body["dataset_query"])


def test_each_kind_of_file_goes_its_own_way(two: Pipeline) -> None:
    for key, content in {AIR: block("csv").encode(), VIDEOS: VIDEO_ROWS, "elsewhere/b.csv": VIDEO_ROWS + b"\n"}.items():
        two.put(key, content)
    load(two, NAME, DATASET)
    assert {f.key: (f.dataset, f.state) for f in two.files()} == {
        AIR: (NAME, "archived"),
        VIDEOS: (DATASET, "archived"),
        "elsewhere/b.csv": (DATASET, "archived"),
    }
    assert hours(two) == HOURS
    assert len(two.table("videos")) == 5


def test_its_own_rules_decide_what_is_rejected(two: Pipeline) -> None:
    more = "".join(f"Hill,{n},2025-06-02 10:00:{n}\n" for n in range(10, 50))
    bad = ",7,2025-06-02 08:00\nHill,n/a,2025-06-02 08:00\nHill,-1,2025-06-02 08:00\nHill,1,\n"
    two.put("sensors/air/bad rows.csv", (block("csv") + more + bad).encode())
    two.put("sensors/air/videos.csv", VIDEO_ROWS)
    load(two, NAME)
    found = {f.key: f for f in two.files()}
    assert found["sensors/air/videos.csv"].reasons == ["missing_column"]
    assert found["sensors/air/bad rows.csv"].state == "archived"
    assert found["sensors/air/bad rows.csv"].counts == {"missing_value": 2, "not_an_integer": 1, "negative": 1}


def test_a_repetition_in_another_file_changes_nothing(two: Pipeline) -> None:
    header, *rows = block("csv").splitlines()
    two.put(AIR, block("csv").encode())
    load(two, NAME)
    two.put("sensors/air/again.csv", "\n".join([header, *reversed(rows)]).encode())
    load(two, NAME)
    assert hours(two) == HOURS
    assert read(two, "select * from air_stations order by station") == STATIONS


def test_what_the_archive_holds_loads_as_new_on_a_new_platform(two: Pipeline) -> None:
    two.put(AIR, block("csv").encode())
    load(two, NAME)
    (file,) = two.files()
    content = b"".join(two.store.read(two.settings.archive_bucket, str(file.archive_key)))
    with connect(two.settings, "owner") as owner:
        owner.execute(f"truncate mdp.files, mdp.batches, {NAME}.air_hours, {NAME}.air_stations")
    two.put(f"sensors/air/{file.archive_key}", content)
    load(two, NAME)
    assert [(f.dataset, f.state, f.rows_loaded) for f in two.files()] == [(NAME, "archived", 4)]
    assert hours(two) == HOURS


def test_two_triggers_share_the_listings_and_each_wakes_its_own(two: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    listings: Counter[str] = Counter()
    versions = ObjectStore.versions

    def counted(store: ObjectStore, bucket: str, prefix: str = "") -> Any:
        listings[prefix] += 1
        return versions(store, bucket, prefix)

    monkeypatch.setattr(ObjectStore, "versions", counted)
    two.put("sensors/air/at the start.csv", block("csv").encode())

    async def woken(watch: AsyncIterator[Any]) -> Any:
        async with asyncio.timeout(60):
            return (await anext(watch)).payload

    async def play() -> None:
        watches = {name: SnapshotTrigger(name).run() for name in (DATASET, NAME)}
        videos = asyncio.create_task(woken(watches[DATASET]))
        assert await woken(watches[NAME]) == {"dataset": NAME, "waiting": 1}
        assert not videos.done()
        await asyncio.to_thread(two.put, VIDEOS, VIDEO_ROWS)
        event = {"Records": [{"s3": {"bucket": {"name": "raw"}, "object": {"key": VIDEOS}}}]}
        await asyncio.to_thread(
            two.execute, "insert into mdp.inbox (event_data, event_time) values (%s, clock_timestamp())", Jsonb(event)
        )
        assert await videos == {"dataset": DATASET, "waiting": 1}
        for watch in watches.values():
            await watch.aclose()

    asyncio.run(play())
    assert listings == {"": 1, VIDEOS: 1}
    assert {f.key: f.dataset for f in two.files()} == {"sensors/air/at the start.csv": NAME, VIDEOS: DATASET}
