"""The page "Files" in a real Airflow, in Chromium: from a hostile upload to its fix, and who gets nothing."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import FrameLocator, Page, expect

from minidata import ledger
from minidata.settings import Settings
from minidata.warehouse.connection import connect
from operate.embedded.airflow.service import environment
from operate.embedded.settings import embedded_settings, read_secrets
from operate.embedded.state import State
from tests.corpus.case import HEADER, good_lines
from tests.integration.superset_world import chromium, mdp
from tests.security.check_airflow import log_in

NAME = "<img src=x onerror=window.pwned=1> '\"{{7*7}}.csv"
KEY = f"youtube_stats/{NAME}".replace('"', "%22")  # as browsers send it
HTML = "<img src=x onerror=window.pwned=2>"
CONTENT = f"{HEADER}\n{good_lines('ok', 30)}{good_lines('bad', 1).replace(',10,', f',{HTML},', 1)}".encode()
LONG = 60_000
TOKEN = """
from airflow.api_fastapi.app import create_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
print("token", create_auth_manager().generate_jwt(SimpleAuthManagerUser(username="eve", role="VIEWER")))
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    folder = tmp_path_factory.mktemp("platform")
    try:
        up = mdp(folder, "up", "--no-bi", "--no-simulator")
        assert up.returncode == 0, up.stdout + up.stderr
        yield State.open(folder)
    finally:
        mdp(folder, "destroy", "--yes")


@pytest.fixture(scope="module")
def settings(state: State) -> Settings:
    return embedded_settings(state)


@pytest.fixture(scope="module")
def url(state: State) -> str:
    return f"http://127.0.0.1:{state.port('airflow')}"


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    return []


@pytest.fixture(scope="module")
def page(state: State, url: str, complaints: list[str]) -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        log_in(page, url, read_secrets(state)["MDP_AIRFLOW_PASSWORD"])
        complaints.clear()  # before the log-in Airflow's page asks who it is
        yield page


def open_files(page: Page, url: str) -> FrameLocator:
    """Open the page by Airflow's menu."""
    page.goto(url)
    page.get_by_role("link", name="Files").click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Files", exact=True)).to_be_visible(timeout=LONG)
    return frame


def open_keys(settings: Settings) -> list[str]:
    with connect(settings, "loader") as connection:
        return [file.key for file in ledger.files_to_review(connection)]


def file_id(settings: Settings) -> int:
    with connect(settings, "loader") as connection:
        return ledger.find_files(connection, key=KEY)[-1].file_id


def test_a_hostile_file_is_uploaded_and_shown_as_text(
    page: Page, url: str, settings: Settings, tmp_path: Path, complaints: list[str]
) -> None:
    frame = open_files(page, url)
    (tmp_path / NAME).write_bytes(CONTENT)
    frame.locator("input[type=file]").set_input_files(tmp_path / NAME)
    frame.get_by_label("Folder").fill("youtube_stats")
    frame.get_by_role("button", name="Upload").click()
    expect(frame.locator(".state.archived")).to_be_visible(timeout=LONG)
    frame.get_by_role("link", name=KEY).click()
    expect(frame.locator(".records mark")).to_have_text(HTML, timeout=LONG)
    with page.expect_download() as download:
        frame.get_by_role("link", name="Download the file").click()
    assert Path(download.value.path()).read_bytes() == CONTENT
    assert [frame.evaluate("window.pwned") for frame in page.frames] == [None] * len(page.frames)
    assert complaints == []
    assert open_keys(settings) == [KEY]


def test_an_anonymous_one_and_a_viewer_change_nothing(state: State, settings: Settings, url: str) -> None:
    number = file_id(settings)
    reads = ["/mdp/", f"/mdp/files/{number}", f"/mdp/files/{number}/original", "/mdp/style.css"]
    changes = [f"/mdp/files/{number}/{name}" for name in ("fix", "dismiss", "again", "exclude")] + ["/mdp/upload"]
    variables = environment(state, settings)
    made = subprocess.run(
        [sys.executable, "-c", TOKEN],
        env=variables | {"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    token = next(line.split()[1] for line in made.stdout.splitlines() if line.startswith("token "))
    for cookies, read, change in (({}, 401, 401), ({variables["MDP_AIRFLOW_COOKIE"]: token}, 200, 403)):
        with httpx.Client(
            base_url=url, trust_env=False, timeout=60, cookies=cookies, headers={"sec-fetch-site": "same-origin"}
        ) as client:
            assert [client.get(path).status_code for path in reads] == [read] * len(reads)
            assert [client.post(path, data={"why": "x"}).status_code for path in changes] == [change] * len(changes)
    assert open_keys(settings) == [KEY]


def test_a_form_of_another_site_is_refused_though_the_browser_sends_the_cookie(
    page: Page, settings: Settings, url: str
) -> None:
    page.goto("about:blank")
    form = f"<form method=post action='{url}/mdp/files/{file_id(settings)}/dismiss'><button>Send</button></form>"
    page.set_content(form)
    with page.expect_response("**/dismiss") as answer:
        page.get_by_role("button").click(no_wait_after=True)
    assert answer.value.status == 403
    assert open_keys(settings) == [KEY]


def test_a_cell_is_fixed_with_the_keyboard_alone(page: Page, settings: Settings, url: str) -> None:
    frame = open_files(page, url)
    frame.get_by_role("link", name=KEY).focus()
    page.keyboard.press("Enter")
    cell = frame.locator("input[id^='cell:']")
    expect(cell).to_have_value(HTML, timeout=LONG)
    cell.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("10")
    page.keyboard.press("Enter")
    send = frame.get_by_role("button", name="Send this fix")
    expect(send).to_be_visible(timeout=LONG)
    send.focus()
    page.keyboard.press("Enter")
    expect(frame.get_by_text("A fix was accepted.")).to_be_visible(timeout=LONG)
    assert open_keys(settings) == []
