"""Reads the start of a sample file, as the contract reads files, and finds out how it is written."""

import csv
import io
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

from minidata.contract.archived import unzip
from minidata.contract.content import decompress, kind_of, read_text
from minidata.contract.records import Records
from minidata.contract.rule import BLANKS
from minidata.contract.verdict import Budget, InvalidFileError, reason
from minidata.dataset import FORMATS
from minidata.errors import PermanentError

_BYTES = 4 << 20  # of the content, at most
_ROWS = 20_000
_ANY_SIZE = Budget(sys.maxsize, reason("too_large", "The sample is too large."))
_DELIMITERS = (",", ";", "\t", "|")
_TOTAL = re.compile(r"(grand |sub)?(total|sum|summe|gesamt|somme|suma|totale)\b", re.IGNORECASE)
_DATA = re.compile(r"[-+]?\.?[0-9][0-9.,:/ TZE+-]*|true|false", re.IGNORECASE)
_NOTE = re.compile(r"#(#|\s|$)")  # not #1 or #name, which are values
_YEAR = re.compile(r"(1[5-9]|20)[0-9]{2}")


@dataclass
class Sample:
    """The rows of a sample as text.

    Attributes:
        format: one of the declaration's `formats`.
        names: of the columns, as the file has them; invented if it has none.
        rows: cells of at most the first 20,000 rows, each as wide as `names`.
        dialect: what differs from the default dialect of a declaration.
        remarks: what was found out, for the reader of the declaration.
    """

    format: str
    names: list[str]
    rows: list[list[str]]
    dialect: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


@dataclass
class _Record:
    """A record that is not empty, and its line, or its row in a workbook."""

    line: int
    cells: list[str]


def read_sample(file: Path, sheet: str | None = None) -> Sample:
    """Read a sample; of a workbook the named sheet, by default the first one with rows.

    Raises:
        PermanentError: if the file is missing or empty, its format is unknown, it has no such sheet, or no rows.
    """
    kind = kind_of(file.name, FORMATS)
    if kind is None:
        known = ", ".join(f".{format_}" for format_ in FORMATS)
        raise PermanentError(
            f"{file} is of an unknown kind: a sample ends in {known}; those that are text also with .gz or .zst."
        )
    if sheet and kind.format != "xlsx":
        raise PermanentError(f"{file} has no sheets: `--sheet` is for workbooks.")
    try:
        with file.open("rb") as stored:
            if kind.format == "parquet":
                sample = _table("parquet", lambda found: found.parquet(stored))
            elif kind.format == "xlsx":
                sample = _workbook(stored, sheet)
            else:
                chunks = unzip(stored) if kind.format == "zip" else iter(lambda: stored.read(1 << 16), b"")
                content = _start(decompress(chunks, kind.compression, _ANY_SIZE))
                if kind.format == "jsonl":
                    whole = content if len(content) < _BYTES else content[: content.rfind(b"\n") + 1]
                    sample = _table("jsonl", lambda found: found.json_lines(read_text([whole]), {}))
                else:
                    sample = _text(content, kind.format)
    except OSError as error:
        raise PermanentError(f"{file} cannot be read: {error}.") from error
    except InvalidFileError as error:
        raise PermanentError(f"{file} cannot be read. {error.reason.message}") from error
    if not sample.names or not sample.rows:
        raise PermanentError(f"{file} has no rows. Name a sample with a few rows of real data.")
    return sample


def _start(chunks: Iterable[bytes]) -> bytes:
    content = b""
    for chunk in chunks:
        content += chunk
        if len(content) >= _BYTES:
            break
    return content[:_BYTES]


def _workbook(stored: IO[bytes], sheet: str | None) -> Sample:
    records = Records(_ANY_SIZE)
    sample = _table("xlsx", lambda found: found.workbook(stored, sheet), records)
    read = sheet or records.sheets[0]
    for later in () if sheet else records.sheets[1:]:
        if sample.rows:
            break
        stored.seek(0)
        sample = _table("xlsx", partial(Records.workbook, file=stored, sheet=later))
        read = later
    if sheet or read != records.sheets[0]:
        sample.dialect["sheet"] = read
    if len(records.sheets) > 1:
        others = ", ".join(title for title in records.sheets if title != read)
        sample.remarks.append(f"Only the sheet {read} is read, not: {others}. `--sheet` takes another one.")
    return sample


def _table(format_: str, read: Callable[[Records], Iterator[bytes]], records: Records | None = None) -> Sample:
    records = records or Records(_ANY_SIZE)
    rows: list[list[str]] = []
    for chunk in read(records):
        rows += csv.reader(io.StringIO(chunk.decode(), newline=""))
        if len(rows) > _ROWS:
            break
    lines = records.numbers
    if format_ == "xlsx":
        return _rows([_Record(*pair) for pair in zip(lines, rows, strict=True)], Sample(format_, [], []), whole=True)
    sound = [cells for line, cells in zip(lines, rows, strict=True) if line not in records.bad]
    return Sample(format_, sound[0] if sound else [], sound[1 : _ROWS + 1])


def _text(content: bytes, format_: str) -> Sample:
    sample = Sample(format_, [], [])
    encoding = _encoding(content)
    text = content.decode(encoding, errors="replace").lstrip("\ufeff")
    if encoding != "utf-8":
        sample.dialect["encoding"] = encoding
        sample.remarks.append(f"The text is not UTF-8; {encoding} reads it.")
    whole = len(content) < _BYTES
    if not whole:
        text = text[: text.rfind("\n") + 1]  # the last record may be cut
    marked = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    delimiter = marked[1] if marked else "\t" if format_ == "tsv" else _delimiter(text)
    if delimiter != ("\t" if format_ == "tsv" else ","):
        sample.dialect["delimiter"] = delimiter
    records = _records(text, delimiter)[bool(marked) :]
    notes = next((place for place, record in enumerate(records) if not _NOTE.match(record.cells[0])), 0)
    return _rows(records[notes if notes > 1 else 0 :], sample, whole=whole)  # one line may be the header


def _rows(records: list[_Record], sample: Sample, *, whole: bool) -> Sample:
    """Find the header of a sample, and what stands above and below its rows."""
    if not records:
        return sample
    dialect, remarks = sample.dialect, sample.remarks
    width = Counter(len(record.cells) for record in records).most_common(1)[0][0]
    if sample.format == "xlsx":  # a row ends with its last cell that is not empty
        first = next(place for place, record in enumerate(records) if len(record.cells) >= width)
        width = len(records[first].cells)
        records = [_Record(r.line, r.cells + [""] * (width - len(r.cells))) for r in records]
    else:
        first = next(place for place, record in enumerate(records) if len(record.cells) == width)
    skipped = records[first].line - 1
    names = [cell.strip(BLANKS) for cell in records[first].cells]
    body = records[first + 1 :]
    if _is_header(names):
        if repeated := sorted({name or "an empty cell" for name in names if names.count(name) > 1}):
            dialect["header"] = names
            skipped = body[0].line - 1 if body else skipped
            remarks.append(
                f"The header names more than once: {', '.join(repeated)}. The declaration names the columns."
            )
    else:
        body = records[first:]
        names, said = _header_above(records[first - 1].cells if first else [], width)
        dialect["header"] = names
        remarks.append(f"{said}. The declaration names the columns: check them.")
    if skipped:
        dialect["skip_lines"] = skipped
        if not dialect.get("header") or first:
            remarks.append(f"The first {skipped} lines are no rows.")
    last = len(body)
    while last > 1 and len(body) - last < 3 and _is_footer(body[last - 1].cells, width):
        last -= 1
    if last < len(body) and whole:
        dialect["footer_lines"] = len(body) - last
        remarks.append(f"The last {len(body) - last} lines are no rows.")
    rows = [record.cells for record in body[:last] if len(record.cells) == width][:_ROWS]
    if other := last - len(rows) if last <= _ROWS else 0:
        remarks.append(f"{other:,} lines have more or fewer cells than the header: they would be rejected.")
    return Sample(sample.format, names, rows, dialect, remarks)


def _header_above(cells: list[str], width: int) -> tuple[list[str], str]:
    """Return the names of columns from the record above the rows, which is not as wide, and what to say of them."""
    above = cells[:width]
    if len(above) == width and not any(cells[width:]) and _is_header(above):
        return above, "The header has more cells than the rows"
    if len(above) == width - 1 > 1 and _is_header(above):  # write.table of R
        return ["row_name", *above], "The header has one cell less than the rows; the first column is called row_name"
    return [f"column_{number}" for number in range(1, width + 1)], "The file has no header; the columns are numbered"


def _is_footer(cells: list[str], width: int) -> bool:
    return len(cells) != width or _TOTAL.match(cells[0].strip()) is not None


def _encoding(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(content) - error.start > 4 or len(content) < _BYTES:
            return "windows-1252"
    return "utf-8"


def _records(text: str, delimiter: str) -> list[_Record]:
    records: list[_Record] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    try:
        for cells in reader:
            if cells:
                records.append(_Record(line, cells))
            line = reader.line_num + 1
            if len(records) > _ROWS:
                break
    except csv.Error:
        pass  # what was read so far is the sample
    return records


def _delimiter(text: str) -> str:
    best = max(_DELIMITERS, key=lambda delimiter: _fit(text, delimiter))
    if _fit(text, best)[0]:
        return best
    # Blanks are in most texts: they separate cells only if nothing else does, and they do it in every line. The header
    # of R's write.table has one cell less than the rows.
    header, _, rows = text.partition("\n")
    share, width = _fit(rows, " ")
    named = share == 1 and width > 3 and [len(record.cells) for record in _records(header, " ")] == [width - 1]
    return " " if named or _fit(text, " ")[0] == 1 else ","


def _fit(text: str, delimiter: str) -> tuple[float, int]:
    """Tell how well a delimiter splits a text: the share of records of the usual width, if that is over one."""
    widths = Counter(len(record.cells) for record in _records(text[: 1 << 16], delimiter)[:-1]) or Counter([1])
    width, usual = widths.most_common(1)[0]
    return (usual / widths.total() if width > 1 else 0.0, width)


def _is_header(names: list[str]) -> bool:
    named = [name for name in names if name]
    data = [name for name in named if _DATA.fullmatch(name)]
    years = all(map(_YEAR.fullmatch, data)) and len(set(data)) == len(data)
    return len(named) > len(data) and (not data or years) and 2 * len(set(named)) >= len(named)
