"""What is shown while a platform starts or stops."""

import io
import time

import pytest
from rich.console import Console

from operate.cli import steps
from operate.cli.steps import Steps


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What goes to a pipe."""
    out = io.StringIO()
    monkeypatch.setattr(steps, "errors", Console(file=out, width=10_000))
    return out


def test_each_step_is_a_line_when_it_begins_and_when_it_is_done(said: io.StringIO) -> None:
    with Steps() as report:
        report("PostgreSQL", "starting")
        report("PostgreSQL", None)
        report("Relay", "stopping")
        report("Relay", None)
    lines = said.getvalue().splitlines()
    assert [line.split(" (")[0] for line in lines] == [
        "PostgreSQL: starting ...",
        "PostgreSQL: ready",
        "Relay: stopping ...",
        "Relay: stopped",
    ]


def test_silence_is_broken_by_what_is_waited_for(said: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_QUIET_SECONDS", 0.02)
    monkeypatch.setattr(steps, "_LOOK_SECONDS", 0.01)
    with Steps() as report:
        report("PostgreSQL", "starting")
        report("Relay", "starting")
        report("Relay", None)
        until = time.monotonic() + 30
        while "still waiting" not in said.getvalue():
            assert time.monotonic() < until
            time.sleep(0.01)
    assert "still waiting for PostgreSQL (" in said.getvalue()


def test_the_promised_pace_is_kept_with_room_to_spare() -> None:
    assert steps._QUIET_SECONDS + steps._LOOK_SECONDS < 3


def test_what_is_said_is_data_not_markup(said: io.StringIO) -> None:
    with Steps() as report:
        report("[red]x[/red]", "[bold]y[/bold]")
    assert said.getvalue() == "[red]x[/red]: [bold]y[/bold] ...\n"
