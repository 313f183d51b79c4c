"""What the contract says of one file: its reason code, or its rows and all that is wrong with the others."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

from tests.oracle import cells, container, csv_text

KEPT_RECORDS: Final = 1000
CUT_VALUE: Final = 200


class Row(NamedTuple):
    """An accepted row: trimmed texts, counts, timestamps as naive UTC; columns in the contract's order."""

    video_id: str
    channel_id: str
    channel_name: str
    description: str
    channel_subscribers: int
    total_views: int
    total_likes: int | None
    total_dislikes: int | None
    date_created: datetime
    date_updated: datetime


class Entry(NamedTuple):
    """One broken rule of one record; column and value are None for `wrong_cell_count`."""

    line: int
    column: str | None
    code: str
    value: str | None


@dataclass(frozen=True)
class Verdict:
    """`reason` is None for an accepted file; `rows` is empty for any other.

    Counts and entries are kept by `too_many_rejected_rows`; `drift` is told of every file whose header holds
    (accepted, `no_rows`, `too_many_rejected_rows`), in the order of the header, repetitions included.
    """

    reason: str | None = None
    missing_columns: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    rows_total: int = 0
    rows_rejected: int = 0
    rows: list[Row] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)


def judge(
    name: str,
    data: bytes,
    arrived_at: datetime,
    *,
    max_file_bytes: int = 5 * 2**30,
    max_rejected_share: float | Decimal = 0.1,
) -> Verdict:
    """Judges one file.

    Args:
        name: the object key; only its end matters.
        data: the stored bytes.
        arrived_at: when the object arrived, with a timezone.
        max_file_bytes: limit of the stored and of the decompressed size, bytes.
        max_rejected_share: more condemns the file; read as the decimal that it prints as.
    """
    try:
        text = _text(name, data, max_file_bytes)
        lines = list(csv_text.records(text))
    except _CondemnedError as condemned:
        return Verdict(reason=str(condemned))
    except csv_text.NotCsvError:
        return Verdict(reason="not_csv")

    header = [cell.strip(cells.BLANKS) for cell in lines[0][1]]
    if any(header.count(column) > 1 for column in cells.RULES):
        return Verdict(reason="duplicate_column")
    missing = [column for column in cells.RULES if column not in header and column not in cells.OPTIONAL]
    if missing:
        return Verdict(reason="missing_column", missing_columns=missing)
    drift = [column for column in header if column not in cells.RULES]
    if len(lines) == 1:
        return Verdict(reason="no_rows", drift=drift)
    return _judge_rows(header, lines[1:], arrived_at, Fraction(str(max_rejected_share)), drift)


class _CondemnedError(Exception):
    """The file is invalid as a whole; the argument is its reason code."""


def _text(name: str, data: bytes, limit: int) -> str:
    """The CSV as text, without its byte order mark."""
    kind = container.kind(name)
    if kind is None:
        raise _CondemnedError("unsupported_file_type")
    if len(data) > limit:
        raise _CondemnedError("too_large")
    if container.says_nothing(data):
        raise _CondemnedError("empty_file")
    try:
        if kind == "gz":
            data = container.gunzip(data, limit)
        elif kind == "zst":
            data = container.unzstd(data, limit)
    except container.TooLargeError as error:
        raise _CondemnedError("too_large") from error
    except container.BadCompressionError as error:
        raise _CondemnedError("bad_compression") from error
    if container.says_nothing(data):
        raise _CondemnedError("empty_file")
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise _CondemnedError("not_utf8") from error


def _judge_rows(
    header: list[str],
    lines: list[tuple[int, list[str]]],
    arrived_at: datetime,
    share: Fraction,
    drift: list[str],
) -> Verdict:
    latest_allowed = arrived_at.astimezone(UTC).replace(tzinfo=None) + timedelta(hours=24)
    where = [(column, header.index(column)) for column in cells.RULES if column in header]
    counts: Counter[str] = Counter()
    kept: list[Entry] = []
    rows: list[Row] = []
    rejected = 0
    for line, record in lines:
        if len(record) != len(header):
            entries = [Entry(line, None, "wrong_cell_count", None)]
        else:
            entries = _judge_row(line, [(column, record[i]) for column, i in where], latest_allowed, rows)
        if entries:
            rejected += 1
            counts.update(entry.code for entry in entries)
            if rejected <= KEPT_RECORDS:
                kept += entries
    too_many = Fraction(rejected, len(lines)) > share
    return Verdict(
        reason="too_many_rejected_rows" if too_many else None,
        counts=dict(counts),
        entries=kept,
        rows_total=len(lines),
        rows_rejected=rejected,
        rows=[] if too_many else rows,
        drift=drift,
    )


def _judge_row(line: int, record: list[tuple[str, str]], latest_allowed: datetime, accepted: list[Row]) -> list[Entry]:
    """The entries of one record of the right width; a record without any is appended to `accepted`."""
    values: dict[str, Any] = dict.fromkeys(cells.OPTIONAL)
    entries = []
    for column, cell in record:
        try:
            values[column] = cells.read(column, cell)
            codes = []
        except cells.RejectedError as rejected:
            codes = [rejected.code]
        if column == "date_updated" and not codes:  # it is the last column: date_created is known by now
            created, updated = values.get("date_created"), values["date_updated"]
            if updated > latest_allowed:
                codes.append("future_timestamp")
            if created is not None and updated < created:
                codes.append("updated_before_created")
        entries += [Entry(line, column, code, cell[:CUT_VALUE]) for code in codes]
    if not entries:
        accepted.append(Row(**values))
    return entries
