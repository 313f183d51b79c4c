"""Entry of `python -m operate.cli`: one place where every error becomes a message and an exit code."""

import sys

import psycopg

from minidata.errors import NotRunningError, PlatformError
from operate.cli.app import app
from operate.cli.output import errors, safe


def main() -> int:
    """Run the command.

    Returns:
        The exit code: 0 fine, 1 failed, 2 wrong use, 3 not running.
    """
    # The modules register their commands.
    from operate.cli import files, lifecycle, maintain, objects, tables  # noqa: F401, PLC0415

    try:
        result = app(standalone_mode=True, prog_name="mdp")
    except PlatformError as error:
        errors.print("[red]error:[/red] ", end="")
        errors.print(safe(error), markup=False, soft_wrap=True)
        return 3 if isinstance(error, NotRunningError) else 1
    except psycopg.Error as error:
        errors.print(f"error: PostgreSQL: {str(error).strip()}", markup=False, highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        errors.print("Stopped by Ctrl-C.")
        return 130
    except BrokenPipeError:
        return 0
    return int(result or 0)


if __name__ == "__main__":
    sys.exit(main())
