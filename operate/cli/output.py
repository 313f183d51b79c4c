"""Printed text. Text from outside is data: terminal codes and line ends in it are shown as escapes."""

import csv
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from rich.cells import cell_len

from minidata import text as outside

_UNLIMITED = 10_000  # columns of a file or a pipe
_GAP = "  "
_BOLD, _RED = "1", "31"
safe = outside.safe


class Hints:
    """How to call the command again for the same platform.

    Attributes:
        option: ` --state DIR` as the user typed it, or nothing.
    """

    option = ""


def hinted(text: str) -> str:
    """Repeat the user's `--state` in each command that a text names."""
    return text.replace("./mdp ", f"./mdp{Hints.option} ") if Hints.option else text


def width() -> int:
    """Return the columns of the terminal; a file or a pipe has no limit."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _UNLIMITED


def say(text: str, *, err: bool = False) -> None:
    """Print own text with its hints, wrapped between words; control characters are escaped."""
    stream = sys.stderr if err else sys.stdout
    for line in safe(hinted(text), lines=True).splitlines() or [""]:
        print(_wrapped(line, shutil.get_terminal_size().columns) if stream.isatty() else line, file=stream)
    stream.flush()


def print_error(message: str) -> None:
    """Print an error on standard error."""
    print(_styled("error:", _RED, sys.stderr), end=" ", file=sys.stderr)
    say(message, err=True)


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    print(json.dumps(value, default=str, ensure_ascii=False, indent=2))


def print_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as CSV with a header; a terminal gets control characters as escapes, a file gets them unchanged."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    terminal = sys.stdout.isatty()
    for row in (columns, *rows):
        texts = [json.dumps(c, ensure_ascii=False, default=str) if isinstance(c, list) else c for c in row]
        writer.writerow([safe(c, lines=True) if terminal and isinstance(c, str) else c for c in texts])


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Sequence[str] = (),
    only_filled: Sequence[str] = (),
) -> None:
    """Print rows under a header; where that is too wide for the terminal, one paragraph per row.

    Args:
        columns: their names.
        rows: a cell per column; None is empty.
        numbers: columns to align right.
        only_filled: columns to leave out if all their cells are empty.
    """
    texts = [[safe("" if cell is None else cell) for cell in row] for row in rows]
    shown = [n for n, name in enumerate(columns) if name not in only_filled or any(row[n] for row in texts)]
    names = [columns[n] for n in shown]
    cells = [[row[n] for n in shown] for row in texts]
    widths = [max(map(cell_len, column)) for column in zip(names, *cells, strict=True)]
    if sum(widths) + len(_GAP) * (len(widths) - 1) > width():
        for row in cells:
            _print_paragraph(names, row)
        return
    for number, row in enumerate([names, *cells]):
        padded = [
            " " * (most - cell_len(text)) + text if name in numbers else text + " " * (most - cell_len(text))
            for name, text, most in zip(names, row, widths, strict=True)
        ]
        line = _GAP.join(padded).rstrip()
        print(line if number else _styled(line, _BOLD, sys.stdout))


def _print_paragraph(names: Sequence[str], row: Sequence[str]) -> None:
    """Print the first cell, then `name: value` of the others; only values longer than a line are wrapped."""
    print(_styled(row[0] or f"({names[0]})", _BOLD, sys.stdout))
    line = ""
    for piece in (f"{name}: {text}" for name, text in zip(names[1:], row[1:], strict=True) if text):
        if line and cell_len(line + _GAP + piece) > width():
            print(_wrapped(line, width()))
            line = ""
        line += _GAP + piece
    if line:
        print(_wrapped(line, width()))


def _wrapped(line: str, columns: int) -> str:
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.fill(line, columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _styled(text: str, code: str, stream: Any) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if stream.isatty() and not os.environ.get("NO_COLOR") else text


def bytes_of(size: float) -> str:
    """Write a number of bytes for people.

    >>> bytes_of(1536)
    '1.5 KiB'
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError
