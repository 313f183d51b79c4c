"""The example datasets come from their generators to their tables, views and dashboards, in any order of files."""

import csv
import importlib.util
import random
import shutil
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bi.definition import read_dashboards
from etl.extract import extract
from minidata.dataset import read_datasets
from minidata.settings import PROJECT, load_settings
from minidata.warehouse.connection import connect
from minidata.warehouse.mart import apply_mart
from minidata.warehouse.plan import apply_datasets
from minidata.warehouse.views import DATASETS, read_views
from tests.integration.conftest import Pipeline

EXAMPLES = ("orders", "weather")


@pytest.fixture
def examples(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """A platform with the examples copied in."""
    folder = Path(shutil.copytree(DATASETS, tmp_path / "datasets"))
    for name in EXAMPLES:
        shutil.copytree(PROJECT / "examples" / name, folder / name)
    monkeypatch.setenv("MDP_DATASETS_FOLDER", str(folder))
    load_settings.cache_clear()
    settings = load_settings()
    with connect(settings, "owner") as owner:
        apply_datasets(owner, read_datasets(folder).values())
        apply_mart(owner, folder)
    yield Pipeline(settings, pipeline.store, pipeline.connection)
    pipeline.connection.rollback()
    with connect(settings, "owner") as owner:
        for name in EXAMPLES:
            owner.execute(f"drop schema {name} cascade".encode())
        apply_mart(owner)


def generate(name: str, folder: Path) -> list[Path]:
    spec = importlib.util.spec_from_file_location(name, PROJECT / "examples" / name / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return list(module.generate(folder, 4))


def load(platform: Pipeline, name: str, prefix: str, files: list[Path]) -> None:
    random.Random(1).shuffle(files)
    for file in files:
        platform.put(f"{prefix}/{file.name}", file.read_bytes())
        platform.look()
        batch = extract(name, f"run of {file.name}")
        assert batch is not None
        platform.run(batch)


def rows_of(files: list[Path]) -> list[dict[str, str]]:
    return [row for file in files for row in csv.DictReader(file.open(encoding="utf-8", newline=""))]


def test_the_revenue_of_a_day_has_no_cancelled_order(examples: Pipeline, tmp_path: Path) -> None:
    files = generate("orders", tmp_path / "files")
    load(examples, "orders", "shop/orders", files)
    newest: dict[str, dict[str, str]] = {}
    for row in sorted(rows_of(files), key=lambda row: row["changed_at"]):
        newest[row["order_id"]] = row
    expected: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in newest.values():
        if row["status"] != "cancelled":
            expected[row["ordered_at"][:10], row["country"]] += Decimal(row["amount"])
    found = examples.execute("select to_char(day, 'YYYY-MM-DD'), country, revenue from mart.revenue_by_day")
    assert {(day, country): revenue for day, country, revenue in found} == expected
    assert any(row["status"] == "cancelled" for row in newest.values())
    assert examples.execute("select count(*) from mart.order_changes") == [(len(rows_of(files)),)]


def test_the_weather_of_a_day_is_that_of_its_hours(examples: Pipeline, tmp_path: Path) -> None:
    files = generate("weather", tmp_path / "files")
    load(examples, "weather", "weather", files)
    expected: dict[Any, list[Decimal]] = defaultdict(list)
    for row in rows_of(files):
        expected[row["measured_at"][:10], row["station"]].append(Decimal(row["temperature"]))
    found = examples.execute("select to_char(day, 'YYYY-MM-DD'), station, coldest, warmest from mart.weather_by_day")
    assert {(day, station): (low, high) for day, station, low, high in found} == {
        key: (min(values), max(values)) for key, values in expected.items()
    }
    assert examples.execute("select count(*) from mart.weather_days where rain is null and station = 'Hill'") == [(4,)]


def test_their_dashboards_are_read(examples: Pipeline) -> None:
    folder = examples.settings.datasets_folder
    views = read_views(folder)
    assert {"revenue_by_day", "weather_by_day"} <= views.keys()
    names = {dashboard.name for dashboard in read_dashboards(datasets=folder)}
    assert {"revenue", "weather"} <= names
