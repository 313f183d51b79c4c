"""Superset attacked without a log-in, from another site's page, and with what is left of a session."""

import json
import re
import socket
from typing import Any

import httpx
import pytest

from bi.superset.server import Superset
from tests.integration.superset_world import Running

DATA = "/api/v1/chart/data"
EVIL = "ts_stat('select title from mart.videos')"
SQL = {"expressionType": "SQL", "label": "x", "sqlExpression": EVIL}
OTHER = "http://127.0.0.1:1"  # a server on another port of this machine is another site


@pytest.fixture(scope="package")
def asked(running: Running) -> dict[str, Any]:
    """What a page asks for the first number of a dashboard."""
    with httpx.Client(base_url=running.url, trust_env=False, timeout=120) as client:
        board = client.get("/api/v1/dashboard/trending").json()["result"]
        charts = client.get("/api/v1/dashboard/trending/charts").json()["result"]
    form = next(chart["form_data"] for chart in charts if chart["form_data"]["viz_type"] == "big_number_total")
    query = {
        "columns": [], "metrics": [form["metric"]], "row_limit": 50_000, "extras": {"where": "", "having": ""},
        "filters": [{"col": f["subject"], "op": f["operator"], "val": f["comparator"]} for f in form["adhoc_filters"]],
    }  # fmt: skip
    return {
        "datasource": {"id": int(form["datasource"].split("__")[0]), "type": "table"},
        "queries": [query],
        "form_data": {"slice_id": form["slice_id"], "dashboardId": board["id"]},
        "result_format": "json",
        "result_type": "full",
    }


def changed(asked: dict[str, Any], **query: Any) -> dict[str, Any]:
    return asked | {"queries": [asked["queries"][0] | query]}


def refused(answer: httpx.Response) -> int | str:
    """The status of an answer, or the page that it leads to."""
    return answer.headers["location"].partition("?")[0] if answer.status_code == 302 else answer.status_code


def test_a_visitor_gets_what_a_chart_shows(visitor: httpx.Client, asked: dict[str, Any]) -> None:
    answer = visitor.post(DATA, json=asked)
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"][0]["rowcount"] == 1


@pytest.mark.parametrize(
    "query",
    [
        {"columns": [SQL]},
        {"metrics": [SQL | {"sqlExpression": "pg_sleep(10)"}]},
        {"orderby": [[SQL, True]]},
        {"extras": {"where": f"1 = (select 1 from {EVIL})"}},
        {"extras": {"where": "{% for i in range(10**9) %}{% endfor %}"}},
        {"columns": ["title"]},
        {"post_processing": [{"operation": "resample", "options": {"rule": "1N", "method": "asfreq"}}]},
    ],
    ids=str,
)
def test_a_visitor_asks_nothing_else(visitor: httpx.Client, asked: dict[str, Any], query: dict[str, Any]) -> None:
    answer = visitor.post(DATA, json=changed(asked, **query))
    assert answer.status_code == 403
    assert "Without a log-in" in answer.json()["message"]
    assert answer.elapsed.total_seconds() < 5


@pytest.mark.parametrize(
    "form",
    [
        {"slice_id": 10**6, "dashboardId": 1},
        {"slice_id": 1, "dashboardId": 10**6},
        {"type": "NATIVE_FILTER", "native_filter_id": "none", "dashboardId": 1},
    ],
    ids=str,
)
def test_a_chart_that_no_dashboard_has_is_refused(
    visitor: httpx.Client, asked: dict[str, Any], form: dict[str, Any]
) -> None:
    assert visitor.post(DATA, json=asked | {"form_data": form}).status_code == 403


@pytest.mark.parametrize("form", [None, [], {}, {"dashboardId": "x"}, {"dashboardId": None}])
def test_a_request_that_names_nothing_is_an_error_of_its_sender(
    visitor: httpx.Client, asked: dict[str, Any], form: Any
) -> None:
    assert visitor.post(DATA, json=asked | {"form_data": form}).status_code == 400


def test_a_dashboard_that_is_not_published_answers_nothing(
    running: Running, visitor: httpx.Client, asked: dict[str, Any]
) -> None:
    path = f"/api/v1/dashboard/{asked['form_data']['dashboardId']}"
    with Superset(running.target) as admin:
        admin.ask("PUT", path, json={"published": False})
        try:
            assert visitor.post(DATA, json=asked).status_code == 403
        finally:
            admin.ask("PUT", path, json={"published": True})
    assert visitor.post(DATA, json=asked).status_code == 200


def test_a_form_of_another_page_asks_nothing(visitor: httpx.Client, asked: dict[str, Any]) -> None:
    form = {"form_data": json.dumps(asked)}
    assert visitor.post(DATA, data=form).status_code == 415
    assert visitor.post(DATA, content=json.dumps(asked), headers={"Content-Type": "text/plain"}).status_code == 415
    assert visitor.post(DATA, data=form, headers={"Origin": OTHER}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{"Origin": OTHER}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
    ids=str,
)
def test_another_site_asks_nothing_even_with_the_log_in_of_its_reader(
    running: Running, visitor: httpx.Client, asked: dict[str, Any], headers: dict[str, str]
) -> None:
    assert visitor.post(DATA, json=asked, headers=headers).status_code == 403
    assert visitor.get("/api/v1/dashboard/trending", headers=headers).status_code == 403
    with Superset(running.target) as admin:
        assert admin._http.post(DATA, json=asked, headers=headers).status_code == 403
        assert admin._http.get("/api/v1/database/", headers=headers).status_code == 403


@pytest.mark.parametrize("size", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("path", [DATA, "/login/", "/api/v1/security/login", "/superset/log/"])
def test_a_large_request_is_refused_before_it_is_read(running: Running, path: str, size: str) -> None:
    host = running.url.removeprefix("http://")
    with socket.create_connection(("127.0.0.1", int(host.split(":")[1])), timeout=30) as connection:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary=x\r\n{size}\r\n\r\n"
        )
        connection.sendall(head.encode())  # and nothing of the body
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_a_link_from_another_site_leads_to_a_dashboard(visitor: httpx.Client) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert visitor.get("/superset/dashboard/trending/", headers=headers).status_code == 200


CLOSED = [
    "/api/v1/chart/1/data/", "/api/v1/chart/data/x", "/api/v1/chart/",
    "/api/v1/chart/1/cache_screenshot/", "/api/v1/datasource/table/1/column/channel/values/",
    "/api/v1/dataset/1", "/api/v1/dashboard/1/filter_state/x",
    "/api/v1/dataset/distinct/schema", "/datasource/get/table/1/", "/api/v1/explore/",
    "/superset/explore_json/", "/explore/", "/sqllab/", "/api/v1/sqllab/",
    "/api/v1/annotation_layer/", "/api/v1/database/", "/api/v1/assets/export/",
    "/api/v1/security/users/", "/api/v1/dashboard/", "/swagger/v1", "/version",
    "/api/v1/_openapi", "/superset/slice/1/", "/api/v1/menu/",
]  # fmt: skip


@pytest.mark.parametrize("path", CLOSED)
def test_nothing_else_is_open(visitor: httpx.Client, path: str) -> None:
    assert refused(visitor.get(path)) in {401, 404, "/login/"}


@pytest.mark.parametrize(
    "path",
    ["/superset/explore_json/", "/api/v1/sqllab/execute/", "/datasource/samples",
     "/api/v1/chart/", "/api/v1/dashboard/1/filter_state", "/api/v1/dashboard/1/permalink", "/api/v1/assets/import/"],
)  # fmt: skip
def test_nothing_else_takes_a_request(visitor: httpx.Client, path: str) -> None:
    assert refused(visitor.post(path, json={})) in {400, 401, "/login/"}
    assert refused(visitor.post(path, data={"form_data": "{}"})) in {400, 401, "/login/"}


def test_a_visitor_warms_no_cache(visitor: httpx.Client) -> None:
    assert visitor.put("/api/v1/chart/warm_up_cache", json={"chart_id": 1}).status_code in {400, 401}


def test_a_language_that_is_not_offered_is_not_found(visitor: httpx.Client) -> None:
    assert visitor.get("/lang/de").status_code == 404


def test_no_other_site_may_show_it_in_a_frame_or_answer_for_it(visitor: httpx.Client) -> None:
    page = visitor.get("/superset/dashboard/trending/")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert visitor.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_a_token_is_a_log_in_and_a_forged_one_is_none(running: Running, visitor: httpx.Client) -> None:
    who = {"username": running.target.user, "password": running.target.password, "provider": "db"}
    token = visitor.post("/api/v1/security/login", json=who).json()["access_token"]
    assert visitor.get("/api/v1/database/", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    for bad in ("x", token[:-4] + "AAAA"):
        assert visitor.get("/api/v1/database/", headers={"Authorization": f"Bearer {bad}"}).status_code == 401


def test_a_cookie_is_worth_nothing_after_the_log_out(running: Running, visitor: httpx.Client) -> None:
    with Superset(running.target) as admin, Superset(running.target) as elsewhere:
        kept = {"Cookie": "; ".join(f"{name}={value}" for name, value in admin._http.cookies.items())}
        assert visitor.get("/api/v1/database/", headers=kept).status_code == 200
        admin._http.get("/logout/")
        assert visitor.get("/api/v1/database/", headers=kept).status_code == 401
        assert elsewhere._http.get("/api/v1/database/").status_code == 200


def test_an_analyst_may_ask_anything_and_take_it_home(running: Running, asked: dict[str, Any]) -> None:
    with Superset(running.target) as admin:
        column = {"expressionType": "SQL", "label": "x", "sqlExpression": "1 + 1"}
        answer = admin._http.post(DATA, json=changed(asked, columns=[column], metrics=[]))
        assert answer.json()["result"][0]["data"] == [{"x": 2}]
        form = {"form_data": json.dumps(asked | {"result_format": "csv"})}
        export = admin._http.post(DATA, data=form, headers={"Origin": running.url})
        assert export.headers["content-type"].startswith("text/csv"), export.text


def test_failed_log_ins_are_slowed_down(running: Running, visitor: httpx.Client) -> None:
    """Near the end: it closes the door for a minute."""
    token = re.search(r'id="csrf_token"[^>]*?value="([^"]+)"', visitor.get("/login/").text)
    form = {"username": "admin", "password": "guess", "csrf_token": token.group(1) if token else ""}
    codes = [visitor.post("/login/", data=form).status_code for _ in range(11)]
    assert codes[:10] == [302] * 10
    assert codes[10] == 429
    who = {"username": "admin", "password": running.target.password, "provider": "db"}
    assert visitor.post("/api/v1/security/login", json=who).status_code == 429


def test_one_address_asks_so_often_and_no_more(visitor: httpx.Client) -> None:
    """The last one: it closes the door for a minute."""
    codes = [visitor.post(DATA, json={}).status_code for _ in range(1300)]
    assert set(codes) == {400, 429}
    assert visitor.get("/superset/dashboard/trending/").status_code == 200
