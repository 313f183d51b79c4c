"""The generated pages of `docs/`: settings, commands, the reference, the SQL of a dataset."""

from collections.abc import Iterator, Mapping
from typing import Any

import typer
from pydantic.fields import FieldInfo
from typer.core import TyperGroup

from minidata.dataset import read_datasets
from minidata.rollup.page import sql_page
from minidata.settings import PROJECT, Settings
from minidata.warehouse.__main__ import Administration
from operate.cli.app import app
from operate.cli.reference import reference

_HEADER = ("| variable | default | meaning |", "| --- | --- | --- |")
_SETTINGS_INTRO = """# Settings

Set each as a variable in `.env` or in the environment of `./mdp up`. `./mdp dev docs` writes this page.

A variable that is unset or empty is read from the folder that `MDP_SECRETS_FOLDER` names, as in the containers:
one file per variable, named like it.
"""
_SETTINGS_OUTRO = """
A running platform takes a changed setting at the next `./mdp up`, which restarts the services that read it. To change
the name of a bucket, run `./mdp down` first. A setting that is neither in `.env` nor in the environment of the last
`up` has its default.

`MDP_STATE` is the folder of the platform, like the option `--state`; the default is `.mdp`.

## Setting up a server

`python -m minidata.warehouse`, which sets up a PostgreSQL server, and `python -m operate.s3`, which sets up MinIO, read
these settings too; `./mdp up` runs both for the platform without Docker.
"""
_COMMANDS_INTRO = """# Commands

The help of each command, as `./mdp NAME --help` prints it. `./mdp dev docs` writes this page.
"""


def pages() -> dict[str, str]:
    """Return the text of each generated page by its name."""
    datasets = read_datasets(PROJECT / "datasets").values()
    return {
        "settings.md": settings_page(),
        "commands.md": commands_page(),
        **reference(),
        **{f"{dataset.name}.sql": sql_page(dataset) for dataset in datasets},
    }


def settings_page() -> str:
    """Return the page that lists every setting: variable, default, meaning."""
    own = {name: field for name, field in Administration.model_fields.items() if name not in Settings.model_fields}
    parts = [_SETTINGS_INTRO, *_HEADER, *_rows(Settings.model_fields), _SETTINGS_OUTRO, *_HEADER, *_rows(own)]
    return "\n".join(parts) + "\n"


def _rows(fields: Mapping[str, FieldInfo]) -> Iterator[str]:
    for name, field in fields.items():
        default = "" if field.default in (None, "") else str(field.default).replace(f"{PROJECT}/", "")
        yield f"| `MDP_{name.upper()}` | {f'`{default}`' if default else ''} | {field.description} |"


def commands_page() -> str:
    """Return the page with the help of every command."""
    sections = [f"## {path}\n\n```\n{_help(command, path)}\n```\n" for path, command in commands()]
    return "\n".join([_COMMANDS_INTRO, *sections])


def commands() -> Iterator[tuple[str, Any]]:
    """Yield the name, as typed, and the definition of every command and group."""
    yield from _below(typer.main.get_command(app), "./mdp")


def _below(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, command
    if isinstance(command, TyperGroup):
        context = typer.Context(command)
        for name in command.list_commands(context):
            yield from _below(command.get_command(context, name), f"{path} {name}")


def _help(command: Any, path: str) -> str:
    """Return the help as plain text, 100 columns wide."""
    command.rich_markup_mode = None  # the boxes are for terminals
    context = typer.Context(command, info_name=path, max_content_width=100, terminal_width=100)
    return "\n".join(line.rstrip() for line in command.get_help(context).splitlines()).strip()
