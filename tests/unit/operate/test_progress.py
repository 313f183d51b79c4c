"""What is shown while a platform starts or stops."""

import time

import pytest

from operate.cli import progress
from operate.cli.progress import Steps


def test_without_a_terminal_each_step_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Steps() as report:
        report("PostgreSQL", "starting")
        report("PostgreSQL", "creating tables")
        report("PostgreSQL", None)
        report("Relay", "stopping")
        report("Relay", None)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" (")[0] for line in lines] == ["PostgreSQL: ready", "Relay: stopped"]


def test_a_long_silence_is_broken_by_what_is_being_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_QUIET_SECONDS", 0.02)
    said = ""
    with Steps() as report:
        report("Superset", "installing")
        report("Relay", "starting")
        report("Relay", None)
        until = time.monotonic() + 30
        while "installing" not in said:
            assert time.monotonic() < until
            time.sleep(0.01)
            said += capsys.readouterr().err
    assert "Superset: installing ...\n" in said


def test_what_is_said_is_data_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    with Steps() as report:
        report("[red]x[/red]\x1b[1m", "y")
        report("[red]x[/red]\x1b[1m", None)
    assert capsys.readouterr().err.startswith("[red]x[/red]\\x1b[1m: ready (")
