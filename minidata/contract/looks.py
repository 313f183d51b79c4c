"""What a refused file looks like, and the line of a declaration that would read it."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from minidata.contract.cells import read_cell, rule_of
from minidata.contract.rule import BLANKS, BrokenRuleError
from minidata.dataset import Column, Dataset, TextColumn

HEAD_BYTES = 1 << 16
"""Bytes at the start of a file that a look is taken at."""

_LINES = 50
_SHOWN = 120  # characters of a line in a message
_MAGIC = (
    (
        b"PK\x03\x04",
        "a ZIP archive, such as an Excel workbook: name it .xlsx for a dataset with that format, or save it as CSV",
    ),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook: save the sheet as CSV UTF-8"),
    (b"\x1f\x8b", "gzip, whose name must end in .csv.gz"),
    (b"(\xb5\x2f\xfd", "zstd, whose name must end in .csv.zst"),
    (b"PAR1", "Parquet: name it .parquet for a dataset with this format, or write it as CSV"),
    (b"%PDF", "a PDF"),
)
_TEXTS = (
    (
        re.compile(r"<(!doctype html|html|head|body)", re.IGNORECASE),
        "an HTML page, such as an error page: download the file again",
    ),
    (re.compile(r"<\?xml|<[a-z]+[ >]", re.IGNORECASE), "XML: export it as CSV"),
    (re.compile(r"version https://git-lfs"), "a Git LFS pointer: run `git lfs pull`, then upload the file itself"),
    (
        re.compile(r"[\[{]\s*[\"\[{]"),
        "JSON: write one object on each line, name it .jsonl and declare `formats: [jsonl]`, or export it as CSV",
    ),
)
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_SEP = re.compile(r"sep=(.)[ \t]*\Z", re.IGNORECASE)


class Head:
    """The start of a file's content; iterating passes all of it on."""

    def __init__(self, content: Iterable[bytes]) -> None:
        self.data = b""
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        """Pass the content on."""
        for chunk in self._content:
            if len(self.data) < HEAD_BYTES:
                self.data += chunk[: HEAD_BYTES - len(self.data)]
            yield chunk


class _Found(NamedTuple):
    """A line that names columns: how many, its number from 0, the separator and its cells."""

    known: int
    line: int
    separator: str
    cells: list[str]


def hints(head: bytes, key: str, dataset: Dataset, datasets: Iterable[Dataset] = ()) -> list[str]:
    """Return sentences on what a refused file looks like and what would read it.

    Args:
        head: the start of the decompressed content.
        key: of the object.
        dataset: that it was checked as.
        datasets: all declared ones.
    """
    _, text = _decoded(head, dataset)
    if looks := _other_format(head, text):
        return [f"The file looks like {looks}.", *_prefix(key, dataset, [])]
    lines = text.splitlines()[:_LINES]
    changes = guess(head, dataset)
    sentences = [_first_line(lines)]
    named = bool(_header(lines, dataset.columns).known)
    if not named and _whole_lines_quoted(lines, dataset):
        sentences.append("Each line is in quotes as a whole: write only the cells in quotes.")
    elif not named and _is_row(lines, dataset):
        changes["header"] = False
    if changes:
        where = f"datasets/{dataset.name}/dataset.yaml" if dataset.name else "the declaration"
        sentences.append(f"{_told(changes)}: `dialect: {_yaml(changes)}` in {where} reads it so.")
    return [*filter(None, sentences), *_prefix(key, dataset, _fitting(lines, datasets, dataset))]


def guess(head: bytes, dataset: Dataset) -> dict[str, Any]:
    """Return how a file seems to differ from the declared dialect: `encoding`, `delimiter`, `skip_lines`.

    Args:
        head: the start of the decompressed content.
        dataset: that it was checked as.
    """
    encoding, text = _decoded(head, dataset)
    found = _header(text.splitlines()[:_LINES], dataset.columns)
    changes = _changes(found, dataset) if found.known else {}
    return {"encoding": encoding, **changes} if encoding else changes


def _decoded(head: bytes, dataset: Dataset) -> tuple[str | None, str]:
    """Return the encoding that a file seems to have, if it is not the declared one, and its text."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16", head[: len(head) // 2 * 2].decode("utf-16", "replace")
    try:
        return None, head.decode(dataset.dialect.encoding).removeprefix("\ufeff")
    except UnicodeError as error:
        # A character that is cut off at the end is no fault.
        if isinstance(error, UnicodeDecodeError) and len(head) == HEAD_BYTES and error.start > len(head) - 4:
            return None, head[: error.start].decode(dataset.dialect.encoding).removeprefix("\ufeff")
    try:
        return "windows-1252", head.decode("windows-1252")
    except UnicodeError:
        return None, head.decode("utf-8", "replace")


def _other_format(head: bytes, text: str) -> str | None:
    magic = next((looks for start, looks in _MAGIC if head.startswith(start)), None)
    start = text.lstrip(BLANKS)
    return magic or next((looks for pattern, looks in _TEXTS if pattern.match(start)), None)


def _header(lines: list[str], columns: Mapping[str, Column]) -> _Found:
    """Find the line that names most columns; the first of several."""
    known = {name for column, rules in columns.items() for name in (column, *rules.aliases)}
    best = _Found(0, 0, ",", [])
    for number, line in enumerate(lines[:20]):
        for separator in _SEPARATORS:
            cells = [cell.strip(BLANKS) for cell in _cells(line, separator)]
            found = _Found(len(known & set(cells)), number, separator, cells)
            if len(found.cells) > 1 and found.known > best.known:
                best = found
    return best if 2 * best.known >= sum(not column.optional for column in columns.values()) else best._replace(known=0)


def _cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return line.split(separator)


def _changes(found: _Found, dataset: Dataset) -> dict[str, Any]:
    dialect = dataset.dialect
    changes: dict[str, Any] = {}
    if found.line != dialect.skip_lines and found.line:
        changes["skip_lines"] = found.line
    if found.separator != dialect.delimiter:
        changes["delimiter"] = found.separator
    return changes


def _told(changes: Mapping[str, Any]) -> str:
    parts = []
    if "skip_lines" in changes:
        parts.append(f"the header is on line {changes['skip_lines'] + 1}")
    if "delimiter" in changes:
        parts.append(f"the cells are separated by {_SEPARATORS[changes['delimiter']]}")
    if "encoding" in changes:
        parts.append(f"the text is {changes['encoding'].upper()}")
    if "header" in changes:
        parts.append("the first line looks like a row, not like a header")
    text = ", ".join(parts)
    return text[0].upper() + text[1:]


def _yaml(changes: Mapping[str, Any]) -> str:
    """Write changes as a mapping of YAML on one line."""
    return "{" + ", ".join(f"{name}: {json.dumps(value)}" for name, value in changes.items()) + "}"


def _first_line(lines: list[str]) -> str:
    first = next((line for line in lines if line.strip(BLANKS)), "")
    shown = first if len(first) <= _SHOWN else first[: _SHOWN - 1] + "…"
    text = "".join(mark if mark.isprintable() else " " for mark in shown)
    sep = " It is an instruction for Excel." if _SEP.match(first) else ""
    return f"The first line is `{text}`.{sep}" if first else ""


def _whole_lines_quoted(lines: list[str], dataset: Dataset) -> bool:
    """Whether the first line is one quoted cell that holds a whole header."""
    cells = _cells(lines[0], dataset.dialect.delimiter) if lines else []
    return len(cells) == 1 and cells[0] != lines[0] and bool(_header([cells[0]], dataset.columns).known)


def _is_row(lines: list[str], dataset: Dataset) -> bool:
    """Whether the first line has as many cells as there are columns, and they fit the rules."""
    cells = _cells(lines[0], dataset.dialect.delimiter) if lines else []
    if len(cells) != len(dataset.columns):
        return False
    fits = [
        _fits(column, cell)
        for column, cell in zip(dataset.columns.values(), cells, strict=True)
        if not isinstance(column, TextColumn)
    ]
    return bool(fits) and all(fits)


def _fits(column: Column, cell: str) -> bool:
    try:
        read_cell(rule_of(column), cell)
    except BrokenRuleError:
        return False
    return True


def _fitting(lines: list[str], datasets: Iterable[Dataset], checked: Dataset) -> list[str]:
    """Return the prefixes of the other datasets whose columns the header has."""
    return [
        other.prefix.strip("/")
        for other in datasets
        if other.name != checked.name
        for found in islice([_header(lines, other.columns)], 1)
        if {name for name, column in other.columns.items() if not column.optional and not column.aliases}
        <= set(found.cells)
        and found.known
    ]


def _prefix(key: str, dataset: Dataset, fitting: list[str]) -> list[str]:
    """Say as what a file without a known prefix was checked, and which prefix would fit."""
    prefix = dataset.prefix.strip("/") + "/"
    known = key.startswith(prefix)
    if known and not fitting:
        return []
    checked = f"It was checked as {dataset.name}"
    checked += (
        "." if known else f", because its name starts with no folder of a dataset ({prefix} is that of this one)."
    )
    return [checked, *(f"Its columns are those of files below {other}/: upload it there." for other in fitting)]
