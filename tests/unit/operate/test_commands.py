"""Commands that need no platform, or only its settings: what they print, hand on, and end with."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict
from typer.testing import CliRunner

from minidata.errors import NotRunningError, PermanentError
from minidata.settings import PROJECT, load_settings
from operate.cli import run, tables  # noqa: F401  `run` registers the commands
from operate.cli.app import app
from operate.cli.objects import require_plain

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
        "from operate.cli.output import console, print_json\n"
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


@pytest.mark.parametrize("body", ["console.print('a line')", "print_json([1] * 100_000)", "sys.stdout.write('short')"])
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
