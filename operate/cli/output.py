"""What the command prints: text from outside is data, so it is never read as markup or as terminal codes."""

import json
import re
import sys
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_UNLIMITED = 10_000  # columns; a file or a pipe has no edge to fold at

console = Console(highlight=False, width=None if sys.stdout.isatty() else _UNLIMITED)
errors = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _UNLIMITED)

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def safe(value: object) -> str:
    r"""Make a text from outside harmless in a terminal: control and bidi characters become visible escapes.

    >>> safe("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return _CONTROL.sub(lambda m: ascii(m.group())[1:-1], str(value))


def print_json(value: Any) -> None:
    """Print a value for a script: JSON on standard output, nothing else."""
    print(json.dumps(value, default=str, ensure_ascii=False, indent=2))


def print_table(columns: list[str], rows: list[list[object]], *, numbers: tuple[str, ...] = ()) -> None:
    """Print rows under a header; columns in `numbers` stand to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(safe("" if cell is None else cell)) for cell in row))
    console.print(table)


def bytes_of(size: float) -> str:
    """Write a number of bytes as a person reads it.

    >>> bytes_of(1536)
    '1.5 KiB'
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError
