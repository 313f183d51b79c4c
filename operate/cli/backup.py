"""`mdp backup` and `mdp restore`: everything of a platform but its packages, in one folder."""

import os
from pathlib import Path
from typing import Annotated

import typer

from operate.backup.folder import Description
from operate.backup.make import back_up
from operate.backup.restore import restore as restore_platform
from operate.cli.app import app, state_of
from operate.cli.output import bytes_of, say
from operate.cli.progress import Steps

Folder = Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="Folder of the backup.")]


@app.command()
def backup(context: typer.Context, folder: Folder) -> None:
    """Write a backup into a new folder while the platform runs: databases, buckets, secrets and settings.

    The folder holds all passwords, so it is readable by you alone. Files that arrive meanwhile may be part of it.

    Example: ./mdp backup /mnt/backups/monday
    """
    os.umask(0o077)
    with Steps() as steps:
        made = back_up(state_of(context), folder.expanduser().resolve(), lambda doing: steps("Backup", doing))
        steps("Backup", None)
    say(f"{_size(made)} are in {folder}. `./mdp restore {folder}` makes a platform of them.")


@app.command()
def restore(context: typer.Context, folder: Folder) -> None:
    """Make a platform of a backup, in a folder that holds no platform yet.

    Every object is checked against its SHA-256 first, and the database against its manifest. What the backup caught on
    its way is loaded after the next `up`.

    Example: ./mdp restore /mnt/backups/monday, then ./mdp up
    """
    os.umask(0o077)
    state = state_of(context)
    with Steps() as steps:
        made = restore_platform(state, folder.expanduser().resolve(), lambda doing: steps("Restore", doing))
        steps("Restore", None)
    say(f"{_size(made)} of {made.made_at:%Y-%m-%d %H:%M} UTC are restored in {state.folder}. Start it: `./mdp up`.")


def _size(made: Description) -> str:
    return f"The databases and {made.objects:,} objects ({bytes_of(made.bytes)})"
