"""Ways to spoil a row or a file of a folder, each as seen in the wild."""

import gzip
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Final

from tests.oracle.styles import Style

BAD_NAMES: Final = ("", "  ", "\r\n", "\u00a0\u200b", "x" * 256, "🎬" * 256, "a\x00b", "\x0b")
BAD_COUNTS: Final = (
    *("-1", "-0", "+5", "1_000", "1e3", "12.0", "٣", "1\u00a05", "0x1f", "nan", "5\x00", "\x0b5"),
    *("9223372036854775808", "9" * 400, "five", "1,000", "²"),
)
BAD_TIMES: Final = (
    *("", "2025-02-29T00:00Z", "2025-06-01", "2025-06-01T24:00Z", "2025-06-01T12:00:60Z", "1748781015"),
    *("2025-06-01t12:00Z", "2025-06-01T12:00z", "2025-06-01  12:00", "2025-06-01T12:00:00.1234567Z", "now"),
    *("0001-01-01T00:00+00:01", "9999-12-31T23:59-00:01", "2025-06-01T12:00+24:00", "2025-06-01T12:00\x00"),
    *("2025-06-01 12:00 +00", "2025-06-01 12:00UTC", "2025-06-01 12:00 utc", "2025-06-01 12:00+2"),
)
_POOLS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("video_id", "channel_id", "channel_name"), BAD_NAMES),
    "description": ("x" * 10_001, "nul\x00", "\x1b[31m"),
    **dict.fromkeys(("channel_subscribers", "total_views"), ("", " ", "\ufeff", *BAD_COUNTS)),
    **dict.fromkeys(("total_likes", "total_dislikes"), BAD_COUNTS),
    **dict.fromkeys(("date_created", "date_updated"), BAD_TIMES),
}


def spoiled_cells(rng: Random, cells: Mapping[str, str], arrived_at: datetime) -> dict[str, str]:
    """The row with one to three cells broken, or with its two timestamps at odds."""
    spoiled = dict(cells)
    kind = rng.random()
    if kind < 0.1:
        spoiled["date_updated"] = (arrived_at + timedelta(hours=25, days=rng.randint(0, 9))).isoformat()
    elif kind < 0.2:
        spoiled["date_created"] = (arrived_at + timedelta(days=rng.randint(2, 9))).isoformat()
    else:
        for column in rng.sample(sorted(_POOLS), rng.choice((1, 1, 1, 2, 3))):
            spoiled[column] = rng.choice(_POOLS[column])
    return spoiled


def spoiled_record(rng: Random, record: list[str]) -> list[str]:
    """The record with too few or too many cells."""
    return record[: rng.randint(2, len(record) - 1)] if rng.random() < 0.5 else [*record, *rng.choice((["x"], [""]))]


def _other_name(rng: Random, text: str) -> tuple[str, bytes]:
    return rng.choice((".txt", "", ".csv.bak", ".json", ".gz", ".csv.zip")), text.encode()


def _empty(rng: Random, text: str) -> tuple[str, bytes]:
    blanks = bytes(rng.choices(b" \t\r\n", k=rng.randint(0, 9)))
    if rng.random() < 0.4:
        return ".csv.gz", gzip.compress(blanks, mtime=0)
    return rng.choice((".csv", ".csv.zst")), rng.choice((b"", b"\xef\xbb\xbf")) + blanks


def _bad_compression(rng: Random, text: str) -> tuple[str, bytes]:
    data = gzip.compress(text.encode(), mtime=0)
    kind = rng.randrange(5)
    if kind == 0:
        return ".csv.gz", data[: rng.randint(1, len(data) - 1)]
    if kind == 1:
        return ".csv.gz", data + rng.choice((b"\n", b"\x00", data[:4], text[:9].encode()))
    if kind == 2:
        return ".csv.gz", data[:-6] + bytes([data[-6] ^ 0x40]) + data[-5:]
    return rng.choice((".csv.gz", ".csv.zst")), text.encode()


def _not_utf8(rng: Random, text: str) -> tuple[str, bytes]:
    if rng.random() < 0.3:
        return ".csv", text.encode("utf-16")
    data, bad = text.encode(), rng.choice((b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"Caf\xe9,"))
    at = rng.randint(0, len(data))
    while at < len(data) and data[at] & 0xC0 == 0x80:  # not inside a character
        at += 1
    return ".csv", data[:at] + bad + data[at:]


def _not_csv(rng: Random, text: str) -> tuple[str, bytes]:
    tail = rng.choice(('"never closed', '"closed"x,', "a\rb\n", ',"', '"a""', '"a" ,b\n'))
    return ".csv", (text.rstrip("\r\n") + "\n" + tail).encode()


def _header_changed(change: Callable[[Random, str], str]) -> Callable[[Random, str], tuple[str, bytes]]:
    def spoil(rng: Random, text: str) -> tuple[str, bytes]:
        return ".csv", change(rng, text).encode()

    return spoil


def _renamed(rng: Random, text: str) -> str:
    name = rng.choice(("video_id", "total_views", "description", "date_updated"))
    return text.replace(name, rng.choice((name.upper(), name[:-1], f"{name} 2", name.replace("_", "-") + "s")), 1)


def _doubled(rng: Random, text: str) -> str:
    doubled = rng.choice(("video_id,", '"video_id",', "total_likes, video_id ,")) + text.removeprefix("\ufeff").lstrip()
    return "\ufeff" + doubled if text.startswith("\ufeff") else doubled


def _separated(rng: Random, text: str) -> str:
    return text.replace(",", rng.choice(";\t|"))


FILES: Final[tuple[Callable[[Random, str], tuple[str, bytes]], ...]] = (
    _other_name,
    _empty,
    _bad_compression,
    _not_utf8,
    _not_csv,
    _header_changed(_renamed),
    _header_changed(_doubled),
    _header_changed(_separated),
)
"""Each takes the text of a good snapshot and gives the extension and the stored bytes of a bad file."""


def without_rows(style: Style) -> str:
    """A header, and nothing below it."""
    return style.text([style.header()])
