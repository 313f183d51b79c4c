"""One run of the command: every error becomes a message and an exit code."""

import psycopg
from rich.text import Text

from minidata.errors import NotRunningError, PlatformError

# The modules register their commands.
from operate.cli import dashboards, files, generate, lifecycle, maintain, objects, open, replay, tables  # noqa: A004, F401
from operate.cli.app import app
from operate.cli.output import errors, safe
from operate.embedded.preflight import FULL


def run() -> int:
    """Run the command. What ends well (0), by wrong use (2) or by Ctrl-C (130), Typer ends itself.

    Returns:
        The exit code: 0 fine, 1 failed, 2 wrong use, 3 not running.
    """
    try:
        app(prog_name="mdp")
    except PlatformError as error:
        _print(safe(error))
        return 3 if isinstance(error, NotRunningError) else 1
    except psycopg.Error as error:
        _print(f"PostgreSQL: {safe(str(error).strip())}")
        return 1
    except OSError as error:
        _print(safe(explained(error)))
        return 1
    return 0


def _print(message: str) -> None:
    errors.print(Text("error: ", "red").append(message, "default"))


def explained(error: OSError) -> str:
    """Return what went wrong with a file or the system, and the mend."""
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    if error.errno in FULL:
        return f"The disk is full, or files may not grow any more ({what}). Make room, then run the same command again."
    return f"{what}. Mend that, then run the same command again."
