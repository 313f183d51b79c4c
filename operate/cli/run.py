"""One run of the command: every error becomes a message and an exit code."""

import gc
import signal


def run() -> int:
    """Run the command.

    Returns:
        The exit code: 0 success, 1 failure, 2 usage error, 3 not running; Ctrl-C is 130.
    """
    gc.set_threshold(50_000)  # a tenth less time for the imports, which make many objects and little garbage
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # during the imports Ctrl-C ends the process without a traceback
    from minidata.errors import NotRunningError, PlatformError  # noqa: PLC0415
    from operate.cli.app import app  # noqa: PLC0415
    from operate.cli.output import print_error  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        app(prog_name="mdp")
    except PlatformError as error:
        print_error(str(error))
        return 3 if isinstance(error, NotRunningError) else 1
    except OSError as error:
        print_error(explained(error))
        return 1
    except Exception as error:
        import psycopg  # noqa: PLC0415  a fifth of a second that commands without a database need not spend

        if not isinstance(error, psycopg.Error):
            raise
        print_error(f"PostgreSQL: {str(error).strip()}")
        return 1
    return 0


def explained(error: OSError) -> str:
    """Say what went wrong with a file or the system, and how to fix it."""
    from operate.embedded.preflight import FULL  # noqa: PLC0415

    what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    if error.errno in FULL:
        return f"The disk is full, or a file size limit is reached ({what}). Free some space and retry."
    return f"{what}. Fix this and retry."
