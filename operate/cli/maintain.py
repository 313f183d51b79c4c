"""`mdp test` and `mdp dev`: for whoever works on the platform itself."""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from pydantic.fields import FieldInfo

from minidata.errors import PermanentError
from minidata.settings import PROJECT, Settings
from minidata.warehouse.__main__ import Administration
from operate.cli.app import app, settings_of, state_of
from operate.cli.output import errors
from operate.embedded.superset import service as superset

dev = typer.Typer(help="For maintainers.", no_args_is_help=True)
app.add_typer(dev, name="dev")

_CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("importlinter",),
)
# The long tiers lie in files of their own name; one of them looks at a Docker mode that somebody has started.
_LONG = ("-o", "python_files=test_*.py check_*.py", "--ignore=tests/deploy/check_docker.py")
_HEADER = ("| variable | default | meaning |", "| --- | --- | --- |")
_PROGRAMS = {
    "chromium": "the dashboards are looked at with it: apt-get install chromium fonts-noto-core",
    "npm": "it installs Metabase's own tools, which check what is sent to it: Node 20 or later",
}


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(
    context: typer.Context,
    paths: Annotated[list[str] | None, typer.Argument(help="Tests to run, and options for pytest.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="The long tiers too: Chromium, real MinIO, trouble.")] = False,
) -> None:
    """Run what CI runs: lint, types, layers, then the tests, up to real servers and the whole platform.

    The long tiers need programs that a fresh machine lacks, and more time than CI has.

    Example: ./mdp test, or ./mdp test tests/unit -k trigger
    """
    if all_:
        _require_programs()
    if not paths:
        check()
    _run(["-m", "pytest", *(_LONG if all_ else ()), *(paths or []), *context.args])


def _require_programs() -> None:
    """See that what the long tiers drive is there.

    Raises:
        PermanentError: naming all that is missing, with the mend.
    """
    missing = [f"{name}: {mend}" for name, mend in _PROGRAMS.items() if not shutil.which(name)]
    if missing:
        raise PermanentError("The long tests need programs that are not on the PATH:\n  " + "\n  ".join(missing))


@dev.command()
def check() -> None:
    """Lint, formatting, strict types, and the layers of the code.

    Example: ./mdp dev check
    """
    for tool, *arguments in _CHECKS:
        if tool == "importlinter":
            _run(["-c", "from importlinter.cli import lint_imports_command as lint; lint()"])
        else:
            _run(["-m", tool, *arguments])


@dev.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(
    context: typer.Context, name: Annotated[str, typer.Argument(help="A program of bench/, without .py.")]
) -> None:
    """Run a benchmark with its options.

    Example: ./mdp dev bench validation --rows 1000000
    """
    known = sorted(file.stem for file in (PROJECT / "bench").glob("*.py"))
    if name not in known:
        raise typer.BadParameter(f"there is no {name}. There are: {', '.join(known)}.", param_hint="NAME")
    _run([f"bench/{name}.py", *context.args])


@dev.command()
def lock() -> None:
    """Make the lock files anew, with hashes and no host, then the requirements of the images; not Superset's, nor uv's.

    Example: ./mdp dev lock
    """
    embedded = ("--extra", "airflow", "--extra", "embedded")
    _compile("pyproject.toml", "embedded", *embedded)
    _compile("pyproject.toml", "dev", *embedded, "--extra", "dev", "-c", "locks/embedded.txt")
    _compile("locks/go.in", "go")
    _run(["deploy/requirements.py"])


def _compile(source: str, name: str, *options: str) -> None:
    fixed = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-header")
    _call(["uv", "pip", "compile", "-q", *fixed, source, "-o", f"locks/{name}.txt", *options])


def _run(arguments: Sequence[str]) -> None:
    _call([sys.executable, *arguments])


def _call(command: Sequence[str]) -> None:
    """Run a program in the project's folder; a failure ends the command with its exit code."""
    errors.print(f"[dim]$ {' '.join(command[1:] if command[0] == sys.executable else command)}[/dim]", soft_wrap=True)
    try:
        code = subprocess.run(command, cwd=PROJECT, check=False).returncode
    except FileNotFoundError as error:
        raise PermanentError(f"{command[0]} is not on the PATH.") from error
    if code:
        raise typer.Exit(code)


@dev.command()
def docs() -> None:
    """Write docs/settings.md anew from the settings themselves.

    Example: ./mdp dev docs
    """
    (PROJECT / "docs" / "settings.md").write_text(settings_page(), encoding="utf-8")


@dev.command()
def pictures(
    context: typer.Context,
    folder: Annotated[Path, typer.Option(file_okay=False, help="Where they are kept.")] = PROJECT / "docs" / "pictures",
) -> None:
    """Take pictures of the running platform's dashboards with Chromium, and tell how long each took to be drawn.

    Example: ./mdp dev pictures
    """
    settings_of(context)
    script = PROJECT / "docs" / "pictures" / "draw_dashboards.py"
    _run([str(script), superset.address(state_of(context)), str(folder)])


def settings_page() -> str:
    """Return the page that lists every setting: variable, default, meaning."""
    lines = [
        "# Settings",
        "",
        "Each is a variable in `.env` or in the environment of `./mdp up`. Written by `./mdp dev docs`.",
        "",
        "What is unset or empty is read from the folder that `MDP_SECRETS_FOLDER` names, as in the containers: a file",
        "for each, named as its variable.",
        "",
    ]
    lines += [*_HEADER, *_table(Settings.model_fields)]
    lines += [
        "",
        "A running platform takes a changed setting at the next `./mdp up`, which restarts what reads it; the names of",
        "the buckets want a `./mdp down` first. What stands neither in `.env` nor in the environment of the last `up`",
        "has its default.",
        "",
        "`MDP_STATE` is the folder of the platform that `./mdp` means, as `--state` is; without it `.mdp`.",
        "",
        "## Setting up a server",
        "",
        "`python -m minidata.warehouse`, which sets up a PostgreSQL server, and `python -m operate.s3`,",
        "which sets up MinIO, read these too; `./mdp up` does both by itself.",
        "",
    ]
    own = {name: field for name, field in Administration.model_fields.items() if name not in Settings.model_fields}
    return "\n".join([*lines, *_HEADER, *_table(own)]) + "\n"


def _table(fields: Mapping[str, FieldInfo]) -> list[str]:
    rows = []
    for name, field in fields.items():
        default = "" if field.default in (None, "") else str(field.default).replace(f"{PROJECT}/", "")
        rows.append(f"| `MDP_{name.upper()}` | {f'`{default}`' if default else ''} | {field.description} |")
    return rows
