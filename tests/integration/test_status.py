"""What `status` says of the pipeline, from the ledger and the sessions of a real server."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from minidata.errors import TransientError
from minidata.events.relay import Inbox
from minidata.settings import Settings
from minidata.warehouse.connection import connect, conninfo
from operate.embedded.status import services_status, status_elsewhere
from tests.corpus.case import HEADER, good_lines
from tests.integration.conftest import Pipeline

GOOD = f"{HEADER}\n{good_lines('one', 5)}".encode()


@pytest.fixture
def trigger(pipeline: Pipeline) -> Iterator[None]:
    with connect(pipeline.settings, "loader") as connection:
        connection.execute("set application_name = 'mdp_trigger'")
        yield


def codes(settings: Settings) -> list[str]:
    return [problem["code"] for problem in status_elsewhere(settings)["problems"]]


def test_a_row_from_tomorrow_makes_nothing_fresh(pipeline: Pipeline, trigger: None) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=13)).strftime("%Y-%m-%d %H:%M:%S")
    line = good_lines("ahead", 1).strip().rsplit(",", 1)[0]
    pipeline.put("ahead.csv", f"{HEADER}\n{line},{ahead}\n".encode())
    pipeline.drain()
    assert pipeline.states() == {"ahead.csv": "archived"}
    pipeline.execute("update mdp.files set arrived_at = arrived_at - interval '1 hour'")
    settings = pipeline.settings.model_copy(update={"stale_seconds": 3000.0})
    found = status_elsewhere(settings)
    assert 3600 <= found["pipeline"]["newest_row_age_seconds"] < 3700
    assert [problem["code"] for problem in found["problems"]] == ["stale"]
    assert not found["healthy"]


def test_files_that_wait_while_nothing_is_loaded_are_a_problem(pipeline: Pipeline, trigger: None) -> None:
    soon = pipeline.settings.model_copy(update={"wait_seconds": 0.001})
    assert codes(soon) == []  # nothing waits
    pipeline.put("waits.csv", GOOD)
    pipeline.look()
    pipeline.execute("update mdp.files set arrived_at = arrived_at - interval '1 minute'")
    assert codes(pipeline.settings) == []
    assert codes(soon) == ["not_loading"]
    assert pipeline.claim() is not None
    assert codes(soon) == []  # a worker holds a batch, as with one large file
    pipeline.execute("update mdp.batches set lease_until = clock_timestamp() - interval '1 second'")
    assert codes(soon) == ["not_loading"]


def test_a_failed_file_is_unhealthy_and_one_in_quarantine_a_problem(pipeline: Pipeline, trigger: None) -> None:
    pipeline.put("bad.csv", b"a,b\n1,2\n")
    pipeline.drain()
    found = status_elsewhere(pipeline.settings)
    assert [problem["code"] for problem in found["problems"]] == ["files_quarantined"]
    assert found["healthy"]
    pipeline.put("good.csv", GOOD)
    pipeline.look()
    pipeline.execute("update mdp.files set state = 'failed' where key = 'good.csv'")
    found = status_elsewhere(pipeline.settings)
    assert {problem["code"] for problem in found["problems"]} == {"files_failed", "files_quarantined"}
    assert not found["healthy"]


def test_a_trigger_that_is_silent_or_gone_is_a_problem(pipeline: Pipeline) -> None:
    assert codes(pipeline.settings) == ["trigger_missing"]
    impatient = pipeline.settings.model_copy(update={"wake_seconds": -30.0})
    with connect(pipeline.settings, "loader") as trigger:
        trigger.execute("set application_name = 'mdp_trigger'")
        assert codes(impatient) == ["trigger_silent"]


def test_a_relay_shows_that_it_is_alive_without_an_event(pipeline: Pipeline) -> None:
    inbox = Inbox(conninfo(pipeline.settings, "loader"))
    inbox.write([])
    query = "select max(state_change) from pg_stat_activity where application_name = 'mdp_relay'"
    (first,) = pipeline.execute(query)
    inbox.write([])
    (second,) = pipeline.execute(query)
    inbox.close()
    assert second > first


def test_a_server_without_free_connections_says_so_and_no_count(pipeline: Pipeline, servers) -> None:
    with ExitStack() as stack:
        for _ in range(200):
            try:
                stack.enter_context(connect(pipeline.settings, "loader"))
            except TransientError:
                break
        found = services_status(servers)
    assert found["pipeline"]["files"] is None
    assert not found["healthy"]
    (full,) = [problem for problem in found["problems"] if problem["code"] == "connections_low"]
    assert "no free connection" in full["message"]
    assert "mdp_loader" in full["message"]
