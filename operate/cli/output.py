"""What the command prints: text from outside is data, so it is never read as markup or as terminal codes."""

import json
import re
import sys
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_UNLIMITED = 10_000  # columns; a file or a pipe has no edge to fold at


class _Output(Console):
    """Standard output. Whoever reads it may stop reading, which is no failure; rich would end the command with 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


console = _Output(highlight=False, width=None if sys.stdout.isatty() else _UNLIMITED)
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


def print_table(
    columns: list[str],
    rows: list[list[object]],
    *,
    numbers: tuple[str, ...] = (),
    only_filled: tuple[str, ...] = (),
) -> None:
    """Print rows under a header.

    Args:
        columns: their names.
        rows: a cell for each column; None is an empty one.
        numbers: columns that stand to the right.
        only_filled: columns that are left out if all their cells are empty.
    """
    texts = [[safe("" if cell is None else cell) for cell in row] for row in rows]
    shown = [n for n, name in enumerate(columns) if name not in only_filled or any(row[n] for row in texts)]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for n in shown:
        table.add_column(columns[n], justify="right" if columns[n] in numbers else "left", overflow="fold")
    for row in texts:
        table.add_row(*(Text(row[n]) for n in shown))
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
