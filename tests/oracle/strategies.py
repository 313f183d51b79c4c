"""Hypothesis strategies: single hostile files built from fragments, and rows for laws about the tables."""

import gzip
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import zstandard
from hypothesis import strategies as st

from tests.oracle.spoilers import BAD_COUNTS, BAD_NAMES, BAD_TIMES
from tests.oracle.styles import COLUMNS, plain_cell, quoted
from tests.oracle.verdict import Row

_HEADER: Final = ",".join(COLUMNS)
_ROW: Final = "v,c,n,d,1,2,3,4,2025-06-01T00:00Z,2025-06-01T12:00Z"

_FRAGMENTS: Final = (
    *(_HEADER, _HEADER + "\n", f"{_HEADER}\n{_ROW}\n", f"{_ROW}\n" * 10, _ROW, *COLUMNS),
    *(
        ",",
        ",,",
        ";",
        "\t",
        " ",
        "\n",
        "\r\n",
        "\r",
        "\n\n",
        '"',
        '""',
        '"""',
        '","',
        '"\n"',
        '"x"y',
        "x",
        "7",
    ),
    *(
        "\ufeff",
        "\u00a0",
        "\x00",
        "\x0b",
        "\x1a",
        "\u2028",
        "\x85",
        "é",
        "e\u0301",
        "\u200b",
        "🎬",
        "video_id ",
        "Video_ID",
    ),
)
_BAD_BYTES: Final = (
    b"\xff",
    b"\xc3",
    b"\x80",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\xef\xbb",
    b"\xff\xfe",
    b"\xf0\x9f\x8e",
)
_EXTENSIONS: Final = (
    *(".csv",) * 6,
    *(".csv.gz", ".csv.zst") * 3,
    ".CSV",
    ".Csv.Gz",
    ".CSV.ZST",
    ".txt",
    ".gz",
    "",
)

_names = st.sampled_from(("v1", "v2", " v1\t", "c,1", 'q"1', "ü", "x" * 255, "NULL", *BAD_NAMES))
_counts = st.sampled_from(("", " ", "\u00a0", "0", "7", " 8 ", "\u200b9", "007", "9223372036854775807", *BAD_COUNTS))
_written_times = (
    *(
        "2025-06-01T12:00:00Z",
        "2025-06-01 12:00",
        " 2025-06-01T14:00:00.5+02:00",
        "2024-02-29T23:59:59.999999",
        "2025-06-01 12:00:00+00",
        "2025-06-01 12:00:00.25 UTC",
        "2025-06-01T12:00-0330",
        "\u200b2025-06-01 12:00-11\u00a0",
    ),
    *("0001-01-01T00:00Z", "9999-12-31T23:59:59Z", *BAD_TIMES),
)
_texts = st.one_of(
    st.sampled_from(("", "a text", " a ", "two\nlines", "two\r\nlines", 'a "b"', '"', "a\x00", "x" * 10_001)),
    st.text(max_size=8),
)


def _times(arrived_at: datetime) -> st.SearchStrategy[str]:
    day = timedelta(hours=24)
    near = (day - timedelta(hours=1), day, day + timedelta(microseconds=1), day + timedelta(hours=1))
    return st.sampled_from((*_written_times, *((arrived_at + later).isoformat() for later in near)))


def csv_soups() -> st.SearchStrategy[bytes]:
    """Bytes that look like a CSV from afar: fragments, separators, quotes and bad bytes in any order."""
    pieces = st.one_of(st.sampled_from([f.encode() for f in _FRAGMENTS]), st.sampled_from(_BAD_BYTES))
    clean = st.lists(st.sampled_from([f.encode() for f in _FRAGMENTS]), max_size=12)
    below_a_header = clean.map(lambda fragments: [f"{_HEADER}\n{_ROW}\n".encode(), *fragments])
    return st.one_of(clean, below_a_header, st.lists(pieces, max_size=8)).map(b"".join)


@st.composite
def snapshots(draw: st.DrawFn, arrived_at: datetime) -> bytes:
    """A snapshot of the right shape: any order of columns, drift, odd and bad cells, any way of writing."""
    header = draw(st.permutations(COLUMNS)) if draw(st.booleans()) else list(COLUMNS)
    for extra in draw(st.lists(st.sampled_from(("", "extra", "tag", "Video_ID", *COLUMNS[:1])), max_size=2)):
        header.insert(draw(st.integers(0, len(header))), extra)
    if draw(st.integers(0, 9)) == 0:
        header.pop(draw(st.integers(0, len(header) - 1)))
    good = dict(zip(COLUMNS, _ROW.split(","), strict=True))
    records: list[Sequence[str]] = [header]
    records += [[good.get(name, "x") for name in header]] * draw(st.sampled_from((30, 10, 9, 1, 0)))
    for _ in range(draw(st.integers(0, 3))):
        records.insert(draw(st.integers(1, len(records))), draw(_odd_records(header, arrived_at)))
    quote = draw(st.sampled_from((plain_cell, quoted)))
    end = draw(st.sampled_from(("\n", "\r\n", "\n\n")))
    text = end.join(",".join(map(quote, record)) for record in records)
    return (draw(st.sampled_from(("", "\ufeff"))) + text + draw(st.sampled_from(("", end)))).encode()


@st.composite
def _odd_records(draw: st.DrawFn, header: Sequence[str], arrived_at: datetime) -> list[str]:
    """A record with one or more cells drawn from everything odd, sometimes of the wrong width."""
    cells = dict(zip(COLUMNS, _ROW.split(","), strict=True))
    for column in draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=4)):
        if column in COLUMNS[:3]:
            cells[column] = draw(_names)
        elif column == "description":
            cells[column] = draw(_texts)
        else:
            cells[column] = draw(_times(arrived_at) if column.startswith("date_") else _counts)
    record = [cells[name] if name in cells else draw(_texts) for name in header]
    return record[: draw(st.integers(1, len(record)))] if draw(st.integers(0, 9)) == 0 else record


@st.composite
def hostile_files(draw: st.DrawFn, arrived_at: datetime) -> tuple[str, bytes]:
    """A key and the stored bytes of a file: any content and extension, packed or not, whole or damaged."""
    shaped = snapshots(arrived_at)
    content = draw(draw(st.sampled_from((*(shaped,) * 7, csv_soups(), csv_soups(), st.binary(max_size=20)))))
    extension = draw(st.sampled_from(_EXTENSIONS))
    packing = extension.lower() if draw(st.integers(0, 9)) else draw(st.sampled_from(_EXTENSIONS)).lower()
    cut = draw(st.integers(0, len(content)))
    pieces = (content[:cut], content[cut:]) if draw(st.booleans()) else (content,)
    if packing.endswith(".gz"):
        data = b"".join(gzip.compress(piece, mtime=0) for piece in pieces)
    elif packing.endswith(".zst"):
        data = b"".join(zstandard.ZstdCompressor(write_checksum=True).compress(piece) for piece in pieces)
    else:
        data = content
    damage = draw(st.integers(0, 11))
    if damage == 0:
        data = data[: draw(st.integers(0, len(data)))]
    elif damage == 1:
        data += draw(st.binary(min_size=1, max_size=4))
    elif damage == 2 and data:
        at = draw(st.integers(0, len(data) - 1))
        data = data[:at] + bytes([data[at] ^ 1 << draw(st.integers(0, 7))]) + data[at + 1 :]
    return f"hostile{extension}", data


_EDGE: Final = datetime(2025, 6, 1, 12)  # rows hold naive UTC


def rows() -> st.SearchStrategy[Row]:
    """Accepted rows over few keys and few moments around window edges, so that all kinds of ties come up."""
    moments = st.builds(
        lambda windows, beside: _EDGE + timedelta(seconds=30) * windows + beside,
        st.sampled_from((0, 0, 1, 2, 5, -(10**7))),
        st.sampled_from((timedelta(0), timedelta(0), timedelta(microseconds=-1), timedelta(seconds=7))),
    )
    counts = st.sampled_from((0, 1, 2, 10, 2**63 - 1))
    return st.builds(
        Row,
        video_id=st.sampled_from(("v1", "v2", "V1")),
        channel_id=st.sampled_from(("c1", "c2")),
        channel_name=st.sampled_from(("A", "a", "\u00e9", "e\u0301", "\uffff", "\U0001f3ac")),
        description=st.sampled_from(("", " ", "x", "\n", "\uffff", "\U0001f3ac")),
        channel_subscribers=counts,
        total_views=counts,
        total_likes=st.none() | counts,
        total_dislikes=st.none() | counts,
        date_created=st.sampled_from((_EDGE - timedelta(days=4000), _EDGE - timedelta(days=10**4))),
        date_updated=moments,
    )


def contents() -> st.SearchStrategy[list[list[Row]]]:
    """The rows of each of several files, none of them empty."""
    return st.lists(st.lists(rows(), min_size=1, max_size=6), max_size=5)
