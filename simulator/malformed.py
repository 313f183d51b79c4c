"""Files that are no snapshots, by the reason code that sends them to quarantine."""

import gzip
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from simulator.bad_rows import spoil_row
from simulator.snapshot import HEADER, Row, cells, to_csv


class Kind(NamedTuple):
    """One way to be malformed: the reason code, the end of the key, and how the bytes come about."""

    reason: str
    suffix: str
    make: Callable[[list[Row], random.Random], bytes]


def _without_column(rows: list[Row], draw: random.Random) -> bytes:
    gone = draw.randrange(len(HEADER))
    table = [[*HEADER], *cells(rows)]
    return to_csv([line[:gone] + line[gone + 1 :] for line in table[1:]], table[0][:gone] + table[0][gone + 1 :])


def _renamed_column(rows: list[Row], draw: random.Random) -> bytes:
    old, new = draw.choice((("video_id", "videoId"), ("total_views", "view_count"), ("date_updated", "Date_Updated")))
    return to_csv(cells(rows), [new if name == old else name for name in HEADER])


def _doubled_column(rows: list[Row], draw: random.Random) -> bytes:
    twice = draw.randrange(len(HEADER))
    return to_csv([[*line, line[twice]] for line in cells(rows)], [*HEADER, HEADER[twice]])


def _semicolons(rows: list[Row], _: random.Random) -> bytes:
    lines = (";".join(line).replace("\n", " ").replace('"', "") for line in [HEADER, *cells(rows)])
    return "\r\n".join(lines).encode()


def _no_header(rows: list[Row], _: random.Random) -> bytes:
    table = cells(rows)
    return to_csv(table[1:], table[0])


def _header_only(_: list[Row], __: random.Random) -> bytes:
    return to_csv([])


def _utf_16(rows: list[Row], _: random.Random) -> bytes:
    return to_csv(cells(rows)).decode().encode("utf-16")


def _latin_1(rows: list[Row], draw: random.Random) -> bytes:
    table = cells(rows)
    draw.choice(table)[2] = "Café Montréal"
    return to_csv(table).replace("Café Montréal".encode(), "Café Montréal".encode("latin-1"))


def _unclosed_quote(rows: list[Row], _: random.Random) -> bytes:
    """Cut the upload off inside a quoted cell."""
    return to_csv(cells(rows[:-1])) + ",".join([*cells(rows[-1:])[0][:4], '"and then the connect']).encode()


def _text_after_quote(rows: list[Row], draw: random.Random) -> bytes:
    table = cells(rows)
    draw.choice(table)[4] = "\N{LEFT DOUBLE QUOTATION MARK}oops"
    return to_csv(table).replace("\N{LEFT DOUBLE QUOTATION MARK}oops".encode(), b'"she said "so" twice"')


def _old_line_ends(rows: list[Row], _: random.Random) -> bytes:
    return to_csv(cells(rows)).replace(b"\r\n", b"\r")


def _cut_gzip(rows: list[Row], draw: random.Random) -> bytes:
    whole = gzip.compress(to_csv(cells(rows)), mtime=0)
    return whole[: draw.randrange(20, len(whole) - 8)]


def _many_bad_rows(rows: list[Row], draw: random.Random) -> bytes:
    """Spoil a quarter of the rows at least, as a unit mix-up upstream would."""
    table = cells(rows)
    for place in draw.sample(range(len(rows)), -(-len(rows) // 4)):
        table[place] = spoil_row(table[place], rows[place], "not_an_integer", draw)
    return to_csv(table)


def _error_page(_: list[Row], __: random.Random) -> bytes:
    return b"<!DOCTYPE html>\n<title>502 Bad Gateway</title>\n<h1>Bad Gateway</h1>\n"


def _plain(rows: list[Row], _: random.Random) -> bytes:
    return to_csv(cells(rows))


MALFORMED: Mapping[str, Kind] = MappingProxyType(
    {
        "column_gone": Kind("missing_column", ".csv", _without_column),
        "column_renamed": Kind("missing_column", ".csv", _renamed_column),
        "semicolons": Kind("missing_column", ".csv", _semicolons),
        "header_gone": Kind("missing_column", ".csv", _no_header),
        "error_page": Kind("missing_column", ".csv", _error_page),
        "column_doubled": Kind("duplicate_column", ".csv", _doubled_column),
        "header_only": Kind("no_rows", ".csv", _header_only),
        "utf_16": Kind("not_utf8", ".csv", _utf_16),
        "latin_1": Kind("not_utf8", ".csv", _latin_1),
        "cut_off": Kind("not_csv", ".csv", _unclosed_quote),
        "text_after_quote": Kind("not_csv", ".csv", _text_after_quote),
        "old_line_ends": Kind("not_csv", ".csv", _old_line_ends),
        "gzip_cut_off": Kind("bad_compression", ".csv.gz", _cut_gzip),
        "not_gzip": Kind("bad_compression", ".csv.gz", _plain),
        "other_type": Kind("unsupported_file_type", ".json", _plain),
        "many_bad_rows": Kind("too_many_rejected_rows", ".csv", _many_bad_rows),
    }
)
