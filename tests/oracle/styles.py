"""The many ways to write down the same snapshot: order, padding, quotes, line ends, offsets, compression."""

import gzip
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

import zstandard

from tests.oracle.cells import OPTIONAL, RULES
from tests.oracle.verdict import Row

COLUMNS: Final = tuple(RULES)
_TIMES: Final = ("date_created", "date_updated")
_COUNTS: Final = ("channel_subscribers", "total_views", "total_likes", "total_dislikes")
_EXTRA: Final = ("country", "", "tag", "tag", "Video_ID", "line", "über, extra")
_PADDING: Final = ("", " ", "\t", "  ", "\r\n ", "\n", "\u00a0", "\u200b", "\ufeff ")
_OFFSETS: Final = (
    timedelta(0),
    timedelta(hours=5, minutes=30),
    timedelta(hours=-11),
    timedelta(hours=23, minutes=59),
)


def quoted(cell: str) -> str:
    """The cell in quotes."""
    return '"' + cell.replace('"', '""') + '"'


def plain_cell(cell: str) -> str:
    """The cell, in quotes only if it would be read as something else without."""
    return quoted(cell) if cell.startswith('"') or set(cell) & set(",\r\n") else cell


def plain_snapshot(rows: Iterable[Row]) -> bytes:
    """Accepted rows as the plainest CSV that is read as just these rows."""
    lines = [COLUMNS]
    for row in rows:
        cells = row._asdict()
        cells |= {column: f"{cells[column].isoformat(timespec='microseconds')}Z" for column in _TIMES}
        lines.append(tuple("" if cell is None else str(cell) for cell in cells.values()))
    return "".join(",".join(map(plain_cell, cells)) + "\n" for cells in lines).encode()


def respelled(rng: Random, cells: Mapping[str, str]) -> dict[str, str]:
    """The same row with other spellings of its values: padding, leading zeros, offsets."""
    spelled = {**cells, **{column: respelled_time(rng, cells[column]) for column in _TIMES}}
    for column, cell in spelled.items():
        if column in _COUNTS and cell and rng.random() < 0.05:
            spelled[column] = "0" * rng.randint(1, 40) + cell
        elif column != "description" and rng.random() < 0.05:
            spelled[column] = rng.choice(_PADDING) + cell + rng.choice(_PADDING)
    return spelled


def respelled_time(rng: Random, iso: str) -> str:
    """The same moment, given as naive UTC in ISO format, in another of the accepted spellings."""
    moment = datetime.fromisoformat(iso)
    east = rng.choice(_OFFSETS)
    wall = moment + east
    if wall.microsecond:
        text = wall.isoformat(timespec="microseconds").rstrip("0")
    elif wall.second or rng.random() < 0.5:
        text = wall.isoformat(timespec="seconds")
    else:
        text = wall.isoformat(timespec="minutes")
    minutes = abs(int(east.total_seconds())) // 60
    zone = f"{'-' if east < timedelta(0) else '+'}{minutes // 60:02}:{minutes % 60:02}"
    zone = rng.choice((zone, zone, zone.replace(":", "")))
    if not minutes % 60 and rng.random() < 0.3:
        zone = zone[:3]
    if not minutes:
        zone = rng.choice(("Z", "", " UTC", "-00:00", zone))
    return text.replace("T", rng.choice("T ")) + zone


class Style:
    """How one file is written: drawn once, then the same for all of its rows."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.order = list(COLUMNS)
        if rng.random() < 0.4:
            rng.shuffle(self.order)
        for name in rng.sample(_EXTRA, rng.randint(1, 3) if rng.random() < 0.25 else 0):
            self.order.insert(rng.randint(0, len(self.order)), name)
        if rng.random() < 0.1:  # unknown in all of the file
            self.order.remove(rng.choice(OPTIONAL))
        self._quote_share = rng.choice((0, 0, 0, 0.3, 1))
        self._line_ends = rng.choice((("\n",), ("\n",), ("\r\n",), ("\n", "\r\n"), ("\n", "\n\n", "\r\n\n")))
        self._bom = "\ufeff" if rng.random() < 0.15 else ""
        self._last_end = rng.random() < 0.8

    def header(self) -> list[str]:
        """Names as they stand in the file, some of them padded."""
        return [f" {name}\t" if self._rng.random() < 0.03 else name for name in self.order]

    def record(self, cells: Mapping[str, str]) -> list[str]:
        """The cells in the order of the header; extra columns get anything, NULs too."""
        return [cells[name] if name in cells else self._rng.choice(("", "x", "\x00", "1,2")) for name in self.order]

    def text(self, records: Sequence[Sequence[str]]) -> str:
        """Header and records as one text."""
        lines = []
        for record in records:
            cells = (quoted(c) if self._rng.random() < self._quote_share else plain_cell(c) for c in record)
            lines.append(",".join(cells) + self._rng.choice(self._line_ends))
        if not self._last_end:
            lines[-1] = lines[-1].rstrip("\r\n")
        return self._bom + "".join(lines)


def packed(rng: Random, data: bytes) -> tuple[str, bytes]:
    """The extension, in any case, and the stored bytes: plain, gzip or zstd, in one to four pieces."""
    kind = rng.choices((".csv", ".csv.gz", ".csv.zst"), (6, 2, 2))[0]
    cuts = sorted(rng.randint(0, len(data)) for _ in range(rng.choice((0, 0, 1, 3))))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    if kind == ".csv.gz":
        data = b"".join(gzip.compress(piece, rng.choice((0, 1, 6)), mtime=0) for piece in pieces)
    elif kind == ".csv.zst":
        press = zstandard.ZstdCompressor(rng.choice((1, 3)), write_checksum=rng.random() < 0.5)
        skippable = b"\x5a\x2a\x4d\x18\x03\x00\x00\x00abc" if rng.random() < 0.3 else b""
        data = skippable.join(press.compress(piece) for piece in pieces) + skippable
    return (kind.upper() if rng.random() < 0.05 else kind), data
