"""A dashboard as it is shown in Chromium, and the answer of the warehouse to the same question."""

import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Browser, Response

from bi.model import Dashboard, Tile
from minidata.settings import Settings
from minidata.warehouse.connection import connect
from tests.fakes.selection import Selection, tile_sql

from .superset_world import Running

_DATA = "/api/v1/chart/data"
_SECONDS = 120
_DISTURBED = "ERR_NETWORK_CHANGED"
# What a tile holds once it is drawn, and what it must not hold.
_TILES = """
() => [...document.querySelectorAll('[data-test="chart-grid-component"]')].map(tile => ({
    title: tile.getAttribute('data-test-chart-name'),
    drawn: !!tile.querySelector('canvas, .header-line, table tbody tr'),
    wrong: !!tile.querySelector('[role="alert"], .ant-alert, .ant-empty, [data-test="loading-indicator"]'),
    means: tile.closest('.grid-column')?.querySelector('.dashboard-markdown')?.innerText ?? '',
    number: tile.querySelector('.header-line')?.innerText ?? '',
}))
"""
_GROUPED = re.compile(r"-?\d{1,3}(,\d{3})*")
_LARGEST = 2**53 - 1  # that a chart draws exactly
Record = tuple[Any, ...]


@dataclass(frozen=True)
class Look:
    """What a dashboard showed.

    Attributes:
        undrawn: titles of tiles that are missing, wrong, or do not say what they mean.
        complaints: what the console said, what failed to load, and what was asked of anybody else.
        numbers: what the number tiles show, by title.
        rows: the texts of the cells of every row of the tables.
        results: what each tile was drawn from, by its name.
        requests: path and body of each tile's request, by its name.
    """

    undrawn: list[str]
    complaints: list[str]
    numbers: dict[str, str]
    rows: list[list[str]]
    results: dict[str, dict[str, Any]]
    requests: dict[str, tuple[str, Any]]


class Page:
    """A page of a new visitor, or of a logged-in analyst."""

    def __init__(self, running: Running, browser: Browser, person: str) -> None:
        self._running, self._person = running, person
        self._context = browser.new_context(viewport={"width": 1440, "height": 2000})
        self._page = self._context.new_page()
        self._answers: list[Response] = []
        self._complaints: list[str] = []
        self._dashboard: Dashboard | None = None

    def __enter__(self) -> Self:
        page = self._page
        page.on("console", lambda message: self._complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self._complaints.append(str(error)))
        page.on("response", self._see)
        if self._person == "analyst":
            page.goto(f"{self._running.url}/login/")
            page.fill("#username", self._running.target.user)
            page.fill("#password", self._running.target.password)
            page.press("#password", "Enter")
            page.get_by_text("Log out").wait_for()
            self._complaints.clear()  # a hint of Chromium's about the form
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.close()

    def open(self, dashboard: Dashboard) -> None:
        """Open a dashboard and wait until every tile has its answer and is drawn."""
        self._dashboard = dashboard
        self._page.goto(f"{self._running.url}/superset/dashboard/{dashboard.name}/")
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            if len(self._of_tiles()) >= len(dashboard.tiles) and not self._undrawn():
                break
            if any(_DISTURBED in complaint for complaint in self._complaints):
                self._page.reload()  # Chromium drops every connection when the machine's network changes
                self._answers.clear()
                self._complaints.clear()
            self._page.wait_for_timeout(200)
        self._page.wait_for_timeout(1500)  # what is drawn comes into view slowly

    def _undrawn(self) -> list[str]:
        """Return the tiles that are missing, wrong, or say not what they mean."""
        assert self._dashboard
        shown = {tile["title"]: tile for tile in self._page.evaluate(_TILES)}
        good = {title for title, tile in shown.items() if tile["drawn"] and not tile["wrong"] and tile["means"]}
        return sorted({tile.title for tile in self._dashboard.tiles} - good) + sorted(set(shown) - self._titles())

    def picture(self, file: Path) -> None:
        """Keep a picture."""
        self._page.mouse.move(0, 0)
        height = self._page.locator(".grid-content").bounding_box()
        assert height
        self._page.set_viewport_size({"width": 1440, "height": int(height["y"] + height["height"]) + 20})
        self._page.wait_for_timeout(1500)
        file.parent.mkdir(parents=True, exist_ok=True)
        self._page.screenshot(path=str(file))

    def look(self) -> Look:
        """Return what there is to see."""
        tiles, answers = self._page.evaluate(_TILES), self._by_tile()
        return Look(
            undrawn=self._undrawn(),
            complaints=list(self._complaints),
            numbers={tile["title"]: tile["number"] for tile in tiles if tile["number"]},
            rows=[row.locator("td").all_inner_texts() for row in self._page.locator("table tbody tr").all()],
            results={name: answer.json()["result"][0] for name, answer in answers.items()},
            requests={
                name: (answer.url.removeprefix(self._running.url), answer.request.post_data_json)
                for name, answer in answers.items()
            },
        )

    def _by_tile(self) -> dict[str, Response]:
        assert self._dashboard
        address = f"{self._running.url}/api/v1/dashboard/{self._dashboard.name}/charts"
        titles = {chart["id"]: chart["slice_name"] for chart in self._page.request.get(address).json()["result"]}
        names = {tile.title: tile.name for tile in self._dashboard.tiles}
        found = {}
        for answer in self._of_tiles():
            form = json.loads(parse_qs(urlparse(answer.url).query)["form_data"][0])
            found[names[titles[form["slice_id"]]]] = answer
        return found

    def _of_tiles(self) -> list[Response]:
        return [answer for answer in self._answers if "slice_id" in answer.url]

    def _titles(self) -> set[str]:
        assert self._dashboard
        return {tile.title for tile in self._dashboard.tiles}

    def _see(self, response: Response) -> None:
        if not response.url.startswith((self._running.url, "data:", "blob:")):
            self._complaints.append(f"request to another host: {response.url}")
        if response.status >= 400:
            self._complaints.append(f"{response.status} {response.url}")
        if response.url.startswith(self._running.url + _DATA):
            self._answers.append(response)


def answers(tile: Tile, result: dict[str, Any]) -> list[Record]:
    """Return what a tile was drawn from as rows of dimensions and measures, sorted."""
    rows: list[Record] = []
    for record in result["data"]:
        if tile.series and tile.time:
            time_column = tile.time.column
            rows += [
                (record[time_column], series, value)
                for series, value in record.items()
                if series != time_column and value is not None
            ]
        else:
            rows.append((*(record[d.column] for d in tile.dimensions), *(record[m.name] for m in tile.measures)))
    return _sorted(rows)


def expected(settings: Settings, dashboard: Dashboard, tile: Tile, result: dict[str, Any]) -> list[Record]:
    """Return what the warehouse says to the reading role for the same period.

    Tables are exact; other charts draw numbers beyond 2^53 rounded to nine digits.
    """
    period = None
    if result["from_dttm"]:
        begin, end = (datetime.fromtimestamp(result[key] / 1000, UTC) for key in ("from_dttm", "to_dttm"))
        period = (begin, end)
    with connect(settings, "bi") as reader:
        rows = reader.execute(tile_sql(dashboard, tile, Selection(period)).encode()).fetchall()
    if tile.series and tile.time:
        rows = [row for row in rows if row[-1] is not None]
    if tile.chart != "table":
        rows = [tuple(map(_drawable, row)) for row in rows]
    return _sorted(rows)


def _drawable(value: Any) -> Any:
    too_large = isinstance(value, int | Decimal) and abs(value) > _LARGEST
    return Decimal(f"{Decimal(value):.8e}") if too_large else value


def _sorted(rows: list[Record]) -> list[Record]:
    return sorted((tuple(map(_plain, row)) for row in rows), key=repr)


def _plain(value: Any) -> Any:
    """Return a value as both JSON and PostgreSQL can have it: whole numbers exactly, instants in milliseconds."""
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, str) and _GROUPED.fullmatch(value):  # a table's column beyond 2^53
        return int(value.replace(",", ""))
    if isinstance(value, str):
        return value.replace("<\u2060", "<")  # the invisible word joiner that keeps a tag from being one
    if isinstance(value, float | Decimal):
        return int(value) if value == int(value) else round(float(value), 6)
    return value
