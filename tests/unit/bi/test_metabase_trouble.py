"""A Metabase that is down, slow, old, new, set up by someone else, or failing half-way."""

import copy
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bi.metabase.client import Metabase
from bi.target import Target
from minidata.errors import PermanentError, TransientError
from tests.fakes.metabase import FakeMetabase
from tests.fakes.metabase_server import serve

from .metabase_world import COLUMNS, EVERYTHING, WAREHOUSE, World


def test_a_server_that_is_down_is_a_transient_error_with_its_address(world: World) -> None:
    with serve(FakeMetabase(COLUMNS)) as gone:
        world.fake.url = gone.url
    for act in (world.plan, lambda: world.apply(patience=0)):
        with pytest.raises(TransientError, match=f"{gone.url} cannot be reached"):
            act()


def test_a_server_that_starts_is_waited_for(world: World) -> None:
    world.fake.starting = 2
    assert set(world.apply().create) == EVERYTHING | {"administrator"}


def test_a_server_that_does_not_get_ready_is_a_transient_error(world: World) -> None:
    world.fake.starting = 100
    with pytest.raises(TransientError, match=r"503.*starting"):
        world.apply(patience=0)
    assert world.fake.writes() == []


def client(answer: httpx.Response | Exception) -> Metabase:
    def handle(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    target = Target("http://metabase.example", "a@example.org", "admin-secret", WAREHOUSE)
    return Metabase(target, httpx.MockTransport(handle))


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (httpx.ReadTimeout("slow"), TransientError, "did not answer GET /api/health within 120 s"),
        (httpx.ConnectError("refused"), TransientError, "cannot be reached"),
        (httpx.RemoteProtocolError("gone"), TransientError, "cannot be reached"),
        (httpx.Response(200, text="<html>"), PermanentError, "is not Metabase"),
        (httpx.Response(200, json={"status": "ok"}), PermanentError, "is not Metabase"),
        (httpx.Response(302, headers={"Location": "/login"}), PermanentError, "with 302"),
        (httpx.Response(404, text="nothing here"), PermanentError, "with 404: nothing here"),
        (httpx.Response(500, text="oops"), PermanentError, "The cause is in its log"),
        (httpx.Response(502), TransientError, "try again"),
        (httpx.Response(409, text="stale"), TransientError, "run the command again"),
    ],
)
def test_answers_become_errors_in_words(answer: Any, error: type[Exception], words: str) -> None:
    with client(answer) as server, pytest.raises(error, match=words):
        server.wait_until_ready(0)


def test_proxies_of_the_environment_are_not_used(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert world.plan().create


def test_a_server_that_someone_else_set_up_is_left_alone(world: World) -> None:
    world.fake.set_up_by("someone@example.org", "theirs")
    for act in (world.plan, world.apply):
        with pytest.raises(PermanentError, match=r"set up by someone else.*Nothing was changed"):
            act()
    assert world.fake.writes() == []


def test_an_administrator_of_theirs_may_be_used(world: World) -> None:
    world.fake.set_up_by("admin@example.org", "admin-secret")
    assert set(world.apply().create) == EVERYTHING


def test_a_user_who_is_no_administrator_is_refused(world: World) -> None:
    world.fake.set_up_by("admin@example.org", "admin-secret")
    world.fake.superuser = False
    with pytest.raises(PermanentError, match="is not an administrator"):
        world.apply()
    assert world.fake.writes() == []


def test_passwords_are_in_no_error_and_no_representation(world: World) -> None:
    world.fake.set_up_by("someone@example.org", "theirs")
    with pytest.raises(PermanentError) as caught:
        world.apply()
    assert "secret" not in f"{caught.value}{world.target!r}"


def test_too_old_a_server_is_refused_by_version(world: World) -> None:
    world.fake.version = "v0.49.3"
    with pytest.raises(PermanentError, match=r"is v0\.49\.3.*v0\.57 or later"):
        world.apply()
    assert world.fake.writes() == []


@pytest.mark.parametrize("version", ["v0.70.1", "v1.66.0", "vLOCAL_DEV"])
def test_a_newer_version_is_tried(world: World, version: str) -> None:
    world.fake.version = version
    assert set(world.apply().create) == EVERYTHING | {"administrator"}


def test_a_key_that_the_server_does_not_take_is_named_in_its_words(world: World) -> None:
    refused = {"errors": {"width": "disallowed key"}}
    world.fake.fail = lambda method, path: (400, refused) if f"{method} {path}".startswith("PUT /api/dashb") else None
    with pytest.raises(PermanentError, match=r"(?s)PUT /api/dashboard/\d+ with 400: .*disallowed key.*Begun until"):
        world.apply()


def test_a_warehouse_that_metabase_cannot_reach_is_reported_in_its_words(world: World) -> None:
    world.fake.reachable = False
    with pytest.raises(PermanentError, match="check the host"):
        world.apply()
    assert not world.fake.cards
    assert not world.fake.dashboards
    world.fake.reachable = True
    assert "dashboard example" in world.apply().create


def test_views_that_metabase_does_not_find_are_named(world: World) -> None:
    world.fake.columns = {name: columns for name, columns in COLUMNS.items() if name != "channel_names"}
    with pytest.raises(TransientError, match=r"has not found mart\.channel_names\.channel"):
        world.apply(patience=0)
    assert not world.fake.cards


def test_new_views_are_read_before_the_cards_that_need_them(world: World) -> None:
    world.fake.sync_polls = 1
    assert "card example/first" in world.apply().create


def test_a_database_of_someone_else_with_our_name_is_left_alone(world: World) -> None:
    world.fake.set_up_by("admin@example.org", "admin-secret")
    theirs = {"id": 5, "name": "Mini Data Platform", "engine": "h2", "details": {}, "description": None}
    world.fake.databases[5] = copy.deepcopy(theirs)
    with pytest.raises(PermanentError, match="which we did not make"):
        world.apply()
    assert world.fake.databases == {5: theirs}
    assert world.fake.writes() == []


def test_permissions_that_someone_changes_meanwhile_are_a_transient_error(world: World) -> None:
    world.fake.fail = lambda method, path: (
        (409, "stale") if path == "/api/permissions/graph" and method == "PUT" else None
    )
    with pytest.raises(TransientError, match=r"Begun until then: .*collection"):
        world.apply()
    world.fake.fail = lambda method, path: None
    world.apply()
    assert world.plan().empty


def failing_at(number: int) -> Any:
    """Fail the n-th request that changes something, and those after it."""
    seen = 0

    def fail(method: str, path: str) -> Any:
        nonlocal seen
        seen += method != "GET"
        return (500, "power cut") if seen > number else None

    return fail


def complete(world: World) -> Iterator[bool]:
    fake = world.fake
    yield world.plan().empty
    yield len(fake.databases) == len(fake.collections) == len(fake.dashboards) == 1
    yield len(fake.cards) == len(world.board()["dashcards"]) == 3
    yield list(fake.groups.values()).count("Mini Data Platform viewers") == 1


@pytest.mark.parametrize("when", ["fail", "lose"])
def test_an_apply_that_is_cut_off_anywhere_is_completed_by_the_next_without_leftovers(world: World, when: str) -> None:
    world.apply()
    requests = len(world.fake.writes())
    for number in range(requests):
        with serve(FakeMetabase(COLUMNS, sync_polls=0)) as fake:
            cut = World(fake, world.dashboards)
            setattr(fake, when, failing_at(number))
            with pytest.raises(PermanentError, match="power cut"):
                cut.apply()
            setattr(fake, when, lambda method, path: None)
            cut.apply()
            assert all(complete(cut)), f"cut off at request {number}"
