"""What goes wrong in the content of a file: bad rows, malformed files and unusual ones, by reason code."""

import gzip
from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random
from typing import NamedTuple

import zstandard

from simulator.snapshot import HEADER, Row, cells, timestamp, to_csv

REQUIRED = ("video_id", "channel_name", "total_views", "date_updated")
COUNTS = ("channel_subscribers", "total_views", "total_likes", "total_dislikes")
AHEAD = (20 * 365, 60 * 365)  # days by which a wrong clock runs ahead: in the future whenever the file is loaded
BOM = b"\xef\xbb\xbf"
SHARE = 0.05  # of a file's rows at most: half of what makes the file invalid
NO_INTEGERS = ("1,234", "12.0", "1e6", "n/a", "+5", "1_000", "٤٢")
NO_TIMESTAMPS = ("yesterday", "2026-02-30 10:00:00", "23/11/2026 10:00", "1763900000", "2026-11-23")

# What to change in the cells of a row so that it breaks this rule and no other.
BAD_ROWS: Mapping[str, Callable[[Row, Random], dict[str, str]]] = {
    "missing_value": lambda _, draw: {draw.choice(REQUIRED): "  "},
    "too_long": lambda _, draw: draw.choice(({"channel_name": "n" * 256}, {"description": "d" * 10_001})),
    "negative": lambda _, draw: {draw.choice(COUNTS): f"-{draw.randrange(1, 10**6)}"},
    "out_of_range": lambda _, draw: {draw.choice(COUNTS): str(2**63 + draw.randrange(10**6))},
    "not_an_integer": lambda _, draw: {draw.choice(COUNTS): draw.choice(NO_INTEGERS)},
    "not_a_timestamp": lambda _, draw: {draw.choice(("date_created", "date_updated")): draw.choice(NO_TIMESTAMPS)},
    "future_timestamp": lambda row, draw: {
        "date_updated": timestamp(row.date_updated + timedelta(days=draw.randrange(*AHEAD)))
    },
    "updated_before_created": lambda row, draw: {
        "date_updated": timestamp(row.date_created - timedelta(hours=draw.randrange(1, 1000)))
    },
    "control_character": lambda row, draw: {"description": row.description + draw.choice("\x00\x07\x0b\x1b")},
}


def spoil_row(row: Row, code: str, draw: Random) -> list[str]:
    """Write the cells of a row so that it gets a reason code of `BAD_ROWS`, or `wrong_cell_count`."""
    (line,) = cells([row])
    if code == "wrong_cell_count":
        return line[:-1] if draw.random() < 0.5 else [*line, "surplus"]
    return list((dict(zip(HEADER, line, strict=True)) | BAD_ROWS[code](row, draw)).values())


def spoil_some(rows: list[Row], draw: Random) -> list[list[str]]:
    """Write the cells of a file and spoil a few rows, so few that the file stays valid: none of under 20 rows."""
    table = cells(rows)
    most = int(len(rows) * SHARE)
    for place in draw.sample(range(len(rows)), draw.randint(1, most) if most else 0):
        table[place] = spoil_row(rows[place], draw.choice([*BAD_ROWS, "wrong_cell_count"]), draw)
    return table


class Kind(NamedTuple):
    """A way to spoil a file: its reason code ("" if it may stay valid), the end of its key, its bytes made of rows."""

    reason: str
    suffix: str
    make: Callable[[list[Row], Random], bytes]


def _plain(rows: list[Row], _: Random) -> bytes:
    return to_csv(cells(rows))


def _without_column(rows: list[Row], draw: Random) -> bytes:
    gone = HEADER.index(draw.choice(REQUIRED))
    header, *table = [line[:gone] + line[gone + 1 :] for line in (HEADER, *cells(rows))]
    return to_csv(table, header)


def _renamed_column(rows: list[Row], draw: Random) -> bytes:
    old, new = draw.choice((("video_id", "videoId"), ("total_views", "view_count"), ("date_updated", "Date_Updated")))
    return to_csv(cells(rows), [new if name == old else name for name in HEADER])


def _doubled_column(rows: list[Row], draw: Random) -> bytes:
    twice = draw.randrange(len(HEADER))
    return to_csv([[*line, line[twice]] for line in cells(rows)], [*HEADER, HEADER[twice]])


def _semicolons(rows: list[Row], _: Random) -> bytes:
    lines = (";".join(line).replace("\n", " ").replace('"', "") for line in (HEADER, *cells(rows)))
    return "\r\n".join(lines).encode()


def _with_cell(column: str, raw: bytes) -> Callable[[list[Row], Random], bytes]:
    """Write raw bytes in place of one cell of a column."""
    mark = "MARK\N{REPLACEMENT CHARACTER}"

    def make(rows: list[Row], draw: Random) -> bytes:
        table = cells(rows)
        draw.choice(table)[HEADER.index(column)] = mark
        return to_csv(table).replace(mark.encode(), raw)

    return make


def _cut_gzip(rows: list[Row], draw: Random) -> bytes:
    whole = gzip.compress(to_csv(cells(rows)), mtime=0)
    return whole[: draw.randrange(20, len(whole) - 8)]


def _many_bad_rows(rows: list[Row], draw: Random) -> bytes:
    """Spoil at least a quarter of the rows, as a unit mix-up upstream would."""
    table = cells(rows)
    for place in draw.sample(range(len(rows)), -(-len(rows) // 4)):
        table[place] = spoil_row(rows[place], "not_an_integer", draw)
    return to_csv(table)


_ERROR_PAGE = b"<!DOCTYPE html>\n<title>502 Bad Gateway</title>\n<h1>Bad Gateway</h1>\n"
MALFORMED: Mapping[str, Kind] = {
    "column_gone": Kind("missing_column", ".csv", _without_column),
    "column_renamed": Kind("missing_column", ".csv", _renamed_column),
    "semicolons": Kind("missing_column", ".csv", _semicolons),
    "header_gone": Kind("missing_column", ".csv", lambda rows, _: to_csv(cells(rows[1:]), cells(rows[:1])[0])),
    "error_page": Kind("missing_column", ".csv", lambda _, __: _ERROR_PAGE),
    "column_doubled": Kind("duplicate_column", ".csv", _doubled_column),
    "header_only": Kind("no_rows", ".csv", lambda _, __: to_csv([])),
    "utf_16": Kind("not_utf8", ".csv", lambda rows, _: to_csv(cells(rows)).decode().encode("utf-16")),
    "latin_1": Kind("not_utf8", ".csv", _with_cell("channel_name", "Café Montréal".encode("latin-1"))),
    "cut_off": Kind("not_csv", ".csv", lambda rows, _: to_csv(cells(rows)) + b'a,b,c,1,"and then the connect'),
    "text_after_quote": Kind("not_csv", ".csv", _with_cell("description", b'"she said "so" twice"')),
    "old_line_ends": Kind("not_csv", ".csv", lambda rows, _: to_csv(cells(rows)).replace(b"\r\n", b"\r")),
    "gzip_cut_off": Kind("bad_compression", ".csv.gz", _cut_gzip),
    "not_gzip": Kind("bad_compression", ".csv.gz", _plain),
    "other_type": Kind("unsupported_file_type", ".json", _plain),
    "many_bad_rows": Kind("too_many_rejected_rows", ".csv", _many_bad_rows),
}


def _drifted(rows: list[Row], draw: Random) -> bytes:
    """Reorder the columns, add one, or both."""
    lines = [HEADER, *cells(rows)]
    how = draw.choice(("moved", "added", "both"))
    if how != "moved":
        name = draw.choice(("comment_count", "category", "thumbnail url", ""))
        lines = [[*lines[0], name], *([*line, str(draw.randrange(5000))] for line in lines[1:])]
    if how != "added":
        order = draw.sample(range(len(lines[0])), len(lines[0]))
        lines = [[line[place] for place in order] for line in lines]
    return to_csv(lines[1:], lines[0])


def _skewed_clock(rows: list[Row], draw: Random) -> bytes:
    ahead = timedelta(days=draw.randrange(*AHEAD))
    return to_csv(cells(row._replace(date_updated=row.date_updated + ahead) for row in rows))


def _packed(pack: Callable[[bytes], bytes]) -> Callable[[list[Row], Random], bytes]:
    """Compress the file as one member, or as two: the header and the rest."""

    def make(rows: list[Row], draw: Random) -> bytes:
        data = to_csv(cells(rows))
        cut = draw.choice((0, data.index(b"\r\n") + 2))
        return b"".join(pack(part) for part in (data[:cut], data[cut:]) if part)

    return make


# Faults with one way to go wrong each; `malformed` has many.
CONTENT_FAULTS: Mapping[str, Kind] = {
    "drifted": Kind("", ".csv", _drifted),
    "bad_rows": Kind("", ".csv", lambda rows, draw: to_csv(spoil_some(rows, draw))),
    "empty": Kind("empty_file", ".csv", lambda _, draw: draw.choice((b"", b"\r\n", BOM))),
    "bom": Kind("", ".csv", lambda rows, _: BOM + to_csv(cells(rows))),
    "skewed_clock": Kind("too_many_rejected_rows", ".csv", _skewed_clock),
    "gzip": Kind("", ".csv.gz", _packed(lambda part: gzip.compress(part, mtime=0))),
    "zstd": Kind("", ".csv.zst", _packed(zstandard.compress)),
}
