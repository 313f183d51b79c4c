"""`mdp dashboards` as a person or a script runs it, against a Metabase that takes nothing it does not know."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from minidata.errors import NotRunningError, PermanentError, TransientError
from minidata.settings import load_settings
from minidata.warehouse.views import read_views
from operate.cli import dashboards  # noqa: F401  registers the commands
from operate.cli.app import app
from operate.embedded.state import State
from tests.fakes.metabase import FakeMetabase
from tests.fakes.metabase_server import serve

COLUMNS = {name: list(view.columns) for name, view in read_views().items()}
EXAMPLE = """
name: example
title: An example
question: Which channel is the largest?
refresh_seconds: 60
rows:
  - height: 8
    tiles:
      - name: league
        title: League
        means: Every channel.
        view: channel_now
        chart: table
        dimensions: [channel]
        measures: [{name: Subscribers, how: max, of: channel_subscribers}]
        limit: 10
        width: 12
"""


@pytest.fixture
def fake() -> Iterator[FakeMetabase]:
    with serve(FakeMetabase(COLUMNS, sync_polls=0)) as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where one definition lies; no setting is made yet."""
    for name in ("MDP_METABASE_URL", "MDP_METABASE_EMAIL", "MDP_METABASE_PASSWORD", "MDP_BI_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    load_settings.cache_clear()
    definitions = tmp_path / "definitions"
    definitions.mkdir()
    (definitions / "example.yaml").write_text(EXAMPLE, encoding="utf-8")
    yield definitions
    load_settings.cache_clear()


@pytest.fixture
def metabase(fake: FakeMetabase, folder: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMetabase:
    """A fresh Metabase that the settings name."""
    monkeypatch.setenv("MDP_METABASE_URL", fake.url)
    monkeypatch.setenv("MDP_METABASE_PASSWORD", "admin-secret")
    monkeypatch.setenv("MDP_BI_PASSWORD", "bi-secret")
    return fake


def run(folder: Path, *arguments: str) -> Result:
    state = folder.with_name("state")
    return CliRunner().invoke(app, ["--state", str(state), "dashboards", *arguments, "--from", str(folder)])


def lists(result: Result) -> dict[str, list[str]]:
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def test_plan_apply_and_plan_again(metabase: FakeMetabase, folder: Path) -> None:
    first = lists(run(folder, "plan", "--json"))
    assert "card example/league" in first["create"]
    assert lists(run(folder, "apply", "--json"))["create"] == first["create"]
    again = lists(run(folder, "plan", "--json"))
    assert sorted(again["unchanged"]) == sorted(set(first["create"]) - {"administrator"})
    assert not again["create"] + again["update"] + again["delete"]


def test_apply_says_where_the_dashboards_are(metabase: FakeMetabase, folder: Path) -> None:
    said = run(folder, "apply").output
    assert f"example: {metabase.url}/dashboard/" in said


def test_check_is_0_when_all_is_as_defined_and_1_when_not(metabase: FakeMetabase, folder: Path) -> None:
    before = run(folder, "check")
    assert isinstance(before.exception, PermanentError)
    assert "mdp dashboards apply" in str(before.exception)
    run(folder, "apply")
    assert run(folder, "check").exit_code == 0
    (card,) = metabase.cards.values()
    card["display"] = "bar"
    after = run(folder, "check")
    assert isinstance(after.exception, PermanentError)
    assert "card example/league  (was changed by hand)" in after.output


def test_check_without_a_platform_looks_at_the_definitions(folder: Path) -> None:
    fine = run(folder, "check")
    assert (fine.exit_code, "1 definition valid." in fine.output) == (0, True)
    (folder / "example.yaml").write_text(EXAMPLE.replace("of: channel_subscribers", "of: subscribers"))
    wrong = run(folder, "check")
    assert isinstance(wrong.exception, PermanentError)
    assert f"{folder}/example.yaml:15: " in str(wrong.exception)


@pytest.mark.parametrize("command", ["plan", "apply", "check"])
def test_a_wrong_definition_is_named_before_anything_is_asked(
    metabase: FakeMetabase, folder: Path, command: str
) -> None:
    (folder / "example.yaml").write_text(EXAMPLE.replace("chart: table", "chart: cake"))
    result = run(folder, command)
    assert isinstance(result.exception, PermanentError)
    assert "example.yaml:13: " in str(result.exception)
    assert metabase.requests == []


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_without_any_tool_both_ways_to_one_are_named(folder: Path, command: str) -> None:
    error = run(folder, command).exception
    assert isinstance(error, NotRunningError)
    assert "./mdp up" in str(error)
    assert "MDP_METABASE_URL" in str(error)


def test_superset_without_a_platform_is_not_running(folder: Path) -> None:
    assert isinstance(run(folder, "check", "--target", "superset").exception, NotRunningError)


def test_a_platform_that_is_stopped_is_not_running(metabase: FakeMetabase, folder: Path) -> None:
    state = State.open(folder.with_name("state"))
    state.remember(services=["superset"], ports={"superset": 1, "postgres": 2, "s3": 3})
    assert isinstance(run(folder, "plan").exception, NotRunningError)


def test_a_missing_setting_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "MDP_METABASE_URL is not set" in str(run(folder, "plan", "--target", "metabase").exception)
    monkeypatch.setenv("MDP_METABASE_URL", "http://127.0.0.1:1")
    load_settings.cache_clear()
    assert "MDP_METABASE_PASSWORD is not set" in str(run(folder, "plan").exception)
    monkeypatch.setenv("MDP_METABASE_URL", "metabase:3000")
    load_settings.cache_clear()
    assert "MDP_METABASE_URL" in str(run(folder, "plan").exception)


def test_a_server_that_is_away_is_an_error_in_words(
    metabase: FakeMetabase, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MDP_METABASE_URL", "http://127.0.0.1:1")
    result = run(folder, "check")
    assert isinstance(result.exception, TransientError)
    assert "Check that it is running" in str(result.exception)
