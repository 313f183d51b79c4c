"""`mdp test` and `mdp dev`: for whoever works on the platform itself."""

import subprocess
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from minidata.errors import PermanentError
from minidata.settings import PROJECT, Settings
from operate.cli.app import app
from operate.cli.output import errors

dev = typer.Typer(help="For maintainers.", no_args_is_help=True)
app.add_typer(dev, name="dev")

_CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("importlinter",),
)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(
    context: typer.Context,
    paths: Annotated[list[str] | None, typer.Argument(help="Tests to run, and options for pytest.")] = None,
) -> None:
    """Run what CI runs: lint, types, layers, then the tests, up to real servers and the whole platform.

    Example: mdp test, or mdp test tests/unit -k trigger
    """
    if not paths:
        check()
    _run(["-m", "pytest", *(paths or []), *context.args])


@dev.command()
def check() -> None:
    """Lint, formatting, strict types, and the layers of the code.

    Example: mdp dev check
    """
    for tool, *arguments in _CHECKS:
        if tool == "importlinter":
            _run(["-c", "from importlinter.cli import lint_imports_command as lint; lint()"])
        else:
            _run(["-m", tool, *arguments])


@dev.command()
def lock() -> None:
    """Make the lock files anew from pyproject.toml: hashes, and no host.

    Example: mdp dev lock
    """
    for name, extras in {"embedded": ("airflow", "embedded"), "dev": ("airflow", "embedded", "dev")}.items():
        target = f"locks/{name}.txt"
        command = [
            "uv",
            "pip",
            "compile",
            "-q",
            "--universal",
            "--python-version",
            "3.11",
            "--generate-hashes",
        ]
        command += ["--no-emit-index-url", "--no-header", "pyproject.toml", "-o", target]
        command += [part for extra in extras for part in ("--extra", extra)]
        _call(command if name == "embedded" else [*command, "-c", "locks/embedded.txt"])


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

    Example: mdp dev docs
    """
    (PROJECT / "docs" / "settings.md").write_text(settings_page(), encoding="utf-8")


def settings_page() -> str:
    """Return the page that lists every setting: variable, default, meaning."""
    lines = [
        "# Settings",
        "",
        "Each is a variable in `.env` or in the environment of `./mdp up`. Written by `./mdp dev docs`.",
        "",
    ]
    lines += ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, "") else str(field.default).replace(f"{PROJECT}/", "")
        lines.append(f"| `MDP_{name.upper()}` | {f'`{default}`' if default else ''} | {field.description} |")
    return "\n".join(lines) + "\n"
