"""Takes docs/pictures/{trending,channels,engagement,health}.png of a running platform: `./mdp dev pictures`.

It needs Chromium on the PATH, and a platform whose simulator has run for some minutes. Of each dashboard it tells how
long the page took, by Chromium's own clock, until its first chart and until all its tiles were drawn.
"""

# ruff: noqa: INP001, T201  a script, not a package; it prints for its user

import shutil
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

NAMES = ("trending", "channels", "engagement", "health")
WIDTH = 1440
SECONDS = 120
# Chromium notes the time, since the page was asked for, at which a tile first shows what it asked the warehouse for.
WATCH = """
window.drawn = {};
new MutationObserver(() => {
    for (const tile of document.querySelectorAll('[data-test="chart-grid-component"]'))
        if (tile.querySelector('canvas, .header-line, table tbody tr, .ant-empty'))
            window.drawn[tile.getAttribute('data-test-chart-name')] ??= performance.now() / 1000;
}).observe(document, {childList: true, subtree: true});
"""
COUNT = "document.querySelectorAll('[data-test=\"chart-grid-component\"]').length"


def wait_until_drawn(page: Page) -> dict[str, float]:
    """Return the second at which each tile was drawn."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        drawn: dict[str, float] = page.evaluate("window.drawn")
        if drawn and len(drawn) == page.evaluate(COUNT):
            return drawn
        page.wait_for_timeout(50)
    sys.exit(f"After {SECONDS} s {page.url} is not drawn. See `./mdp logs superset`.")


def main(address: str, folder: Path) -> None:
    """Open every dashboard as a visitor, and keep a picture of it."""
    program = shutil.which("chromium")
    if program is None:
        sys.exit("Pictures are taken with Chromium, which is not on the PATH: apt-get install chromium fonts-noto-core")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for name in NAMES:
            page = browser.new_page(viewport={"width": WIDTH, "height": 2400})
            page.add_init_script(WATCH)
            page.goto(f"{address}/superset/dashboard/{name}/")
            drawn = wait_until_drawn(page)
            grid = page.locator(".grid-content").bounding_box()
            if grid is None:
                sys.exit(f"{page.url} has no tiles. `./mdp dashboards check` tells what is missing.")
            page.set_viewport_size({"width": WIDTH, "height": int(grid["y"] + grid["height"]) + 20})
            page.wait_for_timeout(2000)  # charts grow into their place
            page.screenshot(path=str(folder / f"{name}.png"))
            first, last = min(drawn.values()), max(drawn.values())
            print(f"{name}: first chart after {first:.1f} s, all {len(drawn)} tiles after {last:.1f} s")
            page.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent)
