"""`mdp test` and `mdp dev`: for people who work on the platform itself."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from minidata.errors import PermanentError
from minidata.settings import PROJECT
from operate.cli.app import app, settings_of, state_of
from operate.cli.output import say
from operate.cli.pages import pages
from operate.cli.site import build_commands, stage
from operate.embedded.packages import LOCKS
from operate.embedded.superset import service as superset

dev = typer.Typer(no_args_is_help=True)
app.add_typer(dev, name="dev")

_CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("importlinter",),
)
# The long tiers are the files named check_*.py; one of them needs a Docker mode that is already running.
_LONG = ("-o", "python_files=test_*.py check_*.py", "--ignore=tests/deploy/check_docker.py")
_PINNED = re.compile(r"^([a-z0-9._-]+)==", re.MULTILINE)
_SHOWN = 300  # characters of a command
_TWO_PROCESSES = ("-n", "2")  # tests/conftest.py tells which tests stay together
_PROGRAMS = {
    "chromium": "it opens the dashboards: apt-get install chromium fonts-noto-core",
    "npm": "it installs Metabase's own tools, which check what is sent to it: Node 20 or later",
}
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}  # for options of the program that is run


@dev.callback()
def develop() -> None:
    """Commands for maintainers: checks, benchmarks, lock files, generated pages.

    Example: ./mdp dev check
    """


@app.command(context_settings=_PASSED_ON)
def test(
    context: typer.Context,
    paths: Annotated[list[str] | None, typer.Argument(help="Tests to run, and options of pytest.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="The long tiers too: Chromium, Spark, Celery, chaos.")] = False,
) -> None:
    """Run the CI checks: lint, types, layers, then all tests, including those with real servers.

    `--all` adds slow tests that CI skips; they need Chromium and Node 20.

    Example: ./mdp test, or ./mdp test tests/unit -k trigger
    """
    if all_:
        _require_programs()
    if not paths:
        check()
    whole = () if paths or all_ else _TWO_PROCESSES
    _run(["-m", "pytest", *(_LONG if all_ else whole), *(paths or []), *context.args])


def _require_programs() -> None:
    """Check that the programs of the long tiers are installed.

    Raises:
        PermanentError: naming each that is missing, and how to install it.
    """
    missing = [f"{name}: {fix}" for name, fix in _PROGRAMS.items() if not shutil.which(name)]
    if missing:
        raise PermanentError("The long tests need programs that are not on the PATH:\n  " + "\n  ".join(missing))


@dev.command()
def check() -> None:
    """Check lint, formatting, strict types, and the layers of the code.

    Example: ./mdp dev check
    """
    for tool, *arguments in _CHECKS:
        if tool == "importlinter":
            _run(["-c", "from importlinter.cli import lint_imports_command as lint; lint()"])
        else:
            _run(["-m", tool, *arguments])


@dev.command(context_settings=_PASSED_ON)
def bench(
    context: typer.Context, name: Annotated[str, typer.Argument(help="Name of a program in bench/, without .py.")]
) -> None:
    """Run a benchmark; further options are passed to it.

    Example: ./mdp dev bench validation --rows 1000000
    """
    known = sorted(file.stem for file in (PROJECT / "bench").glob("*.py"))
    if name not in known:
        raise typer.BadParameter(f"there is no benchmark {name}. Benchmarks: {', '.join(known)}.", param_hint="NAME")
    _run([f"bench/{name}.py", *context.args])


@dev.command(context_settings=_PASSED_ON)
def chaos(context: typer.Context) -> None:
    """Break things while files are loaded, then compare every cell with an independent calculation.

    `--rounds N` and `--seed S` choose how many rounds and which, `--kind TEXT` one kind, `--pairs` every pair of fault
    points, `--minutes M` the time. docs/chaos.md describes the report.

    Example: ./mdp dev chaos --rounds 80 --seed 7
    """
    _run(["-m", "tests.chaos", *context.args])


@dev.command(context_settings=_PASSED_ON)
def mutants(context: typer.Context) -> None:
    """Plant bugs in a copy of the project, one at a time, and check that the tests find each.

    `--name TEXT` and `--skip N` choose some; `--check` runs the tests without a bug first.

    Example: ./mdp dev mutants --name ledger
    """
    _run(["-m", "tests.mutants", *context.args])


@dev.command()
def lock() -> None:
    """Regenerate the lock files, with hashes and without index URLs, and the requirements of the images.

    The locks of Superset and uv are not part of it.

    Example: ./mdp dev lock
    """
    embedded = ("--extra", "airflow", "--extra", "embedded")
    _compile("pyproject.toml", "embedded", *embedded)
    _compile("pyproject.toml", "dev", *embedded, "--extra", "dev", "-c", "locks/embedded.txt")
    for name in ("docs", "go"):
        _compile(f"locks/{name}.in", name)
    installed = [f"--no-emit-package={name}" for name in _PINNED.findall((LOCKS / "embedded.txt").read_text("utf-8"))]
    for name in ("spark", "spark_server", "celery"):  # what is installed beside the platform's own packages
        _compile(f"locks/{name}.in", name, "-c", "locks/embedded.txt", *installed)
    _run(["deploy/requirements.py"])


def _compile(source: str, name: str, *options: str) -> None:
    fixed = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-header")
    _call([_uv(), "pip", "compile", "-q", *fixed, source, "-o", f"locks/{name}.txt", *options])


def _uv() -> str:
    """Return the program uv: the one on the PATH, or the one that `./mdp` installed."""
    return shutil.which("uv") or str(PROJECT / ".mdp" / "uv" / "bin" / "uv")


def _run(arguments: Sequence[str]) -> None:
    _call([sys.executable, *arguments])


def _call(command: Sequence[str]) -> None:
    """Run a program in the project's folder; a failure ends the command with its exit code."""
    line = " ".join(command[1:] if command[0] == sys.executable else command)
    say(f"$ {line if len(line) < _SHOWN else line[:_SHOWN] + ' …'}", err=True)
    try:
        code = subprocess.run(command, cwd=PROJECT, check=False).returncode
    except FileNotFoundError as error:
        raise PermanentError(f"{command[0]} is not on the PATH. Install it and retry.") from error
    if code:
        raise typer.Exit(code)


@dev.command()
def docs() -> None:
    """Write the generated pages of docs/ again: commands, settings, the reference, docs/DATASET.sql.

    Example: ./mdp dev docs
    """
    for name, page in pages().items():
        (PROJECT / "docs" / name).write_text(page, encoding="utf-8")


@dev.command()
def site() -> None:
    """Build the documentation as a website in `site/`; a broken link fails. Open site/index.html.

    Example: ./mdp dev site
    """
    with tempfile.TemporaryDirectory() as folder:
        stage(PROJECT, Path(folder))
        for command in build_commands(_uv(), Path(folder)):
            _call(command)
        shutil.rmtree(PROJECT / "site", ignore_errors=True)
        shutil.move(Path(folder) / "site", PROJECT / "site")


@dev.command()
def pictures(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Option(file_okay=False, show_default="docs/pictures", help="Folder to write them to.")
    ] = PROJECT / "docs" / "pictures",
) -> None:
    """Take pictures of the running platform's dashboards with Chromium, and print how long each took to draw.

    Example: ./mdp dev pictures
    """
    settings_of(context)
    script = PROJECT / "docs" / "pictures" / "draw_dashboards.py"
    _run([str(script), superset.address(state_of(context)), str(folder)])
