"""From a snapshot to what is uploaded of it: usually the file, sometimes with a fault."""

import gzip
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import zstandard

from simulator.bad_rows import AHEAD, spoil_some
from simulator.chance import stream
from simulator.faults import Faults
from simulator.malformed import MALFORMED
from simulator.snapshot import HEADER, Row, cells, snapshot_key, to_csv

HUGE_INSTANTS = 120  # instants in a huge file
_HUGE_STEP = timedelta(seconds=5)
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Draft:
    """A snapshot that is about to be written.

    Attributes:
        sequence: its number in the feed, from 0.
        taken: its instant.
        rows: its rows.
        earlier: gives the rows of an earlier instant.
    """

    sequence: int
    taken: datetime
    rows: list[Row]
    earlier: Callable[[datetime], list[Row]]


@dataclass(frozen=True)
class Delivery:
    """Bytes to upload.

    Attributes:
        key: of the object.
        data: its bytes.
        rows: how many it was written from; 0 of an empty file.
        fault: what is wrong with it, or None.
        hold: how many snapshots later than its own time it is uploaded.
    """

    key: str
    data: bytes
    rows: int
    fault: str | None = None
    hold: int = 0


def deliver(draft: Draft, faults: Faults, seed: int) -> list[Delivery]:
    """Write a snapshot, with the fault that its number draws.

    The chance depends on the seed and the number alone: a feed that was restarted goes on as if it had not been.
    """
    draw = stream(seed, "faults", draft.sequence)
    fault = faults.pick(draw)
    if fault is None:
        return [_file(draft, to_csv(cells(draft.rows)))]
    return list(_spoilt(draft, fault, draw))


def _file(
    draft: Draft, data: bytes, fault: str | None = None, suffix: str = ".csv", *, rows: int | None = None, hold: int = 0
) -> Delivery:
    count = len(draft.rows) if rows is None else rows
    return Delivery(snapshot_key(draft.taken, draft.sequence, suffix), data, count, fault, hold)


def _spoilt(draft: Draft, fault: str, draw: random.Random) -> Iterator[Delivery]:
    if fault == "malformed":
        kind = MALFORMED[draw.choice(list(MALFORMED))]
        yield _file(draft, kind.make(draft.rows, draw), fault, kind.suffix)
    elif fault == "huge":
        before = (draft.taken - step * _HUGE_STEP for step in reversed(range(1, HUGE_INSTANTS)))
        rows = [row for instant in before for row in draft.earlier(instant)] + draft.rows
        yield _file(draft, to_csv(cells(rows)), fault, rows=len(rows))
    elif fault == "empty":
        yield _file(draft, draw.choice((b"", b"\r\n", _BOM)), fault, rows=0)
    elif fault == "skewed_clock":
        ahead = timedelta(days=draw.randrange(*AHEAD))
        rows = [row._replace(date_updated=row.date_updated + ahead) for row in draft.rows]
        yield _file(draft, to_csv(cells(rows)), fault)
    elif fault == "drifted":
        yield _file(draft, _drifted(cells(draft.rows), draw), fault)
    elif fault == "bad_rows":
        yield _file(draft, to_csv(spoil_some(cells(draft.rows), draft.rows, draw)), fault)
    else:
        yield from _moved_or_packed(draft, to_csv(cells(draft.rows)), fault, draw)


def _moved_or_packed(draft: Draft, data: bytes, fault: str, draw: random.Random) -> Iterator[Delivery]:
    """Treat a good file as faults of time and packing do."""
    if fault == "late":
        yield _file(draft, data, fault, hold=draw.randint(4, 40))
    elif fault == "out_of_order":
        yield _file(draft, data, fault, hold=1)
    elif fault == "duplicate":
        yield _file(draft, data)
        yield _file(draft, data, fault, draw.choice((".csv", "-copy.csv")))
    elif fault == "bom":
        yield _file(draft, _BOM + data, fault)
    else:
        cut = draw.choice((0, data.index(b"\r\n") + 2))  # two members, the header alone in the first
        parts = [part for part in (data[:cut], data[cut:]) if part]
        if fault == "gzip":
            yield _file(draft, b"".join(gzip.compress(part, mtime=0) for part in parts), fault, ".csv.gz")
        else:
            packed = [zstandard.ZstdCompressor().compress(part) for part in parts]
            yield _file(draft, b"".join(packed), fault, ".csv.zst")


def _drifted(table: list[list[str]], draw: random.Random) -> bytes:
    """Move the columns, add one, or both."""
    lines = [[*HEADER], *table]
    how = draw.choice(("moved", "added", "both"))
    if how != "moved":
        name = draw.choice(("comment_count", "category", "thumbnail url", ""))
        lines = [[*line, name if place == 0 else str(draw.randrange(5000))] for place, line in enumerate(lines)]
    if how != "added":
        order = draw.sample(range(len(lines[0])), len(lines[0]))
        lines = [[line[place] for place in order] for line in lines]
    return to_csv(lines[1:], lines[0])
