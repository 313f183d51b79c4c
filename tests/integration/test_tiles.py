"""Every tile's question on a real PostgreSQL, as the role of the dashboards: it is answered, and not with nothing."""

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bi.definition import read_dashboards
from bi.metabase.render import Ids, card
from bi.model import Dashboard, Sort, Tile
from bi.sql import literal, quoted, row_order
from minidata.warehouse.connection import Connection, connect
from minidata.warehouse.mart import apply_mart
from operate.embedded.settings import embedded_settings
from operate.embedded.state import State
from tests.fakes.history import BIG, CHANNELS, HOSTILE, TABLES, write_history
from tests.fakes.selection import Selection, tile_sql

DASHBOARDS = {dashboard.name: dashboard for dashboard in read_dashboards()}
TILES = [pytest.param(d, tile, id=f"{d.name}/{tile.name}") for d in DASHBOARDS.values() for tile in d.tiles]
NOW = datetime.now(UTC)
PERIOD = (NOW - timedelta(hours=1), NOW + timedelta(hours=1))
CHOICES = [
    pytest.param(Selection(period, {"channel": channels} if channels else {}), id=name)
    for name, (period, channels) in zip(
        ("all", "channel", "period", "both"),
        itertools.product((None, PERIOD), (None, [HOSTILE, "Twins · UC-twin-2"])),
        strict=True,
    )
]


@pytest.fixture(scope="module")
def reader(servers: State) -> Iterator[Connection]:
    settings = embedded_settings(servers)
    with connect(settings, "owner") as owner:
        write_history(owner)
        apply_mart(owner)
    with connect(settings, "bi") as connection:
        connection.autocommit = True
        yield connection


def ask(reader: Connection, query: str) -> list[tuple[Any, ...]]:
    return reader.execute(query.encode()).fetchall()


def says_something(rows: list[tuple[Any, ...]]) -> bool:
    return bool(rows) and any(value is not None for row in rows for value in row)


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize(("dashboard", "tile"), TILES)
def test_a_tile_is_answered(reader: Connection, dashboard: Dashboard, tile: Tile, choice: Selection) -> None:
    rows = ask(reader, tile_sql(dashboard, tile, choice))
    assert says_something(rows)
    assert len(rows) == 1 or tile.chart != "number"


def as_metabase_would(dashboard: Dashboard, tile: Tile, choice: Selection) -> str:
    """Fill in a card's template: a field filter becomes a condition on the whole path of its column."""
    query = card(dashboard, tile, Ids()).body["dataset_query"]["native"]["query"]
    filters = dashboard.filters_of(tile)
    assert set(re.findall(r"\{\{(\w+)\}\}", query)) == set(filters)
    for name, column in filters.items():
        path = f"{quoted('mart')}.{quoted(tile.view)}.{quoted(column)}"
        if name == "period" and choice.period:
            begin, end = map(literal, choice.period)
            condition = f"and ({path} >= {begin} and {path} < {end})"
        elif name in choice.values:
            condition = f"and {path} in ({', '.join(map(literal, choice.values[name]))})"
        else:
            condition = ""
        query = query.replace(f"[[and {{{{{name}}}}}]]", condition)
    return str(query)


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize(("dashboard", "tile"), TILES)
def test_metabase_gets_the_same_answer(reader: Connection, dashboard: Dashboard, tile: Tile, choice: Selection) -> None:
    if tile.view == "freshness":  # its seconds go on while we ask
        assert says_something(ask(reader, as_metabase_would(dashboard, tile, choice)))
    else:
        assert ask(reader, as_metabase_would(dashboard, tile, choice)) == ask(reader, tile_sql(dashboard, tile, choice))


@pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=list(DASHBOARDS))
def test_every_value_that_a_filter_offers_can_be_chosen(reader: Connection, dashboard: Dashboard) -> None:
    for name, filter_ in dashboard.filters.items():
        if filter_.kind == "values":
            offered = [value for (value,) in ask(reader, f"select {filter_.column} from mart.{filter_.view}")]
            assert len(offered) == len(CHANNELS)
            for tile in dashboard.tiles:
                for value in offered:
                    ask(reader, tile_sql(dashboard, tile, Selection(values={name: [value]})))


def answer(reader: Connection, name: str, choice: Selection | None = None) -> list[tuple[Any, ...]]:
    dashboard, tile = name.split("/")
    (found,) = (t for t in DASHBOARDS[dashboard].tiles if t.name == tile)
    return ask(reader, tile_sql(DASHBOARDS[dashboard], found, choice))


def test_numbers_shown_whole_keep_every_digit(reader: Connection) -> None:
    league = {row[0]: row for row in answer(reader, "channels/league")}
    assert league["Big"][4] == Decimal(BIG)
    assert league["Big"][1] == BIG
    disliked = {row[1]: row for row in answer(reader, "engagement/most_disliked")}
    assert disliked["Big"][4] == BIG
    assert all(not isinstance(value, float) for row in (*league.values(), *disliked.values()) for value in row)


def test_a_sum_beyond_a_double_is_exact(reader: Connection) -> None:
    (row,) = answer(reader, "channels/subscribers", Selection(values={"channel": ["Big", "Twins · UC-twin-1"]}))
    assert row == (Decimal(BIG + 5_000 - 2 * 239),), "an odd number, which a double would miss"


def test_a_choice_of_channels_is_what_the_numbers_are_of(reader: Connection) -> None:
    everything, hostile, other = (
        answer(reader, "trending/views_gained", Selection(values={"channel": channels}) if channels else None)[0][0]
        for channels in (None, [HOSTILE], [name for _, name, _, _ in CHANNELS if name != HOSTILE])
    )
    assert 0 < hostile < everything
    assert hostile + other < everything, "the twins are offered under longer names"


def test_a_period_is_what_the_numbers_are_of(reader: Connection) -> None:
    (row,) = answer(
        reader, "trending/views_gained", Selection(period=(NOW - timedelta(days=9), NOW - timedelta(days=8)))
    )
    assert row == (None,)


def test_tops_are_the_greatest_and_in_order(reader: Connection) -> None:
    series = {row[1] for row in answer(reader, "trending/over_time")}
    assert len(series) == 6
    fastest = [row[1] for row in answer(reader, "trending/fastest")]
    assert fastest == sorted(fastest, reverse=True)
    ranks = [row[2] for row in answer(reader, "trending/ranking")]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize(("dashboard", "tile"), [p for p in TILES if p.values[1].limit])
def test_no_two_rows_have_the_same_place(reader: Connection, dashboard: Dashboard, tile: Tile) -> None:
    order, _ = row_order(tile)
    keys = ", ".join(quoted(d.column) for d in tile.dimensions)
    groups = f"select {order} as place from mart.{tile.view} group by {keys}"
    [(rows, places)] = ask(reader, f"select count(*), count(distinct place) from ({groups}) g")
    assert rows == places > 0


@pytest.mark.parametrize("descending", [True, False])
def test_what_has_no_value_comes_last(reader: Connection, descending: bool) -> None:
    found = DASHBOARDS["trending"]
    ranking = next(tile for tile in found.tiles if tile.name == "ranking")
    sort = Sort(by="Faster by %", descending=descending)
    values = [row[-1] for row in ask(reader, tile_sql(found, ranking.model_copy(update={"sort": sort})))]
    known = [value for value in values if value is not None]
    assert values == sorted(known, reverse=descending) + [None] * (len(values) - len(known))
    assert 0 < len(known) < len(values)


def test_a_chart_over_time_has_whole_steps_only(reader: Connection) -> None:
    times = {row[0] for row in answer(reader, "engagement/votes_over_time")}
    assert all(instant.minute % 5 == 0 and instant.second == 0 for instant in times)
    (newest,) = ask(reader, "select date_bin('5 minutes', date_updated, '2000-01-01 00:00:00+00') from newest_window")[
        0
    ]
    assert max(times) == newest - timedelta(minutes=5)


def test_an_empty_warehouse_is_no_error(reader: Connection, servers: State) -> None:
    settings = embedded_settings(servers)
    with connect(settings, "owner") as owner, owner.transaction(force_rollback=True):
        for table in TABLES:
            owner.execute(f"truncate {table} cascade".encode())
        for dashboard in DASHBOARDS.values():
            for tile in dashboard.tiles:
                owner.execute(tile_sql(dashboard, tile).encode())
