"""Commands that need no platform, or only its settings: what they print, hand on, and end with."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict
from typer.testing import CliRunner

from minidata.errors import NotRunningError, PermanentError
from minidata.ledger import FileState
from minidata.settings import PROJECT, load_settings
from minidata.text import require_plain
from operate.cli import output, tables
from operate.cli.app import app, version
from operate.cli.pages import commands

PASSWORD = "p@ss/w:o?r#d%'"
SECRETS = (
    "BI_PASSWORD", "LOADER_PASSWORD", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "GENERATOR_ACCESS_KEY_ID",
    "GENERATOR_SECRET_ACCESS_KEY",
)  # fmt: skip


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The options that mean a folder without a platform, with settings that name one elsewhere."""
    for name in SECRETS:
        monkeypatch.setenv(f"MDP_{name}", PASSWORD)
    load_settings.cache_clear()
    yield ["--state", str(tmp_path)]
    load_settings.cache_clear()


def test_the_address_for_others_holds_any_password(nowhere: list[str]) -> None:
    lines = CliRunner().invoke(app, [*nowhere, "env"]).stdout.splitlines()
    (url,) = (shlex.split(line)[1].partition("=")[2] for line in lines if "MDP_DATABASE_URL" in line)
    found = conninfo_to_dict(url)
    assert (found["user"], found["password"], found["dbname"]) == ("mdp_bi", PASSWORD, "warehouse")


def test_psql_gets_its_password_where_others_cannot_see_it(nowhere: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr("operate.cli.tables.os.execv", lambda program, argv: called.append(argv))
    monkeypatch.setenv("PGPASSWORD", "")
    monkeypatch.setattr("operate.cli.tables.sys.stdin", type("Terminal", (), {"isatty": lambda self: True})())
    tables._psql(load_settings())
    ((_, address),) = called
    assert conninfo_to_dict(address)["user"] == "mdp_bi"
    assert "password" not in conninfo_to_dict(address)
    assert os.environ["PGPASSWORD"] == PASSWORD


def test_logs_of_no_platform_say_how_to_start_one(nowhere: list[str]) -> None:
    result = CliRunner().invoke(app, [*nowhere, "logs"])
    assert isinstance(result.exception, NotRunningError)
    assert "./mdp up" in str(result.exception)


def test_a_benchmark_that_is_none_is_wrong_use(nowhere: list[str]) -> None:
    result = CliRunner().invoke(app, [*nowhere, "dev", "bench", "nosuch"])
    assert result.exit_code == 2
    assert "validation" in result.output


@pytest.mark.parametrize("how", [["--timeout", "5"], ["--strict"]])
@pytest.mark.parametrize(
    "command", [["upload", __file__], ["generate"], ["replay", "--all"], ["quarantine", "replay", "--all"]]
)
def test_how_to_wait_is_wrong_use_without_waiting(nowhere: list[str], command: list[str], how: list[str]) -> None:
    result = CliRunner().invoke(app, [*nowhere, *command, *how])
    assert result.exit_code == 2
    assert "add --wait" in result.output


def ended(body: str) -> tuple[int, str]:
    """Run a command of this body whose reader has gone; return its exit code and what it said."""
    program = (
        "import sys\nfrom operate.cli import run\nfrom operate.cli.app import app\n"
        "from operate.cli.output import print_json, say\n"
        f"@app.command()\ndef talk():\n    {body}\nsys.argv = ['mdp', 'talk']\nsys.exit(run.run())"
    )
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=PROJECT, stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    finally:
        os.close(writer)
    return done.returncode, done.stderr


@pytest.mark.parametrize("body", ["say('a line')", "print_json([1] * 100_000)", "sys.stdout.write('short')"])
def test_a_reader_who_had_enough_is_no_failure(body: str) -> None:
    assert ended(body) == (0, "")


def test_ctrl_c_is_told_and_has_its_own_exit_code() -> None:
    assert ended("raise KeyboardInterrupt") == (130, "Stopped by Ctrl-C.\n")


@pytest.mark.parametrize(
    "key", ["a\\b.csv", "a//b.csv", "/a.csv", "a\x01.csv", "a\ufffe.csv", ".uploads/a.csv", "a.versions/b.csv"]
)
def test_a_name_that_a_store_does_not_keep_is_refused(key: str) -> None:
    with pytest.raises(PermanentError, match="Rename: "):
        require_plain(["good.csv", key])


def test_other_odd_names_are_taken() -> None:
    require_plain(
        ["a b+c%é.csv", "-rf.csv", "a..csv", "uploads/a.csv", "versions/a.csv", "日本/ñ.csv", 'it\'s "q".csv']
    )


PLAIN = {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}


def said(*arguments: str, code: int = 0, text: str | None = None) -> str:
    """Run a command in this process and return what it printed."""
    result = CliRunner().invoke(app, list(arguments), input=text, env=PLAIN)
    assert result.exit_code == code, result.output
    return " ".join(result.output.replace("│", "").split())


@pytest.mark.parametrize(("path", "command"), [pytest.param(*found, id=found[0]) for found in commands()])
def test_every_command_and_group_has_an_example(path: str, command: Any) -> None:
    assert re.search(r"^Example: .*\./mdp ", command.help, re.MULTILINE)
    assert command.help[0].isupper(), path


def test_no_text_of_the_command_is_about_one_dataset() -> None:
    ours = [file for file in (PROJECT / "operate").rglob("*.py") if file.name not in {"generate.py", "live.py"}]
    assert len(ours) > 20
    assert [str(f) for f in ours if re.search("youtube|channel_stats|video", f.read_text(), re.IGNORECASE)] == []


@pytest.mark.parametrize(("alias", "name"), [("start", "up"), ("stop", "down"), ("ps", "status"), ("ls", "files")])
def test_an_alias_is_the_command(alias: str, name: str) -> None:
    assert said(alias, "--help") == said(name, "--help").replace(f"mdp {name} ", f"mdp {alias} ", 1)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("statsu", "status"),
        ("uplaod", "upload"),
        ("rm", "destroy"),
        ("query", "sql"),
        ("strat", "up"),
        ("lod", "upload"),
    ],
)
def test_an_unknown_word_is_answered_with_the_command_that_is_meant(word: str, name: str) -> None:
    assert f"There is no command '{word}'. Did you mean `./mdp {name}`?" in said(word, code=2)


def test_a_word_like_no_command_gets_the_list() -> None:
    assert "`./mdp --help` lists all commands" in said("xyzzy", code=2)


def test_help_and_version_are_commands_too() -> None:
    assert said("help", "quarantine", "ls") == said("quarantine", "ls", "--help")
    assert said("help") == said("--help")
    assert said("version") == said("--version") == f"mdp {version()}"


@pytest.mark.parametrize("place", range(4))
def test_state_is_taken_in_any_position_and_repeated_in_hints(tmp_path: Path, place: int) -> None:
    words = ["files", "show", "x.csv"]
    error = CliRunner().invoke(app, [*words[:place], "--state", str(tmp_path), *words[place:]]).exception
    assert isinstance(error, NotRunningError)
    assert f"There is no platform in {tmp_path}. Start one with `./mdp up`" in str(error)
    assert output.hinted(str(error)).endswith(f"`./mdp --state {tmp_path} up`.")


def test_the_state_of_the_environment_is_not_repeated(tmp_path: Path) -> None:
    CliRunner().invoke(app, ["files"], env={"MDP_STATE": str(tmp_path)})
    assert output.hinted("`./mdp up`") == "`./mdp up`"


def test_a_file_state_given_as_state_names_the_right_option() -> None:
    for state in FileState:
        assert f"use --status {state}" in str(CliRunner().invoke(app, ["files", "--state", state]).exception)


def test_standard_input_needs_a_key(nowhere: list[str]) -> None:
    assert "add --key" in said(*nowhere, "upload", "-", code=2)
    assert "--key names one file" in said(*nowhere, "upload", __file__, __file__, "--key", "x.csv", code=2)


def test_sql_without_a_query_says_so(nowhere: list[str]) -> None:
    result = CliRunner().invoke(app, [*nowhere, "sql"], input="")
    assert "There is no query" in str(result.exception)
    assert "not both" in said(*nowhere, "sql", "select 1", "-f", __file__, code=2)


def test_a_failed_command_prints_hints_for_its_platform(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "operate.cli", "status", "--state", "a b"]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        3,
        "error: The platform is not running. Start it with `./mdp --state 'a b' up`.\n",
    )


@pytest.mark.parametrize("module", ["files", "tables"])
def test_a_quick_command_imports_nothing_slow(module: str) -> None:
    program = f"import sys, operate.cli.run, operate.cli.app, operate.cli.{module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    slow = {"boto3", "polars", "rich.table", "rich.progress", "pydantic_settings", "supervisor.xmlrpc", "yaml"}
    assert slow & set(done.stdout.split()) == set()
