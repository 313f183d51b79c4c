"""Airflow's page in Chromium: its log-in, what scripts see of it, and what other sites can do with it."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from operate.embedded.settings import read_secrets
from tests.integration.superset_world import Running, chromium


@pytest.fixture(scope="module")
def url(running: Running) -> str:
    return f"http://127.0.0.1:{running.state.port('airflow')}"


@pytest.fixture
def context() -> Iterator[BrowserContext]:
    with chromium() as browser:
        yield browser.new_context()


def log_in(page: Page, url: str, password: str) -> None:
    page.goto(url)
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill(password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible(timeout=60_000)


def test_the_token_is_out_of_reach_of_scripts_and_of_other_platforms(
    running: Running, context: BrowserContext, url: str
) -> None:
    page, complaints = context.new_page(), []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    log_in(page, url, read_secrets(running.state)["MDP_AIRFLOW_PASSWORD"])
    page.goto(f"{url}/dags")
    expect(page.get_by_text("youtube_stats").first).to_be_visible(timeout=60_000)
    assert "token" not in page.evaluate("document.cookie")
    [token] = [cookie for cookie in context.cookies() if "airflow" in cookie.get("name", "")]
    assert token.get("httpOnly")
    assert token.get("sameSite") == "Lax"
    assert "_token" not in {cookie.get("name") for cookie in context.cookies()}
    assert [complaint for complaint in complaints if "Content Security Policy" in complaint] == []
    page.goto(f"{url}/api/v2/auth/logout")
    page.goto(f"{url}/dags")
    expect(page.locator("input[name=password]")).to_be_visible(timeout=60_000)


def test_other_hosts_and_sites_get_nothing(url: str) -> None:
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
        assert client.post("/auth/token", json={}, headers={"Origin": "http://127.0.0.1:1"}).status_code == 403
        assert client.get("/api/v2/dags").status_code == 401
        page = client.get("/", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})
        assert page.status_code in {200, 307}
        assert page.headers["x-frame-options"] == "DENY"


def test_failed_log_ins_are_slowed_down(url: str) -> None:
    """The last one: it closes the door for a minute."""
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        guess = {"username": "admin", "password": "guess"}
        codes = [client.post("/auth/token", json=guess).status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]
