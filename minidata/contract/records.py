"""Records of JSON lines, Parquet and workbooks, written as CSV: the same rules then hold for all of them.

Each source yields CSV text with a header in which every cell is quoted, and remembers the number of each record: the
line, or the row where a format has no lines.
"""

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import IO, Any, Final, TypeVar

import numpy as np
import polars as pl

from minidata.contract.archived import judged, open_zip
from minidata.contract.slices import Slice
from minidata.contract.verdict import Budget, InvalidFileError, reason
from minidata.dataset import BooleanColumn, Column, DateColumn, TimestampColumn

TYPED: Final = ("jsonl", "parquet", "xlsx")
"""The formats that are read here; their cells have types."""

_ROWS: Final = 20_000  # read at once
_BYTES: Final = 4 << 20  # of them, in JSON lines, where a byte can take twenty of memory
_STRINGS_BYTES: Final = 256 << 20  # of the texts of a workbook, which are held in memory
_STRINGS: Final = "xl/sharedStrings.xml"
_Record = TypeVar("_Record", bytes, list[str])


def for_typed_cells(columns: Mapping[str, Column]) -> dict[str, Column]:
    """Let columns also take dates, times and truth values as this module writes them."""
    typed: dict[str, Column] = {}
    for name, column in columns.items():
        match column:
            case DateColumn():
                update: dict[str, Any] = {"formats": [*column.formats, "%Y-%m-%d", "%Y-%m-%d 00:00:00"]}
            case TimestampColumn():
                update = {"formats": list(dict.fromkeys((*column.formats, "iso")))}
            case BooleanColumn():
                words = {"true_words": [*column.true_words, "true"], "false_words": [*column.false_words, "false"]}
                update = words
            case _:
                update = {}
        typed[name] = column.model_copy(update=update)
    return typed


class Records:
    """The records of one file as CSV; `numbers` are those of the records so far, and `bad` those without cells.

    Args:
        budget: of the bytes that may come out.
    """

    def __init__(self, budget: Budget) -> None:
        self.numbers: list[int] = []
        self.bad: set[int] = set()
        self.sheets: list[str] = []
        self._budget = budget
        self._left = budget.size

    def numbered(self, cut: Iterable[Slice]) -> Iterator[Slice]:
        """Give the records of slices their numbers."""
        done = 0
        for found in cut:
            numbers = self.numbers[: len(found.starts)]
            del self.numbers[: len(found.starts)]
            done += len(numbers)
            bad = np.array([number in self.bad for number in numbers], bool) if self.bad else None
            yield replace(found, lines=np.array(numbers, np.int64), bad=bad)

    def json_lines(self, text: Iterable[bytes], columns: Mapping[str, Column]) -> Iterator[bytes]:
        """Write the objects of JSON lines: the declared columns, and the keys of the first lines that are unknown."""
        names: list[str] = []
        for batch in _batches(enumerate(_lines(text), 1)):
            objects = [(number, line, _object(line)) for number, line in batch if line.strip()]
            if not names and objects:
                names = _names([found for _, _, found in objects if found is not None], columns)
                yield self._csv([(0, names)])
            yield self._csv(
                (number, _cells(found, names, columns) if found is not None else self._bad(number, line))
                for number, line, found in objects
            )

    def parquet(self, file: IO[bytes]) -> Iterator[bytes]:
        """Write the rows of a Parquet file.

        Raises:
            InvalidFileError: `unreadable_file`.
        """
        with judged("unreadable_file", "The file is not Parquet that can be read"):
            frame = pl.scan_parquet(file)
            schema = frame.collect_schema()
            yield self._csv([(0, schema.names())])
            text = frame.select(_as_text(name, dtype) for name, dtype in schema.items())
            start = 0
            while len(rows := text.slice(start, _ROWS).collect()):
                yield self._csv(enumerate(rows.rows(), start + 1))
                start += len(rows)

    def workbook(
        self, file: IO[bytes], sheet: str | None = None, *, skip_rows: int = 0, width: int = 0
    ) -> Iterator[bytes]:
        """Write the rows of a sheet of a workbook, by default the first, without empty ones.

        A row ends with its last cell that is not empty, and has at least `width` cells, by default those of the first.
        The titles of all sheets go to `sheets`.

        Raises:
            InvalidFileError: `unreadable_file` or `too_large`.
        """
        import openpyxl  # noqa: PLC0415  only for this format

        warnings.filterwarnings("ignore", module="openpyxl")  # of styles and extensions, which are not read

        with judged("unreadable_file", "The file is not a workbook that can be read"):
            self._check_size(file)
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            self.sheets = [found.title for found in book.worksheets]
            if sheet is not None and sheet not in self.sheets:
                what = f"The workbook has no sheet {sheet}; it has: {', '.join(self.sheets[:20])}."
                raise InvalidFileError(reason("unreadable_file", what))
            read = book.worksheets[self.sheets.index(sheet or self.sheets[0])]
            read.reset_dimensions()  # the size that a workbook states is often wrong, and would hide rows
            rows = enumerate(read.iter_rows(values_only=True), 1)
            written = ((number, [_cell(value) for value in row]) for number, row in rows if number > skip_rows)
            kept = ((number, cells) for number, cells in written if any(cells))
            for batch in _batches(kept):
                cut = [(number, cells[: _width(cells)]) for number, cells in batch]
                width = width or len(cut[0][1])
                yield self._csv((number, cells + [""] * (width - len(cells))) for number, cells in cut)

    def _check_size(self, file: IO[bytes]) -> None:
        sizes = {part.filename: part.file_size for part in open_zip(file).infolist()}
        file.seek(0)
        if sum(sizes.values()) > self._left:
            raise InvalidFileError(self._budget.exceeded)
        if sizes.get(_STRINGS, 0) > _STRINGS_BYTES:
            what = f"The texts of the workbook have more than {_STRINGS_BYTES >> 20} MiB, and are held in memory."
            raise InvalidFileError(reason("too_large", f"{what} Save it as CSV."))

    def _bad(self, number: int, line: bytes) -> list[str]:
        self.bad.add(number)
        return [line.decode("utf-8", "replace")]

    def _csv(self, records: Iterable[tuple[int, Iterable[Any]]]) -> bytes:
        lines = []
        for number, cells in records:
            self.numbers.append(number)
            lines.append(",".join('"' + ("" if cell is None else cell).replace('"', '""') + '"' for cell in cells))
        data = "".join(f"{line}\n" for line in lines).encode()
        self._left -= len(data)
        if self._left < 0:
            raise InvalidFileError(self._budget.exceeded)
        return data


def _batches(records: Iterable[tuple[int, _Record]]) -> Iterator[list[tuple[int, _Record]]]:
    """Group records so that the bytes or cells of a group fit into memory."""
    batch: list[tuple[int, _Record]] = []
    size = 0
    for number, record in records:
        batch.append((number, record))
        size += len(record)
        if len(batch) == _ROWS or size > _BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _lines(text: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in text:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
        if len(rest) > _BYTES:
            what = f"A line is longer than {_BYTES >> 20} MiB, so this is hardly one object on each line."
            raise InvalidFileError(reason("unreadable_file", what))
    if rest:
        yield rest


def _object(line: bytes) -> dict[str, Any] | None:
    """Read a line; numbers stay as they are written. None if it is no object."""
    try:
        found = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
        line.decode().encode()
        json.dumps(found, ensure_ascii=False).encode()  # no halves of surrogate pairs
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _names(objects: Iterable[dict[str, Any]], columns: Mapping[str, Column]) -> list[str]:
    """Name the columns of JSON lines; a declared one that is not optional is missing if the first lines lack it."""
    seen = dict.fromkeys(key for found in objects for key in found)
    known = {alias for name, column in columns.items() for alias in (name, *column.aliases)}
    declared = [
        name
        for name, column in columns.items()
        if column.optional or not seen.keys().isdisjoint((name, *column.aliases))
    ]
    return [*declared, *(key for key in seen if key not in known)]


def _cells(found: dict[str, Any], names: list[str], columns: Mapping[str, Column]) -> list[str]:
    cells = []
    for name in names:
        aliases = columns[name].aliases if name in columns else []
        cells.append(_cell(next((found[key] for key in (name, *aliases) if key in found), None)))
    return cells


def _width(cells: list[str]) -> int:
    """Return the number of cells without the empty ones at the end."""
    return next(number for number in range(len(cells), 0, -1) if cells[number - 1])


def _cell(value: Any) -> str:
    """Write a value of JSON or of a workbook as a cell."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):  # a workbook keeps 15 digits
        return f"{Decimal(f'{value:.15g}'):f}"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, int | date | time):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    """Write a column of Parquet as text."""
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        instant = column.dt.convert_time_zone("UTC") if dtype.time_zone else column
        return instant.dt.strftime("%Y-%m-%d %H:%M:%S%.6f" + ("Z" if dtype.time_zone else ""))
    if dtype == pl.Boolean:
        return pl.when(column).then(pl.lit("true")).when(~column).then(pl.lit("false")).alias(name)
    if dtype.is_float():  # whole numbers with nulls are often kept as floats
        whole = column.cast(pl.Int64, strict=False)
        return pl.when(column == whole).then(whole.cast(pl.String)).otherwise(column.cast(pl.String)).alias(name)
    if dtype == pl.Binary:
        return column.cast(pl.String, strict=False)
    if dtype.is_nested():
        return column.map_elements(lambda value: json.dumps(value, default=str, ensure_ascii=False), pl.String)
    return column.cast(pl.String)
