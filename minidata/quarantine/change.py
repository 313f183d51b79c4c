"""Changes to the text of a file: columns, delimiter, decimal comma, date format, single cells.

A record that no change concerns keeps its bytes.
"""

import codecs
import csv
import difflib
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from typing import IO, Literal, TextIO

from minidata.contract.rule import BLANKS
from minidata.dataset import Column, Dataset
from minidata.dataset.dialect import Dialect
from minidata.errors import PermanentError

KEPT_CHANGES = 20
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_LINE_END = re.compile(r"[\r\n]+\Z")
_LONE_CR = re.compile(r"\r(?!\n)")
# Date formats as spreadsheets show them; MM after the hours are minutes.
_PARTS = {"YYYY": "%Y", "YY": "%y", "DD": "%d", "HH": "%H", "SS": "%S", "MM": "%m"}


@dataclass(frozen=True)
class Change:
    """What to change in a file.

    Attributes:
        rename: new name of a column, by its name in the header.
        drop: columns to leave out, by name in the header.
        delimiter: what separates the cells of the file now, if not the dataset's delimiter.
        encoding: of the file now, if not the dataset's encoding.
        decimal: the decimal separator of the file's numbers now.
        date_format: of the file's instants now: `%d.%m.%Y %H:%M` or `DD.MM.YYYY HH:MM`.
        cells: new value of a cell, by the line on which its record starts and its column.
    """

    rename: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    date_format: str | None = None
    cells: Mapping[tuple[int, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the separators.

        Raises:
            PermanentError: if one of them cannot separate anything.
        """
        for name, text in (("delimiter", self.delimiter), ("decimal separator", self.decimal)):
            if text is not None and (len(text) != 1 or text in '"\r\n'):
                raise PermanentError(f"The {name} is one character, and not {text!r}.")


@dataclass
class Diff:
    """The records that a change concerns: their number, and (line, before, after) of the first 20."""

    count: int = 0
    shown: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, line: int, before: str, after: str) -> None:
        """Count a changed record."""
        self.count += 1
        if len(self.shown) < KEPT_CHANGES:
            self.shown.append((line, before.rstrip("\r\n"), after.rstrip("\r\n")))


def rewrite(source: IO[bytes], target: IO[bytes], change: Change, dataset: Dataset) -> Diff:
    """Write the text of a file with a change, in the dialect of its dataset.

    Args:
        source: the decompressed file.
        target: takes the new text.
        change: what to change.
        dataset: whose dialect the result has, and whose types say which cells are numbers and instants.

    Raises:
        PermanentError: if the change names a column, line or encoding that the file does not have.
    """
    diff = Diff()
    encoding = change.encoding or dataset.dialect.encoding
    try:
        text = open_records(source, encoding)
        out = io.TextIOWrapper(target, dataset.dialect.encoding, errors="surrogateescape", newline="")
        try:
            _rewrite(text, out, change, dataset, diff)
        finally:
            out.flush()
            out.detach()
            text.detach()
    except LookupError:
        raise PermanentError(f"There is no encoding {encoding}. Try utf-16, windows-1252 or latin-1.") from None
    except UnicodeError as error:
        raise PermanentError(f"The file is not {encoding}: {error}.") from error
    return diff


def compare(before: str, after: str) -> Diff:
    """Return the lines that differ between two texts."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    diff = Diff()
    for kind, start, end, new_start, new_end in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if kind != "equal":
            pairs = zip_longest(old[start:end], new[new_start:new_end], fillvalue="")
            for line, (one, other) in enumerate(pairs, start + 1):
                diff.add(line, one, other)
    return diff


def open_records(source: IO[bytes], encoding: str) -> io.TextIOWrapper:
    """Read bytes as text without a byte order mark; bytes that are wrong in UTF-8 come out unchanged.

    Raises:
        LookupError: if there is no such encoding.
    """
    known = codecs.lookup(encoding).name
    return io.TextIOWrapper(source, "utf-8-sig" if known == "utf-8" else known, errors="surrogateescape", newline="")


def _rewrite(text: TextIO, out: TextIO, change: Change, dataset: Dataset, diff: Diff) -> None:
    dialect = dataset.dialect
    delimiter = change.delimiter or dialect.delimiter
    out.writelines(text.readline() for _ in range(dialect.skip_lines))
    names = None if dialect.header is True else list(dialect.header or dataset.columns)
    # A cell can be named by its column's declared name, whichever alias the header has.
    declared = {name: own for own, column in dataset.columns.items() for name in (own, *column.aliases)}
    unused = {(line, declared.get(name, name)): value for (line, name), value in change.cells.items()}
    dropped: set[int] = set()
    for line, record, cells in records(text, delimiter, dialect.quote, 1 + dialect.skip_lines):
        if not cells:
            out.write(record)
            continue
        if names is None:
            found = [cell.strip(BLANKS) for cell in cells]
            if missing := [name for name in (*change.rename, *change.drop) if name not in found]:
                raise PermanentError(f"The header has no {', '.join(missing)}. It has: {', '.join(found)}.")
            names = [change.rename.get(name, name) for name in found]
            dropped = {place for place, name in enumerate(found) if name in change.drop}
            new = [name if name != old else cell for name, old, cell in zip(names, found, cells, strict=True)]
            names = [declared.get(name, name) for name in names]
        else:
            new = [
                unused.pop((line, name), _converted(cell, dataset.columns.get(name), change, dialect))
                for name, cell in zip(names, cells, strict=False)
            ] + cells[len(names) :]
        new = [cell for place, cell in enumerate(new) if place not in dropped]
        after = record
        if new != cells or delimiter != dialect.delimiter or _LONE_CR.search(record):
            after = _as_line(new, _LINE_END.search(record), dialect)
        if after != record:
            diff.add(line, record, after)
        out.write(after)
    if unused:
        places = ", ".join(f"{line}:{column}" for line, column in unused)
        raise PermanentError(f"No record starts on this line, or it has no such column: {places}.")


def records(text: TextIO, delimiter: str, quote: str | None, line: int = 1) -> Iterator[tuple[int, str, list[str]]]:
    """Yield the physical line on which each record starts, its text, and its cells; the first starts on `line`."""
    raw: list[str] = []

    def lines() -> Iterator[str]:
        for part in text:
            raw.append(part)
            yield part

    quoting: Literal[0, 3] = 3 if quote is None else 0  # csv.QUOTE_NONE, csv.QUOTE_MINIMAL
    for cells in csv.reader(lines(), delimiter=delimiter, quotechar=quote or '"', quoting=quoting):
        yield line, "".join(raw), cells
        line += len(raw)
        raw.clear()


def _as_line(cells: list[str], end: re.Match[str] | None, dialect: Dialect) -> str:
    ending = end.group() if end else ""
    ending = "\n" if ending == "\r" else ending
    if dialect.quote is None:
        return dialect.delimiter.join(cells) + ending
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=dialect.delimiter, quotechar=dialect.quote, lineterminator=ending).writerow(cells)
    return buffer.getvalue()


def _converted(cell: str, column: Column | None, change: Change, dialect: Dialect) -> str:
    """Return a cell as the dataset writes it; one that does not have the format stays."""
    if column is not None and column.type in ("timestamp", "date") and change.date_format:
        try:
            at = datetime.strptime(cell.strip(), strptime_format(change.date_format))  # noqa: DTZ007
        except ValueError:
            return cell
        if column.formats[0] == "iso":
            return at.isoformat(" ")
        return at.strftime(column.formats[0]) if "%" in column.formats[0] else cell
    if column is not None and column.type in ("integer", "decimal") and change.decimal:
        group = "." if change.decimal == "," else ","
        plain = re.sub(r"[\s'\u00a0\u202f]", "", cell).replace(group, "").replace(change.decimal, ".")
        if _NUMBER.fullmatch(plain):
            whole = re.sub(r"\.0+\Z", "", plain) if column.type == "integer" else plain
            return whole.replace(".", dialect.decimal)
    return cell


def strptime_format(text: str) -> str:
    """Return a date format for `strptime`.

    >>> strptime_format("DD.MM.YYYY HH:MM:SS")
    '%d.%m.%Y %H:%M:%S'
    """
    if "%" in text:
        return text
    text = re.sub(r"(?i)(HH\W?)MM", r"\1%M", text)
    for part, code in _PARTS.items():
        text = re.sub(rf"(?<![%\w]){part}|(?<=[a-zA-Z]){part}", code, text, flags=re.IGNORECASE)
    return text
