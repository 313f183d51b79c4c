"""Newest rows, every row and their summaries are a function of the accepted rows: compared with plain Python."""

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.extract import extract
from minidata.dataset import Dataset, read_dataset, read_datasets
from minidata.errors import TransientError
from minidata.rollup import RollupBuilder, merge, stage
from minidata.settings import load_settings
from minidata.warehouse.checksum import checksums
from minidata.warehouse.connection import Connection, connect
from minidata.warehouse.plan import apply_datasets
from minidata.warehouse.views import DATASETS
from operate.embedded.settings import embedded_settings
from operate.embedded.state import State
from tests.integration.conftest import Pipeline

DECLARATION = """
name: shop
title: Shop
prefix: shop
columns:
  order_id: {type: text, max_length: 9, min_length: 1}
  status: {type: text, max_length: 9, min_length: 1}
  city: {type: text, max_length: 9, min_length: 1}
  amount: {type: integer}
  note: {type: text, max_length: 99, optional: true}
  points: {type: integer, optional: true}
  changed_at: {type: timestamp, max_ahead_hours: null}
newest:
  orders_changed: {description: By a column, keys: [order_id], by: changed_at}
  orders_arrived: {description: By arrival, keys: [order_id]}
every:
  order_events: {description: Every row}
rollups:
  order_hours:
    description: Per hour and city
    keys: {hour: {window: changed_at, seconds: 3600}, city: city}
    latest: {by: changed_at, into: last_changed, columns: [note, points]}
    measures: {most: {max: amount}}
    gains: {most_gained: {of: most}}
summaries:
  revenue:
    description: Of orders that are not cancelled
    keys: {day: {window: changed_at, seconds: 86400}, city: city}
    from: orders_changed
    sql: revenue.sql
    columns: {day: timestamptz, city: text, orders: bigint, amount: numeric}
  events:
    description: Rows per status
    keys: [status]
    from: order_events
    sql: events.sql
    columns: {status: text, n: bigint}
  arrived:
    description: Newest arrivals by city
    keys: [city]
    from: orders_arrived
    sql: arrived.sql
    columns: {city: text, amount: numeric}
  gained:
    description: Gains of a day
    keys: {day: {window: hour, seconds: 86400}}
    from: order_hours
    sql: gained.sql
    columns: {day: timestamptz, gained: numeric}
"""
DAY = "date_bin('1 day', {}, timestamptz 'epoch')"
SELECTS = {
    "revenue": f"select {DAY.format('changed_at')} as day, city, count(*) as orders, sum(amount) as amount "
    "from orders_changed where status <> 'cancelled' group by 1, 2;",
    "events": "select status, count(*) as n from order_events group by status",
    "arrived": "select city, sum(amount) as amount from orders_arrived where status <> 'cancelled' group by city",
    "gained": f"select {DAY.format('hour')} as day, sum(most_gained) as gained from order_hours group by 1",
}
COLUMNS = ("order_id", "status", "city", "amount", "note", "points", "changed_at")
T = datetime(2025, 6, 1, 22, tzinfo=UTC)


class Row(NamedTuple):
    order_id: str
    status: str
    city: str
    amount: int
    note: str | None
    points: int | None
    changed_at: datetime


class File(NamedTuple):
    """A file that was accepted: its arrival, and its rows in order."""

    arrived_at: datetime
    rows: list[Row]


rows = st.builds(
    Row,
    st.sampled_from("abc"),
    st.sampled_from(["paid", "cancelled"]),
    st.sampled_from(["Rome", "Oslo"]),
    st.integers(0, 3),
    st.sampled_from([None, "", "x", '"y"\n,']),
    st.sampled_from([None, 0, 1]),
    st.integers(0, 5).map(lambda n: T + timedelta(minutes=50 * n)),
)
files = st.builds(File, st.integers(0, 2).map(lambda n: T + timedelta(days=n)), st.lists(rows, min_size=1, max_size=5))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return declare(tmp_path_factory.mktemp("datasets") / "shop")


def declare(folder: Path, text: str = DECLARATION) -> Dataset:
    folder.mkdir(exist_ok=True)
    (folder / "dataset.yaml").write_text(text)
    for name, select in SELECTS.items():
        (folder / f"{name}.sql").write_text(select)
    return read_dataset(folder)


@pytest.fixture
def owner(servers: State, dataset: Dataset) -> Iterator[Connection]:
    with connect(embedded_settings(servers), "owner") as connection, connection.transaction(force_rollback=True):
        apply_datasets(connection, [dataset])
        yield connection


def frame(file: File) -> pl.DataFrame:
    table = pl.DataFrame(file.rows, schema=list(COLUMNS), orient="row", infer_schema_length=None)
    table = table.with_columns(
        pl.col("note").cast(pl.String),
        pl.col("points").cast(pl.Int64),
        pl.lit(file.arrived_at.replace(tzinfo=None)).alias("mdp_arrived_at"),
        pl.int_range(2, len(file.rows) + 2).alias("mdp_line"),
    )
    return table.with_columns(pl.col("changed_at").dt.replace_time_zone(None))


def load(connection: Connection, dataset: Dataset, batch: list[list[File]]) -> None:
    """Load a batch: what each group of files gives is more than is held in memory."""
    with connection.transaction(), tempfile.TemporaryDirectory() as folder:
        loads = []
        for name in dataset.merged:
            partials: list[pl.DataFrame] = []
            place = Path(folder) / name
            place.mkdir()
            builder = RollupBuilder(dataset, name, 1, place, partials.append)
            for group in batch:
                builder.add(pl.concat(map(frame, group)))
            builder.finish()
            loads.append(stage(connection, dataset, name, partials))
        merge(connection, dataset, loads)
        for name in [f"{kind}_{table}" for kind in ("stage", "known", "touched") for table in dataset.tables]:
            connection.execute(f"drop table if exists pg_temp.{name}".encode())


def shown(connection: Connection, dataset: Dataset) -> dict[str, set[tuple[Any, ...]]]:
    return {name: set(connection.execute(f"select * from mart.{name}".encode()).fetchall()) for name in dataset.tables}


def rank(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Compare known values, null below them."""
    return tuple((value is not None, value if value is not None else 0) for value in values)


def expected(accepted: list[File]) -> dict[str, set[tuple[Any, ...]]]:
    """The oracle: plain Python over all accepted rows at once."""
    placed = [(file.arrived_at, line, row) for file in accepted for line, row in enumerate(file.rows)]
    changed: dict[str, Row] = {}
    arrived: dict[str, Row] = {}
    for key in {row.order_id for _, _, row in placed}:
        own = [p for p in placed if p[2].order_id == key]
        changed[key] = max((row for _, _, row in own), key=lambda r: (r.changed_at, rank(r[1:6])))
        arrived[key] = max(own, key=lambda p: (p[0], p[1], rank(p[2][1:])))[2]
    revenue: dict[Any, list[int]] = defaultdict(list)
    for row in changed.values():
        if row.status != "cancelled":
            revenue[row.changed_at.replace(hour=0, minute=0), row.city].append(row.amount)
    cities: dict[str, int] = defaultdict(int)
    for row in arrived.values():
        if row.status != "cancelled":
            cities[row.city] += row.amount
    events = {row for _, _, row in placed}
    hours: dict[tuple[str, datetime], list[Row]] = defaultdict(list)
    for row in events:
        hours[row.city, row.changed_at.replace(minute=0)].append(row)
    most = {key: max(row.amount for row in group) for key, group in hours.items()}
    before = {key: max((k for k in most if k[0] == key[0] and k < key), default=None) for key in most}
    gains = {key: most[key] - most[p] if (p := before[key]) else None for key in most}
    latest = {key: max(group, key=lambda r: (r.changed_at, rank(r[4:6]))) for key, group in hours.items()}
    days: dict[datetime, list[int | None]] = defaultdict(list)
    for (_, hour), gain in gains.items():
        days[hour.replace(hour=0)].append(gain)
    known = {day: [gain for gain in of if gain is not None] for day, of in days.items()}
    return {
        "orders_changed": set(changed.values()),
        "orders_arrived": set(arrived.values()),
        "order_events": events,
        "order_hours": {
            (hour, city, latest[city, hour].note, latest[city, hour].points, most[city, hour], gains[city, hour],
             latest[city, hour].changed_at)
            for city, hour in hours
        },
        "revenue": {(*key, len(amounts), sum(amounts)) for key, amounts in revenue.items()},
        "events": {(status, len({r for r in events if r.status == status})) for status in {r.status for r in events}},
        "arrived": set(cities.items()),
        "gained": {(day, sum(of) if of else None) for day, of in known.items()},
    }  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), accepted=st.lists(files, min_size=1, max_size=6))
def test_any_order_and_repetition_in_any_batches_gives_the_oracle_s_tables(
    owner: Connection, dataset: Dataset, data: st.DataObject, accepted: list[File]
) -> None:
    with owner.transaction(force_rollback=True):
        again = data.draw(st.lists(st.sampled_from(accepted), max_size=3))
        order = data.draw(st.permutations([*accepted, *again]))
        while order:
            size = data.draw(st.integers(1, len(order)))
            batch, order = order[:size], order[size:]
            cut = data.draw(st.integers(0, len(batch)))
            load(owner, dataset, [group for group in (batch[:cut], batch[cut:]) if group])
        assert shown(owner, dataset) == expected(accepted)


def test_a_disk_with_too_little_space_is_not_filled(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    builder = RollupBuilder(dataset, "order_events", 1, tmp_path, list[pl.DataFrame]().append)
    events = [frame(File(T, [Row("a", "paid", "Rome", amount, None, None, T)])) for amount in range(3)]
    for event in events[:2]:
        builder.add(event)
    with pytest.raises(TransientError, match="1 MiB left"):
        builder.add(events[2])
    assert not list(tmp_path.iterdir())


def order(status: str, hours: int, **values: Any) -> Row:
    return Row("a", status, "Rome", 10, None, None, T + timedelta(hours=hours))._replace(**values)


def test_an_order_that_is_cancelled_leaves_no_revenue(owner: Connection, dataset: Dataset) -> None:
    with owner.transaction(force_rollback=True):
        load(owner, dataset, [[File(T, [order("paid", 0)])]])
        assert len(shown(owner, dataset)["revenue"]) == 1
        load(owner, dataset, [[File(T, [order("cancelled", 1)])]])
        assert shown(owner, dataset)["revenue"] == set()


def test_a_summary_forgets_the_key_that_a_row_has_left(owner: Connection, dataset: Dataset) -> None:
    with owner.transaction(force_rollback=True):
        load(owner, dataset, [[File(T, [order("paid", 0)])]])
        load(owner, dataset, [[File(T, [order("paid", 0, city="Oslo", changed_at=T + timedelta(minutes=1))])]])
        assert {row[1] for row in shown(owner, dataset)["revenue"]} == {"Oslo"}


# From the file to the tables: what arrived last counts, in whatever order the files are loaded.

HEADER = "order_id,status,city,amount,points,changed_at"
FIRST = f"{HEADER}\na,paid,Rome,1,,2025-06-01 10:00\n"
SECOND = f'{HEADER}\na,sent,Rome,2,,2025-06-01T10:00:00+02\na,done,"Rome",3,7,2025-06-01 10:00:00.5\n'


@pytest.fixture
def shop(pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """A platform with the shop's declaration next to the first one."""
    folder = Path(shutil.copytree(DATASETS, tmp_path / "datasets"))
    declared = declare(folder / "shop")
    monkeypatch.setenv("MDP_DATASETS_FOLDER", str(folder))
    load_settings.cache_clear()
    settings = load_settings()
    with connect(settings, "owner") as owner:
        apply_datasets(owner, [declared])
    yield Pipeline(settings, pipeline.store, pipeline.connection)
    pipeline.connection.rollback()
    with connect(settings, "owner") as owner:
        owner.execute("drop schema shop cascade; delete from public.mdp_declared where name = 'shop'")


def arrive(shop: Pipeline, arrivals: list[tuple[str, str, int]]) -> None:
    """Upload files (key, content, day of arrival) and load them one by one in this order."""
    for key, content, day in arrivals:
        shop.put(f"shop/{key}.csv", content.encode())
        shop.look()
        shop.execute("update mdp.files set arrived_at = %s where key = %s", T + timedelta(day), f"shop/{key}.csv")
        batch = extract("shop", f"run of {key}")
        assert batch is not None
        shop.run(batch)


def newest(shop: Pipeline) -> tuple[list[tuple[Any, ...]], dict[str, tuple[int, str]]]:
    rows = shop.execute("select status, amount, points from mart.orders_arrived")
    return rows, checksums(shop.connection, read_datasets(shop.settings.datasets_folder)["shop"])


def test_the_last_line_of_a_file_is_newer_however_its_cells_are_written(shop: Pipeline) -> None:
    arrive(shop, [("second", SECOND, 1)])
    assert newest(shop)[0] == [("done", 3, 7)]


@pytest.mark.parametrize("numbers", list(permutations(range(3))))
def test_a_content_that_comes_back_is_newest_again_in_any_order(shop: Pipeline, numbers: tuple[int, ...]) -> None:
    files = [("first", FIRST, 1), ("second", SECOND, 2), ("first_again", FIRST, 3)]
    arrive(shop, [files[number] for number in numbers])
    rows, found = newest(shop)
    assert rows == [("paid", 1, None)]
    assert found["order_events"][0] == 3
    assert shop.execute("select count(*) from mart.order_events") == [(3,)]


def test_the_checksum_does_not_see_when_a_row_arrived(shop: Pipeline) -> None:
    arrive(shop, [("first", FIRST, 1)])
    before = newest(shop)
    arrive(shop, [("again", FIRST, 2)])
    assert newest(shop) == before
    assert shop.execute("select mdp_arrived_at, mdp_line from shop.orders_arrived") == [(T + timedelta(2), 2)]
