"""What a case of the corpus is, and the few ways in which most of them are built."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

ARRIVED_AT: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)

# The order of a header as the simulator writes it, and the order in which findings are reported.
HEADER: Final = (
    "video_id,channel_id,channel_name,channel_subscribers,description,"
    "total_views,total_likes,total_dislikes,date_created,date_updated"
)
REPORTED: Final = (
    "video_id",
    "channel_id",
    "channel_name",
    "description",
    "channel_subscribers",
    "total_views",
    "total_likes",
    "total_dislikes",
    "date_created",
    "date_updated",
)
REQUIRED: Final = tuple(column for column in REPORTED if column not in ("total_likes", "total_dislikes"))

Entry = tuple[int, str | None, str, str | None]
Cells = Mapping[str, str]


@dataclass(frozen=True)
class Expected:
    """The verdict as the contract gives it.

    Attributes:
        reason: reason code of the file, None if it is accepted.
        missing_columns: in the order of the contract's table.
        entries: (line, column, code, value) of the first 1,000 rejected records.
        entry_counts: exact entries by code; None where `entries` holds them all.
        rows_total: records below the header.
        rows_rejected: those with at least one entry.
        drift: names of extra columns, in the order of the header.
        last_row: typed values (timestamps naive, UTC) of some columns of the last accepted row.
    """

    reason: str | None = None
    missing_columns: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    entry_counts: Mapping[str, int] | None = None
    rows_total: int = 0
    rows_rejected: int = 0
    drift: tuple[str, ...] = ()
    last_row: Mapping[str, object] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """Exact entries by code."""
        return dict(self.entry_counts or Counter(code for _, _, code, _ in self.entries))

    @property
    def rows_accepted(self) -> int:
        """Rows that reach the tables."""
        return self.rows_total - self.rows_rejected if self.reason is None else 0


@dataclass(frozen=True)
class Case:
    """One file of the corpus.

    Attributes:
        name: what is special about it.
        content: bytes of the file, or how to make them from the arrival.
        outcome: the verdict, or how to write it down given the arrival.
        object_key: the key, where it matters; else the name with `.csv`.
        max_file_bytes: the limit of size under which the outcome holds, bytes.
        max_rejected_share: the share under which the outcome holds.
        exact_arrival: the outcome holds only if the file arrives at the very microsecond it was built for;
            all others hold for an upload within the hour.
    """

    name: str
    content: bytes | Callable[[datetime], bytes]
    outcome: Expected | Callable[[datetime], Expected]
    object_key: str | None = None
    max_file_bytes: int = 5 * 2**30
    max_rejected_share: float = 0.1
    exact_arrival: bool = False

    @property
    def key(self) -> str:
        """The object key, different for each case."""
        return self.object_key or f"{self.name}.csv"

    @property
    def default_settings(self) -> bool:
        """Whether the outcome holds on a platform with default limits."""
        return self.max_file_bytes == 5 * 2**30 and self.max_rejected_share == 0.1

    def build(self, arrived_at: datetime = ARRIVED_AT) -> bytes:
        """The stored bytes, for a file that arrives at that time."""
        return self.content if isinstance(self.content, bytes) else self.content(arrived_at)

    def expected(self, arrived_at: datetime = ARRIVED_AT) -> Expected:
        """The verdict, for a file that arrives at that time."""
        return self.outcome if isinstance(self.outcome, Expected) else self.outcome(arrived_at)


def good_cells(name: str, n: int, cells: Cells = {}) -> dict[str, str]:  # noqa: B006  # never changed
    """Cells of a good row, in the order of HEADER; the video's id is the name and the number."""
    return {
        "video_id": f"{name}-{n}",
        "channel_id": "UC-corpus",
        "channel_name": "The corpus",
        "channel_subscribers": f"{1000 + n}",
        "description": f"Video {n}",
        "total_views": f"{100 * n}",
        "total_likes": f"{10 * n}",
        "total_dislikes": f"{n}",
        "date_created": "2025-06-01T00:00:00Z",
        "date_updated": f"2025-06-01T12:{n // 60 % 60:02}:{n % 60:02}Z",
        **cells,
    }


def line(cells: Iterable[str]) -> str:
    """A line of CSV without its end; a cell is quoted only where it must be."""
    return ",".join('"' + c.replace('"', '""') + '"' if set(c) & set('",\r\n') else c for c in cells)


def good_line(name: str, n: int = 1) -> str:
    """A good row as a line of CSV without its end."""
    return line(good_cells(name, n).values())


def good_lines(name: str, count: int) -> str:
    """So many good rows, numbered from 1, each with its line end."""
    return "".join(good_line(name, n) + "\n" for n in range(1, count + 1))


def snapshot(name: str, count: int = 1) -> bytes:
    """A good snapshot with so many rows."""
    return f"{HEADER}\n{good_lines(name, count)}".encode()


def condemned(name: str, reason: str, content: bytes | str, key: str | None = None) -> Case:
    """A file that is invalid as a whole before any of its rows is read."""
    data = content.encode() if isinstance(content, str) else content
    return Case(name, data, Expected(reason), key)


def accepted(
    name: str,
    content: bytes | str,
    rows: int,
    *,
    drift: tuple[str, ...] = (),
    key: str | None = None,
    **last_row: object,
) -> Case:
    """A file of which every row is accepted."""
    data = content.encode() if isinstance(content, str) else content
    return Case(name, data, Expected(rows_total=rows, drift=drift, last_row=last_row), key)


def accepts(name: str, cells: Cells, **last_row: object) -> Case:
    """Ten good rows and an odd one that is accepted, all the same, with these values."""
    return accepted(name, _with_odd_row(name, cells), 11, **last_row)  # type: ignore[arg-type]  # no keywords


def rejects(name: str, cells: Cells, *broken: tuple[str, str] | tuple[str, str, str]) -> Case:
    """Ten good rows, and on line 12 one that is rejected.

    Args:
        name: of the case.
        cells: what differs from a good row.
        broken: (column, code) of each entry, with the value where that is not the whole cell.
    """
    entries = tuple((12, b[0], b[1], b[2] if len(b) == 3 else cells[b[0]]) for b in broken)
    return Case(name, _with_odd_row(name, cells), Expected(entries=entries, rows_total=11, rows_rejected=1))


def _with_odd_row(name: str, cells: Cells) -> bytes:
    return snapshot(name, 10) + (line(good_cells(name, 11, cells).values()) + "\n").encode()
