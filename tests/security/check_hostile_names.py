"""Dashboards full of hostile names, as a visitor sees them in Chromium, going from one to the next."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from bi.definition import read_dashboards
from tests.integration.superset_world import Running, chromium
from tests.security.hostile import FOREIGN, NAMES

DASHBOARDS = read_dashboards()
TOOLTIPS = "[class*=echarts-tooltip]"
# What a name would become if it were read as HTML.
ELEMENTS = "img[src*=evil], iframe, svg[onload], [onmouseover], [onerror], a[href^=javascript], .grid-content script"
_TRIES = [(x / 20, y / 10) for x in range(1, 20) for y in (3, 5, 7)]


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    """What the console said, what was refused, and what was asked of anybody else."""
    return []


@pytest.fixture(scope="module")
def page(running: Running, complaints: list[str]) -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 2600})
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("response", lambda answer: complaints.append(answer.url) if answer.status >= 400 else None)
        page.on("request", lambda request: complaints.append(request.url) if FOREIGN in request.url else None)
        yield page


@pytest.mark.parametrize("name", [dashboard.name for dashboard in DASHBOARDS])
def test_a_visitor_goes_from_one_dashboard_to_the_next_and_no_name_is_obeyed(
    running: Running, page: Page, complaints: list[str], name: str
) -> None:
    if not page.url.startswith(running.url):
        page.goto(running.url)
    page.locator(f'a[href="/superset/dashboard/{name}/"]').click()
    tiles = len(next(dashboard for dashboard in DASHBOARDS if dashboard.name == name).tiles)
    expect(page.locator("[data-test=chart-grid-component]")).to_have_count(tiles, timeout=60_000)
    expect(page.locator("[data-test=loading-indicator], .grid-content .loading")).to_have_count(0, timeout=60_000)
    page.wait_for_timeout(2_000)
    shown = "".join(_tooltip(page, canvas) for canvas in page.locator(".grid-content canvas").all())
    assert shown, "no tooltip was drawn"
    assert "pwned" in shown or name != "trending", "no tooltip showed a hostile name"
    assert page.locator(ELEMENTS).count() == 0
    assert not re.search(rf"<(?:img|script|svg|iframe|a)\b[^>]*(?:{FOREIGN}|pwned)", shown)
    assert page.evaluate("window.pwned") is None
    page.go_back()  # the page reports its colours now
    page.wait_for_url(f"{running.url}/")
    assert complaints == []


def _tooltip(page: Page, canvas: Locator) -> str:
    """Return the HTML of the tooltips of a chart, one of which must hold a hostile name if the chart does."""
    box, html = canvas.bounding_box(), ""
    assert box
    for x, y in _TRIES:
        page.mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
        page.wait_for_timeout(30)
        html += "".join(page.locator(TOOLTIPS).evaluate_all("found => found.map(one => one.innerHTML)"))
    return html


def test_names_are_shown_as_they_are_in_tables_and_filters(running: Running, page: Page, complaints: list[str]) -> None:
    page.goto(f"{running.url}/superset/dashboard/trending/")
    cells = page.locator("table tbody td")
    expect(cells.first).to_be_visible(timeout=60_000)
    texts = {text.replace("\u2060", "") for text in cells.all_inner_texts()}
    assert len(texts & set(NAMES)) >= len(NAMES) - 1  # one of them ends at the longest title
    page.get_by_role("combobox").first.click()
    option = page.locator(".ant-select-item-option").filter(has_text="<script>".replace("<", "<\u2060"))
    option.first.click()
    with page.expect_response(lambda answer: "chart/data" in answer.url and answer.status == 200):
        page.get_by_role("button", name="Apply").click()
    page.wait_for_timeout(3_000)
    assert {
        text.replace("\u2060", "") for text in page.locator("table tbody tr td:nth-child(2)").all_inner_texts()
    } == {"<script>window.pwned=1</script>"}
    assert page.evaluate("window.pwned") is None
    assert complaints == []
