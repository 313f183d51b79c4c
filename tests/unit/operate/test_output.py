"""What is printed: as wide as the terminal, words whole, and data that stays data."""

import csv
import io
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import pytest

from operate.cli import output
from operate.cli.output import print_csv, print_table, safe, say

KEY = "mine/2026-01-01/000215-00000008-of-a-long-name.csv"
COLUMNS = ["key", "state", "what to do"]
ROWS = [[KEY, "quarantined", "Save the file as UTF-8 and upload it again under any name that you like. " * 2]]


class Terminal(io.StringIO):
    """Standard output that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Terminals have 80 columns and no colours."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


def on_terminal(write: Callable[..., None], *arguments: Any, **named: Any) -> str:
    """Return what a terminal gets."""
    with redirect_stdout(Terminal()) as screen:
        write(*arguments, **named)
    return screen.getvalue()


def test_a_table_that_fits_is_a_table() -> None:
    shown = on_terminal(print_table, ["key", "rows"], [["a.csv", 5], ["b.csv", 12_345]], numbers=("rows",))
    assert shown == "key     rows\na.csv      5\nb.csv  12345\n"


def test_at_80_columns_no_word_is_broken() -> None:
    lines = on_terminal(print_table, COLUMNS, ROWS).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == KEY
    assert lines[1] == "  state: quarantined"
    labels = ["state:", "what", "to", "do:"]
    assert sorted(" ".join(lines).split()) == sorted([*" ".join(ROWS[0]).split(), *labels])


def test_a_word_longer_than_the_line_stays_whole() -> None:
    assert on_terminal(say, f"The original: {'x' * 100} is kept.").splitlines() == [
        "The original:",
        "x" * 100,
        "is kept.",
    ]


def test_a_pipe_gets_long_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, ROWS)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_wide_characters_keep_columns_straight() -> None:
    shown = on_terminal(print_table, ["name", "n"], [["日本", 1], ["ab", 2]])
    assert shown.splitlines()[1:] == ["日本  1", "ab    2"]


def test_a_key_with_a_line_end_forges_no_row(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["key", "state"], [["a.csv\nforged.csv  archived", "failed"]])
    assert capsys.readouterr().out.splitlines()[1:] == ["a.csv\\nforged.csv  archived  failed"]


@pytest.mark.parametrize("text", ["a\x1b[31mb", "a\u202eb", "a\x9bb", "a\rb", "a\nb", "a\u2028b"])
def test_what_controls_a_terminal_is_escaped(text: str) -> None:
    assert safe(text).isprintable()
    assert safe(text) != text


def test_csv_is_exact_in_a_file_and_harmless_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [["\x1b]0;title\x07", 1, ["a", 'b"'], None], ["two\nlines", 2, [], ""]]
    print_csv(["text", "n", "list", "empty"], rows)
    written = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert written[1:] == [["\x1b]0;title\x07", "1", '["a", "b\\""]', ""], ["two\nlines", "2", "[]", ""]]
    shown = on_terminal(print_csv, ["text"], rows[:1])
    assert "\x1b" not in shown
    assert "\\x1b]0;title\\x07" in shown


def test_hints_repeat_the_state(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(output.Hints, "option", " --state /tmp/x")
    say("`./mdp up` starts it.")
    assert capsys.readouterr().out == "`./mdp --state /tmp/x up` starts it.\n"
