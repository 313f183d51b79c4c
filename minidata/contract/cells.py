"""The exact rules of a row, cell by cell, in plain Python: the one source of every row's reason codes."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from minidata.contract.verdict import RejectEntry
from minidata.dataset import Column, IntegerColumn, TextColumn, TimestampColumn

BLANKS: Final = " \t\r\n"
"""What trimming cuts at both ends of a cell."""

Value = str | int | datetime

_LARGEST = 2**63 - 1
_CUT_VALUE = 200
_CELL = re.compile(r'(?:"((?:[^"]++|"")*+)"|([^,]*+)),')
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_DIGITS = re.compile(r"[0-9]++")
_NEGATIVE = re.compile(r"-[0-9]++")
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?"
    r"(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))?"
)


def cells_of(record: bytes) -> list[str]:
    """Return the cells of one sound record as the CSV means them: unquoted, untrimmed.

    >>> cells_of(b'a"b, "c",d')
    ['a"b', ' "c"', 'd']
    """
    found = _CELL.findall((record + b",").decode())
    return [quoted.replace('""', '"') if quoted else plain for quoted, plain in found]


class BrokenRuleError(Exception):
    """A cell breaks a rule; the argument is the reason code."""


class Judged(NamedTuple):
    """What is said of a record: its typed values, or what is wrong with it."""

    values: list[Value]
    entries: list[RejectEntry]


class Judge:
    """Judges single rows.

    Args:
        columns: the declared columns.
        positions: where each stands in the file.
        latest: the greatest instant that each timestamp column with a limit may hold; naive, in UTC.
    """

    def __init__(
        self, columns: Mapping[str, Column], positions: Mapping[str, int], latest: Mapping[str, datetime]
    ) -> None:
        self._cells = [(name, positions[name], reader_of(column)) for name, column in columns.items()]
        self._instants = {name: column for name, column in columns.items() if isinstance(column, TimestampColumn)}
        self._latest = latest

    def judge(self, record: bytes, line: int) -> Judged:
        """Judge a record that has as many cells as the header; entries come in declared order."""
        cells = cells_of(record)
        values: dict[str, Value] = {}
        broken: dict[str, list[str]] = {}
        for name, position, read in self._cells:
            try:
                values[name] = read(cells[position])
            except BrokenRuleError as error:
                broken[name] = [str(error)]
        for name, column in self._instants.items():
            if name in values and (codes := self._compare(name, column, values)):
                broken[name] = codes
        entries = [
            RejectEntry(line, name, code, cells[position][:_CUT_VALUE])
            for name, position, _ in self._cells
            for code in broken.get(name, ())
        ]
        return Judged(list(values.values()), entries)

    def _compare(self, name: str, column: TimestampColumn, values: Mapping[str, Value]) -> list[str]:
        """Return the rules that an instant breaks against its file's arrival and its row's other instants."""
        codes = []
        value = values[name]
        if name in self._latest and value > self._latest[name]:  # type: ignore[operator]  # both instants
            codes.append("future_timestamp")
        other = values.get(column.not_before or "")
        if other is not None and value < other:  # type: ignore[operator]  # both instants
            codes.append("updated_before_created")
        return codes


def reader_of(column: Column) -> Callable[[str], Value]:
    """Return what makes the typed value of a cell; instants are naive, in UTC.

    The reader raises BrokenRuleError with the one code that holds for the cell by itself.
    """
    match column:
        case TextColumn():
            read: Callable[[str], Value] = partial(_text, column)
        case IntegerColumn():
            read = _integer
        case TimestampColumn():
            read = _timestamp

    def read_cell(cell: str) -> Value:
        if _CONTROL.search(cell):
            raise BrokenRuleError("control_character")
        return read(cell)

    return read_cell


def _text(column: TextColumn, cell: str) -> str:
    text = cell.strip(BLANKS) if column.trimmed else cell
    if len(text) < column.min_length:
        raise BrokenRuleError("missing_value")
    if len(text) > column.max_length:
        raise BrokenRuleError("too_long")
    return text


def _integer(cell: str) -> int:
    text = cell.strip(BLANKS)
    if not text:
        raise BrokenRuleError("missing_value")
    if _NEGATIVE.fullmatch(text):
        raise BrokenRuleError("negative")
    if not _DIGITS.fullmatch(text):
        raise BrokenRuleError("not_an_integer")
    digits = text.lstrip("0") or "0"
    # The length first: Python refuses to convert thousands of digits.
    if len(digits) > len(str(_LARGEST)) or int(digits) > _LARGEST:
        raise BrokenRuleError("out_of_range")
    return int(digits)


def _timestamp(cell: str) -> datetime:
    text = cell.strip(BLANKS)
    if not text:
        raise BrokenRuleError("missing_value")
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        raise BrokenRuleError("not_a_timestamp")
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = found.groups(default="0")
    microsecond = int(fraction.ljust(6, "0"))
    try:
        local = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), microsecond)  # noqa: DTZ001
        east = timedelta(hours=int(hours), minutes=int(minutes))
        return local + east if sign == "-" else local - east
    except (ValueError, OverflowError):
        raise BrokenRuleError("not_a_timestamp") from None
