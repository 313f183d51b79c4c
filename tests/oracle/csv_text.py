"""RFC 4180 as the contract reads it: text to records of cells, each with the line on which it starts."""

import re
from collections.abc import Iterator

_UNQUOTED = re.compile(r"[^,\r\n]*")


class NotCsvError(Exception):
    """An unclosed quote, text after a closing quote, or a CR outside quotes that is no part of a CRLF."""


def records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Every record that is not an empty line, header included.

    Yields:
        The 1-based physical line (LF characters counted, those inside quotes too) and the cells.

    Raises:
        NotCsvError: at the first place where the text is no CSV.
    """
    at, line = 0, 1
    while at < len(text):
        start, first_line = at, line
        cells: list[str] = []
        more = True
        while more:
            cell, at = _cell(text, at)
            cells.append(cell)
            more = text.startswith(",", at)
            at += more
        empty = at == start  # not a character, not even the quotes of an empty cell
        at = _after_line_end(text, at)
        line += text.count("\n", start, at)
        if not empty:
            yield first_line, cells


def _cell(text: str, at: int) -> tuple[str, int]:
    """The cell that starts at `at`, and where it ends."""
    if not text.startswith('"', at):
        end = _UNQUOTED.match(text, at).end()  # type: ignore[union-attr]  # matches anywhere, if only nothing
        return text[at:end], end
    pieces = []
    at += 1
    while True:
        quote = text.find('"', at)
        if quote < 0:
            raise NotCsvError
        pieces.append(text[at:quote])
        at = quote + 1
        if not text.startswith('"', at):
            return '"'.join(pieces), at
        at += 1  # a doubled quote: one quote of the cell, joined in above


def _after_line_end(text: str, at: int) -> int:
    """Where the next line begins, given the end of a record's last cell."""
    if at == len(text):
        return at
    for line_end in ("\n", "\r\n"):
        if text.startswith(line_end, at):
            return at + len(line_end)
    raise NotCsvError
