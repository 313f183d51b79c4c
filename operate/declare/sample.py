"""Reads the start of a sample file and finds out how it is written."""

import csv
import gzip
import io
import re
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import polars as pl
import zstandard

from minidata.errors import PermanentError

_BYTES = 4 << 20  # of the content, at most
_ROWS = 20_000
_DELIMITERS = (",", ";", "\t", "|")
_ENDINGS = {"csv": "csv", "tsv": "tsv", "tab": "tsv", "jsonl": "jsonl", "parquet": "parquet", "xlsx": "xlsx"}
_TOTAL = re.compile(r"(grand |sub)?(total|sum|summe|gesamt|somme|suma|totale)\b", re.IGNORECASE)
_DATA = re.compile(r"[-+]?[0-9][0-9.,:/ TZ+-]*|true|false", re.IGNORECASE)


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


def read_sample(file: Path) -> Sample:
    """Read a sample.

    Raises:
        PermanentError: if the file is missing or empty, its format is unknown, or it has no rows.
    """
    try:
        sample = _read(file)
    except (OSError, EOFError, zipfile.BadZipFile, zstandard.ZstdError) as error:
        raise PermanentError(f"{file} cannot be read: {error}.") from error
    except pl.exceptions.PolarsError as error:
        raise PermanentError(f"{file} is not {file.suffix}: {error}.") from error
    if not sample.names or not sample.rows:
        raise PermanentError(f"{file} has no rows. Name a sample with a few rows of real data.")
    return sample


def _read(file: Path) -> Sample:
    name = file.name.lower()
    packed = name.rsplit(".", 1)[-1] if name.endswith((".gz", ".zst", ".zip")) else ""
    inner = name.removesuffix(f".{packed}") if packed else name
    with file.open("rb") as stored:
        if packed == "zip":
            with zipfile.ZipFile(stored) as archive:
                members = [m for m in archive.infolist() if not m.is_dir()]
                if len(members) != 1:
                    raise PermanentError(f"{file} has {len(members)} members; a zip file must have exactly one.")
                inner = members[0].filename.lower()
                content = archive.open(members[0]).read(_BYTES)
        else:
            content = _unpacked(stored, packed).read(_BYTES if not name.endswith((".parquet", ".xlsx")) else -1)
    kind = _ENDINGS.get(inner.rsplit(".", 1)[-1])
    if kind is None:
        known = ", ".join(f".{ending}" for ending in _ENDINGS if ending != "tab")
        raise PermanentError(
            f"{file} is of an unknown kind: a sample ends in {known}, or in one of these and .gz, .zst or .zip."
        )
    if kind in ("csv", "tsv"):
        sample = _text(content, kind)
        return Sample("zip", sample.names, sample.rows, sample.dialect, sample.remarks) if packed == "zip" else sample
    return _table(content, kind)


def _unpacked(stored: IO[bytes], packed: str) -> IO[bytes]:
    if packed == "gz":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=stored))
    return zstandard.ZstdDecompressor().stream_reader(stored, read_across_frames=True) if packed == "zst" else stored


def _table(content: bytes, kind: str) -> Sample:
    data = io.BytesIO(content)
    if kind == "parquet":
        frame = pl.read_parquet(data, n_rows=_ROWS)
    elif kind == "jsonl":
        frame = pl.read_ndjson(io.BytesIO(content[: content.rfind(b"\n") + 1] or content), n_rows=_ROWS)
    else:
        frame = pl.read_excel(data).head(_ROWS)
    cells = [["" if cell is None else _as_text(cell) for cell in row] for row in frame.iter_rows()]
    return Sample(kind, frame.columns, cells)


def _as_text(cell: Any) -> str:
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


def _text(content: bytes, kind: str) -> Sample:
    dialect: dict[str, Any] = {}
    remarks = []
    encoding = _encoding(content)
    text = content.decode(encoding, errors="replace").lstrip("\ufeff")
    if encoding not in ("utf-8", "utf-8-sig"):
        dialect["encoding"] = encoding
        remarks.append(f"The text is not UTF-8; {encoding} reads it.")
    if len(content) == _BYTES:
        text = text[: text.rfind("\n") + 1]  # the last record may be cut
    marked = re.match(r"sep=(.)\r?\n", text, re.IGNORECASE)
    delimiter = marked[1] if marked else "\t" if kind == "tsv" else max(_DELIMITERS, key=lambda d: _fit(text, d))
    if delimiter != ("\t" if kind == "tsv" else ","):
        dialect["delimiter"] = delimiter
    records = [r for r in _records(text, delimiter) if r]
    if not records:
        return Sample(kind, [], [])
    width = Counter(len(record) for record in records).most_common(1)[0][0]
    first = next(place for place, record in enumerate(records) if len(record) == width and (place or not marked))
    if first:
        dialect["skip_lines"] = _lines_before(text, delimiter, first)
        remarks.append(f"The first {dialect['skip_lines']} lines are no rows.")
    records = records[first:]
    body = records
    if _is_header(records[0]):
        names, body = [name.strip(" \t\r\n\u00a0\u200b\ufeff") for name in records[0]], records[1:]
    else:
        names = [f"column_{number}" for number in range(1, width + 1)]
        dialect["header"] = names
        remarks.append("The file has no header; the columns are numbered. Give them names.")
    last = len(body)
    while (
        last > 1 and (len(body[last - 1]) != width or _TOTAL.match(body[last - 1][0].strip())) and len(body) - last < 3
    ):
        last -= 1
    if last < len(body) and len(content) < _BYTES:
        dialect["footer_lines"] = len(body) - last
        remarks.append(f"The last {len(body) - last} lines are no rows.")
    return Sample(kind, names, [r for r in body[:last] if len(r) == width][:_ROWS], dialect, remarks)


def _encoding(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(content) - error.start > 4 or len(content) < _BYTES:
            return "windows-1252"
    return "utf-8"


def _records(text: str, delimiter: str) -> list[list[str]]:
    records: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            records.append(record)
            if len(records) > _ROWS:
                break
    except csv.Error:
        pass  # what was read so far is the sample
    return records


def _fit(text: str, delimiter: str) -> tuple[float, int]:
    """Tell how well a delimiter splits a text: the share of records of the usual width, if that is over one."""
    widths = Counter(len(record) for record in _records(text[: 1 << 16], delimiter)[:-1] or [["one"]])
    width, records = widths.most_common(1)[0]
    return (records / widths.total() if width > 1 else 0.0, width)


def _is_header(record: list[str]) -> bool:
    cells = [cell.strip() for cell in record]
    named = [cell for cell in cells if cell]
    return bool(named) and len(set(named)) == len(named) and not any(_DATA.fullmatch(cell) for cell in named)


def _lines_before(text: str, delimiter: str, records: int) -> int:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    found = 0
    while found < records:
        found += bool(next(reader))
    lines = reader.line_num
    while not next(reader):  # empty lines before the header
        lines = reader.line_num
    return lines
