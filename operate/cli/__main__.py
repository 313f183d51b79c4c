"""Entry point of `python -m operate.cli`."""

import sys

from operate.cli.run import run as main

if __name__ == "__main__":
    sys.exit(main())
