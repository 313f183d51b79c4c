"""Rows that break exactly one rule of the raw file, by the reason code that they earn."""

import random
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from simulator.snapshot import HEADER, Row, written

COUNTS = ("channel_subscribers", "total_views", "total_likes", "total_dislikes")
AHEAD = (20 * 365, 60 * 365)  # days by which a wrong clock runs ahead: in the future whenever the file is loaded
SHARE = 0.05  # of a file's rows at most: half of what would condemn the file


def _blank(cells: dict[str, str], _: Row, draw: random.Random) -> None:
    cells[draw.choice(("video_id", "channel_name", "total_views", "date_updated"))] = "  "


def _long(cells: dict[str, str], _: Row, draw: random.Random) -> None:
    column, length = draw.choice((("channel_name", 256), ("description", 10_001)))
    cells[column] = "long" * (length // 4) + "l" * (length % 4)


def _negative(cells: dict[str, str], _: Row, draw: random.Random) -> None:
    cells[draw.choice(COUNTS)] = f"-{draw.randrange(1, 10**6)}"


def _beyond(cells: dict[str, str], _: Row, draw: random.Random) -> None:
    cells[draw.choice(COUNTS)] = str(2**63 + draw.randrange(10**6))


def _no_integer(cells: dict[str, str], _: Row, draw: random.Random) -> None:
    cells[draw.choice(COUNTS)] = draw.choice(("1,234", "12.0", "1e6", "n/a", "+5", "1_000", "٤٢"))


def _no_timestamp(cells: dict[str, str], _: Row, draw: random.Random) -> None:
    column = draw.choice(("date_created", "date_updated"))
    cells[column] = draw.choice(("yesterday", "2026-02-30 10:00:00", "23/11/2026 10:00", "1763900000", "2026-11-23"))


def _future(cells: dict[str, str], row: Row, draw: random.Random) -> None:
    cells["date_updated"] = written(row.date_updated + timedelta(days=draw.randrange(*AHEAD)))


def _before_created(cells: dict[str, str], row: Row, draw: random.Random) -> None:
    cells["date_updated"] = written(row.date_created - timedelta(hours=draw.randrange(1, 1000)))


def _control_character(cells: dict[str, str], _: Row, draw: random.Random) -> None:
    cells["description"] += draw.choice("\x00\x07\x0b\x1b")


BAD_ROWS: Mapping[str, Callable[[dict[str, str], Row, random.Random], None]] = MappingProxyType(
    {
        "missing_value": _blank,
        "too_long": _long,
        "negative": _negative,
        "out_of_range": _beyond,
        "not_an_integer": _no_integer,
        "not_a_timestamp": _no_timestamp,
        "future_timestamp": _future,
        "updated_before_created": _before_created,
        "control_character": _control_character,
    }
)


def spoil_row(cells: list[str], row: Row, code: str, draw: random.Random) -> list[str]:
    """Break one rule in the cells of a row; `wrong_cell_count` is a rule too.

    Args:
        cells: of the row, in the order of the header.
        row: what they were written from.
        code: the reason code to earn.
        draw: the only source of chance.
    """
    if code == "wrong_cell_count":
        return cells[:-1] if draw.random() < 0.5 else [*cells, "surplus"]
    named = dict(zip(HEADER, cells, strict=True))
    BAD_ROWS[code](named, row, draw)
    return list(named.values())


def spoil_some(table: list[list[str]], rows: list[Row], draw: random.Random) -> list[list[str]]:
    """Spoil a few rows of a file, so few that the file itself stays good; of under 20 rows none can go."""
    spoilt = list(table)
    most = int(len(rows) * SHARE)
    for place in draw.sample(range(len(rows)), draw.randint(1, most) if most else 0):
        spoilt[place] = spoil_row(table[place], rows[place], draw.choice([*BAD_ROWS, "wrong_cell_count"]), draw)
    return spoilt
