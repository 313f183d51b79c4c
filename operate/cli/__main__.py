"""Entry of `python -m operate.cli`: one place where every error becomes a message and an exit code."""

import signal
import sys


def main() -> int:
    """Run the command.

    Returns:
        The exit code: 0 fine, 1 failed, 2 wrong use, 3 not running.
    """
    # The imports take a moment; Ctrl-C then just ends it, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from operate.cli.run import run  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.default_int_handler)
    return run()


if __name__ == "__main__":
    sys.exit(main())
