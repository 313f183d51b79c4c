"""The guard in front of Airflow's page, with a stand-in behind it that answers as Airflow's does."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from operate.embedded.airflow.guard import Guard

OWN = "mdp_airflow_1"
URL = "http://127.0.0.1:8080"
Ask = Callable[..., httpx.Response]


async def airflow(scope: Any, receive: Any, send: Any) -> None:
    """Say which token arrived; refuse a log-in; renew or clear the token as Airflow does."""
    cookie = dict(scope["headers"]).get(b"cookie", b"")
    headers = [(b"x-frame-options", b"ALLOW")]
    if scope["path"] == "/logout":
        headers.append((b"set-cookie", b'_token=""; HttpOnly; Max-Age=0; Path=/; SameSite=lax'))
    status = 401 if scope["path"].startswith("/auth/token") else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": cookie})


@pytest.fixture
def ask() -> Ask:
    guard = Guard(airflow, OWN)

    def request(path: str = "/", method: str = "GET", **headers: str) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url=URL) as client:
                return await client.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})

        return asyncio.run(send())

    return request


def cookies(answer: httpx.Response) -> list[str]:
    return answer.headers.get_list("set-cookie")


def test_the_token_of_the_log_in_page_is_taken_out_of_reach_of_scripts(ask: Ask) -> None:
    answer = ask(cookie="_token=abc; theme=dark")
    assert answer.text == "_token=abc; theme=dark"
    assert cookies(answer) == [f"{OWN}=abc; Path=/; HttpOnly; SameSite=Lax", "_token=; Path=/; Max-Age=0"]


def test_the_token_of_another_airflow_of_this_machine_changes_nothing(ask: Ask) -> None:
    answer = ask(cookie=f"_token=foreign; {OWN}=abc")
    assert answer.text == "_token=abc"
    assert cookies(answer) == []


def test_a_log_out_ends_our_token_and_no_other(ask: Ask) -> None:
    assert cookies(ask("/logout", cookie=f"{OWN}=abc")) == [f'{OWN}=""; HttpOnly; Max-Age=0; Path=/; SameSite=lax']
    assert len(cookies(ask("/logout", cookie="_token=abc"))) == 1


def test_no_other_site_may_show_the_page_in_a_frame(ask: Ask) -> None:
    answer = ask()
    assert answer.headers.get_list("x-frame-options") == ["DENY"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8080", "", "evil.example:8080"])
def test_another_host_is_refused(ask: Ask, host: str) -> None:
    assert ask(host=host).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://127.0.0.1:1"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_another_site_sends_nothing_with_the_log_in_of_its_reader(ask: Ask, headers: dict[str, str]) -> None:
    assert ask("/api/v2/dags", "POST", **headers).status_code == 403
    assert ask("/api/v2/dags", "POST", **headers, sec_fetch_mode="navigate").status_code == 403
    assert ask("/api/v2/dags", **headers).status_code == 403


def test_the_page_itself_a_script_and_a_link_are_let_in(ask: Ask) -> None:
    assert ask("/api/v2/dags", "POST", origin=URL, sec_fetch_site="same-origin").status_code == 200
    assert ask("/api/v2/dags", "POST").status_code == 200
    assert ask("/", sec_fetch_site="cross-site", sec_fetch_mode="navigate").status_code == 200


def test_failed_log_ins_are_slowed_down(ask: Ask) -> None:
    codes = [ask("/auth/token/cli", "POST").status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]
    assert ask("/auth/token", "POST").status_code == 429
    assert ask().status_code == 200
