"""The website of the documentation: it builds with no broken link, asks no other host, and search works offline."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from minidata.settings import PROJECT


@pytest.fixture(scope="module")
def site() -> str:
    subprocess.run([sys.executable, "-m", "operate.cli", "dev", "site"], cwd=PROJECT, check=True)
    return (PROJECT / "site").as_uri()


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser.new_page()


def test_the_site_is_searched_from_a_folder_and_asks_no_other_host(site: str, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site}/index.html")
    page.keyboard.press("/")
    page.keyboard.type("rejected share")
    page.get_by_text(re.compile(r"^[1-9]\d* results?$")).wait_for(timeout=30_000)
    page.goto(f"{site}/docs/commands.html")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
