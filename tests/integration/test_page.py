"""The page "Files" of Airflow, with FastAPI's client, on a real PostgreSQL and object store."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import HTTPException
from fastapi.testclient import TestClient

from minidata import ledger
from minidata.settings import PROJECT, load_settings
from operate.page.app import HEADERS, create_app
from operate.page.person import Person, person
from tests.corpus.case import HEADER, good_lines
from tests.integration.conftest import DATASET, Pipeline
from tests.integration.test_fix import EUROPEAN, NINE, TEN
from tests.integration.test_review import BAD, GOOD, ONE_REJECT, arrive, open_keys

OWN = {"sec-fetch-site": "same-origin"}
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}\u202e.csv"


def client(asks: Person | None) -> TestClient:
    def who() -> Person:
        if asks is None:
            raise HTTPException(401, "Not authenticated")
        return asks

    return TestClient(create_app(who), headers=OWN, raise_server_exceptions=False)


@pytest.fixture
def page(pipeline: Pipeline) -> Iterator[TestClient]:
    with client(Person("ann", lambda method, dataset: True)) as found:
        yield found


def file_id(pipeline: Pipeline, key: str) -> int:
    return next(file.file_id for file in pipeline.files() if file.key == key)


def test_every_route_asks_who_it_is_and_lets_nobody_in_by_default(pipeline: Pipeline) -> None:
    app = create_app(lambda: Person("ann", lambda method, dataset: True))
    routes = [(method, route.path) for route in app.routes for method in route.methods]  # type: ignore[attr-defined]
    assert len(routes) >= 8
    arrive(pipeline, "a.csv", BAD)
    strangers = [client(None), client(None)]
    strangers[1].app.dependency_overrides.pop(person)  # type: ignore[attr-defined]  no Airflow at all
    for stranger in strangers:
        for method, path in routes:
            address = re.sub(r"\{file_id\}", str(file_id(pipeline, "a.csv")), path).replace("{action}", "dismiss")
            answer = stranger.request(method, address)
            assert answer.status_code == 401, path
            assert "a.csv" not in answer.text
    assert open_keys(pipeline) == ["a.csv"]


CHANGES = ["fix", "dismiss", "again", "exclude", "include"]


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"},
                                     {"origin": "https://evil.example"}, {"origin": "null"}])  # fmt: skip
def test_a_forged_request_changes_nothing(pipeline: Pipeline, page: TestClient, headers: dict[str, str]) -> None:
    arrive(pipeline, "a.csv", BAD)
    page.headers.pop("sec-fetch-site")
    for action in CHANGES:
        answer = page.post(f"/files/{file_id(pipeline, 'a.csv')}/{action}", data={"why": "x"}, headers=headers)
        assert answer.status_code == 403
    assert page.post("/upload", files={"files": ("b.csv", GOOD)}, headers=headers).status_code == 403
    assert open_keys(pipeline) == ["a.csv"]
    assert pipeline.raw() == []
    own = {"origin": "http://testserver"}  # a browser on an address without TLS names only the origin
    assert page.post(f"/files/{file_id(pipeline, 'a.csv')}/dismiss", data={}, headers=own).status_code == 200


def test_a_reader_changes_nothing_and_sees_only_the_datasets_they_may(pipeline: Pipeline) -> None:
    arrive(pipeline, "a.csv", BAD)
    number = file_id(pipeline, "a.csv")
    with client(Person("eve", lambda method, dataset: method == "GET")) as reader:
        shown = reader.get(f"/files/{number}")
        assert "a.csv" in reader.get("/").text
        assert '<form class="box"' not in shown.text
        assert [reader.post(f"/files/{number}/{a}", data={"why": "x"}).status_code for a in CHANGES] == [403] * 5
        assert reader.post("/upload", files={"files": ("b.csv", GOOD)}).status_code == 403
    with client(Person("mallory", lambda method, dataset: dataset != DATASET)) as other:
        assert "a.csv" not in other.get("/").text
        assert other.get("/", params={"dataset": DATASET}).text.count("a.csv") == 0
        assert {other.get(f"/files/{number}{rest}").status_code for rest in ("", "/original", "/rejects")} == {404}
    assert open_keys(pipeline) == ["a.csv"]
    assert pipeline.raw() == []


def test_hostile_names_and_cells_are_text(pipeline: Pipeline, page: TestClient) -> None:
    evil = good_lines("x", 1).replace(",10,", ",<img src=x onerror=alert(2)>\u202e,", 1)
    arrive(pipeline, HOSTILE, f"{HEADER}\n{good_lines('ok', 30)}{evil}".encode())
    number = file_id(pipeline, HOSTILE)
    for text in (page.get("/").text, page.get(f"/files/{number}").text):
        assert "<script" not in text
        assert "<img" not in text
        assert "\u202e" not in re.sub(
            '(?s)<textarea.*</textarea>|value="[^"]*"', "", text
        )  # there it is the exact text
        assert "&lt;script&gt;" in text
        assert "49" not in re.sub(r"\d{3,}|:\d\d|-\d\d", "", text.split("<main>")[1].split("<form")[0])
    answer = page.get(f"/files/{number}/original")
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "script-src" not in HEADERS["content-security-policy"]
    assert "default-src 'none'" in HEADERS["content-security-policy"]


@pytest.mark.parametrize(
    ("key", "content", "fields"),
    [
        ("semicolons.csv", EUROPEAN, {"delimiter": ";", "encoding": "windows-1252"}),
        ("renamed.csv", NINE.replace("channel_id", "chanel", 1).encode(), {"rename:channel_id": "chanel"}),
        ("type.txt", NINE.encode(), {"key": "type.csv"}),
        ("cell.csv", TEN, {"cell:2:total_likes": "10", "was:2:total_likes": "ten"}),
        ("quote.csv", NINE.encode() + b'"a,\n', {"text": NINE.replace("\n", "\r\n")}),
        ("twice.csv", NINE.replace("total_likes", "total_views", 1).encode(), {"text": NINE}),
    ],
)  # fmt: skip
def test_a_fix_is_previewed_and_sent(
    pipeline: Pipeline, page: TestClient, key: str, content: bytes, fields: dict[str, str]
) -> None:
    arrive(pipeline, key, content)
    address = f"/files/{file_id(pipeline, key)}/fix"
    dry = page.post(address, data={**fields, "action": "preview"})
    assert "Fixed: accepted" in dry.text
    assert "Send this fix" in dry.text
    assert pipeline.drain() == 0
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', dry.text.split("</section>")[0]))
    assert hidden == {name: value for name, value in fields.items() if name != "text"}
    sent = page.post(address, data={**fields, "action": "send"}, follow_redirects=False)
    assert sent.headers["location"].startswith(f"/files/{file_id(pipeline, key)}?done=sent")
    pipeline.drain()
    assert open_keys(pipeline) == []
    assert pipeline.files()[-1].rows_loaded == len(content.splitlines()) - (1 if key != "quote.csv" else 2)
    assert "A fix was accepted." in page.get(f"/files/{file_id(pipeline, key)}").text


def test_the_form_holds_the_change_that_the_file_seems_to_need(pipeline: Pipeline, page: TestClient) -> None:
    arrive(pipeline, "a.csv", EUROPEAN.replace(b"channel_id", b"chanel_id"))
    text = page.get(f"/files/{file_id(pipeline, 'a.csv')}").text
    assert re.findall(r'<option value="([^"]+)" selected>', text) == ["chanel_id", ";", "windows-1252"]


def test_a_fix_that_does_not_help_is_not_sent(pipeline: Pipeline, page: TestClient) -> None:
    arrive(pipeline, "a.csv", ONE_REJECT)
    address = f"/files/{file_id(pipeline, 'a.csv')}/fix"
    fields = {"cell:2:total_views": "x"}
    dry = page.post(address, data=fields)
    assert "makes it worse" in dry.text
    assert "Send this fix" not in dry.text
    assert "It was not sent: The change makes it worse" in page.post(address, data=fields | {"action": "send"}).text
    assert "has no such column" in page.post(address, data={"cell:999:total_views": "1"}).text
    assert "There is no encoding" in page.post(address, data={"encoding": "klingon"}).text
    assert pipeline.raw() == []


def test_a_rejected_row_is_marked_and_fetched(pipeline: Pipeline, page: TestClient) -> None:
    arrive(pipeline, "a.csv", ONE_REJECT)
    number = file_id(pipeline, "a.csv")
    text = page.get(f"/files/{number}").text
    assert "<mark>ten</mark>" in text
    assert page.get(f"/files/{number}/original").content == ONE_REJECT
    assert page.get(f"/files/{number}/rejects").content.splitlines()[0] == HEADER.encode()
    assert page.get("/files/999999").status_code == 404
    assert page.get("/files/99999999999999999999").status_code == 400


def test_dismiss_replay_exclude_and_include(pipeline: Pipeline, page: TestClient) -> None:
    arrive(pipeline, "bad.csv", BAD)
    arrive(pipeline, "good.csv", GOOD)
    bad, good = file_id(pipeline, "bad.csv"), file_id(pipeline, "good.csv")
    before = pipeline.tables()
    assert "the tables are as if" in page.post(f"/files/{good}/exclude", data={"why": "test <b>"}).text
    assert "by ann: test &lt;b&gt;" in page.get(f"/files/{good}").text
    assert pipeline.table("videos") == []
    assert "so it was not excluded" in page.post(f"/files/{good}/exclude", data={}).text
    page.post(f"/files/{good}/include", data={})
    assert pipeline.tables() == before
    page.post(f"/files/{bad}/again", data={})
    pipeline.drain()
    assert [file.key for file in pipeline.files()] == ["bad.csv", "good.csv", "bad.csv"]
    page.post(f"/files/{bad}/dismiss", data={"why": "a test"})
    assert open_keys(pipeline) == []
    assert "is not open" in page.post(f"/files/{bad}/dismiss", data={"why": "a test"}).text
    pipeline.execute("update mdp.files set state = 'failed' where key = 'good.csv'")
    page.post(f"/files/{good}/again", data={})
    assert pipeline.states()["good.csv"] == "pending"


def test_uploads(pipeline: Pipeline, page: TestClient) -> None:
    files = [("files", ("a.csv", GOOD)), ("files", ("b.csv", BAD))]
    page.post("/upload", data={"folder": "/youtube_stats/"}, files=files)
    pipeline.drain()
    assert pipeline.states() == {"youtube_stats/a.csv": "archived", "youtube_stats/b.csv": "quarantined"}
    page.post("/upload", data={"key": "youtube_stats/b.csv"}, files=[("files", ("other.csv", NINE.encode()))])
    pipeline.drain()
    assert open_keys(pipeline) == []
    assert page.post("/upload", data={"folder": "a//b"}, files=files).status_code == 409
    assert page.post("/upload", data={"folder": "x"}).status_code == 400
    assert pipeline.raw() == []


def test_a_wrong_declaration_hides_no_other_dataset(
    pipeline: Pipeline, page: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(pipeline, "a.csv", BAD)
    datasets = shutil.copytree(PROJECT / "datasets", tmp_path / "datasets")
    (datasets / "wrong").mkdir()
    (datasets / "wrong" / "dataset.yaml").write_text("nonsense: [\n")
    monkeypatch.setenv("MDP_DATASETS_FOLDER", str(datasets))
    load_settings.cache_clear()
    answer = page.get(f"/files/{file_id(pipeline, 'a.csv')}")
    assert answer.status_code == 200
    assert "missing_column" in answer.text


def test_filters_and_pages(pipeline: Pipeline, page: TestClient) -> None:
    pipeline.execute(
        "insert into mdp.files (key, version, size, arrived_at, dataset, state) select 'f/' || n, 'v', 1, "
        "timestamptz '2026-11-20 00:00Z' + n / 3 * interval '1 hour', 'youtube_stats', "
        "(case n % 2 when 0 then 'quarantined' else 'archived' end)::mdp.file_state from generate_series(1, 120) n"
    )
    seen: list[str] = []
    address = "/?"
    while address:
        text = page.get(address).text
        seen += re.findall(r">(f/\d+)</a>", text)
        older = re.search(r'rel="next" href="([^"]*)"', text)
        address = older.group(1).replace("&amp;", "&") if older else ""
    assert seen == [f"f/{n}" for n in range(120, 0, -1)]

    def found(**filters: str) -> int:
        return len(re.findall(r">f/\d+</a>", page.get("/", params=filters).text))

    assert found(state="open", prefix="f/1") == 16
    assert found(state="archived", since="2026-11-21T00:00", until="2026-11-21T01:00") == 1
    assert found(dataset="other") == 0
    assert page.get("/", params={"since": "soon"}).status_code == 400
    assert {page.get("/", params={"after": mark}).status_code for mark in ("x", "2026-11-20~x")} == {200, 400}
    assert ledger.count_open(pipeline.connection)["quarantined"] == 60
