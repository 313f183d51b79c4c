"""Files of other formats, under the rules of their dataset."""

import gzip
import io
import json
import re
import tempfile
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from errno import EINVAL, EIO, ENOSPC
from random import Random
from typing import Any

import openpyxl
import polars as pl
import pytest
import zstandard

from minidata.contract.archived import judged, unzip
from minidata.contract.verdict import InvalidFileError, Verdict
from minidata.dataset import Dataset
from tests.unit.contract.checking import Outcome, run

FORMATS = ["csv", "tsv", "txt", "zip", "jsonl", "parquet", "xlsx"]
AT = datetime(2026, 11, 1, 12, 30)
ROWS = [
    {"id": "a", "amount": Decimal("12.50"), "pieces": 3, "paid": True, "day": date(2026, 11, 1), "at": AT},
    {"id": 'b,"\nc', "amount": Decimal("-0.10"), "pieces": None, "paid": False, "day": None, "at": AT},
]
SALES = Dataset.model_validate(
    {
        "name": "sales",
        "title": "Sales",
        "prefix": "sales",
        "formats": FORMATS,
        "columns": {
            "id": {"type": "text", "min_length": 1, "aliases": ["Nr"]},
            "amount": {"type": "decimal"},
            "pieces": {"type": "integer", "optional": True},
            "paid": {"type": "boolean"},
            "day": {"type": "date", "formats": ["%d.%m.%Y"], "optional": True},
            "at": {"type": "timestamp"},
        },
        "rollups": {
            "latest": {
                "description": "x",
                "keys": {"id": "id"},
                "latest": {"by": "at", "into": "seen", "columns": ["amount"]},
            }
        },
    }
)
FRAME = pl.DataFrame(ROWS, schema_overrides={"amount": pl.Decimal(9, 2)})


def load(data: bytes, name: str, **options: Any) -> Outcome:
    return run(data, f"sales/{name}", dataset=SALES, **{"share": 1, **options})


def json_lines(rows: list[dict[str, Any]] = ROWS) -> bytes:
    lines = [
        json.dumps({k: float(v) if isinstance(v, Decimal) else v for k, v in row.items()}, default=str) for row in rows
    ]
    return ("\n".join(lines) + "\n").encode()


def parquet(frame: pl.DataFrame = FRAME) -> bytes:
    out = io.BytesIO()
    frame.write_parquet(out)
    return out.getvalue()


def workbook(rows: list[list[Any]] | None = None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows or [list(ROWS[0]), *(list(row.values()) for row in ROWS)]:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def packed(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


CSV = b'id,amount,pieces,paid,day,at\na,12.5,3,true,01.11.2026,2026-11-01 12:30\n"b,""\nc",-.10,,no,,2026-11-01 12:30\n'


@pytest.mark.parametrize("slice_bytes", [1, 1 << 20])
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", CSV),
        ("a.tsv", CSV.replace(b",", b"\t").replace(b"b\t", b"b,")),
        ("a.TSV.gz", gzip.compress(CSV.replace(b",", b"\t").replace(b"b\t", b"b,"))),
        ("a.csv.zip", packed(("x/data.csv", CSV), ("__MACOSX/x", b"junk"))),
        ("a.zip", packed(("data.csv", CSV))),
        ("a.jsonl", json_lines()),
        ("a.ndjson.zst", zstandard.compress(json_lines())),
        ("a.jsonl", json_lines([{"Nr" if k == "id" else k: v for k, v in row.items()} for row in ROWS])),
        ("a.parquet", parquet()),
        ("a.parquet", parquet(FRAME.with_columns(pl.col("pieces").cast(pl.Float64)))),
        ("a.xlsx", workbook()),
    ],
)  # fmt: skip
def test_the_same_rows_come_out_of_every_format(name: str, data: bytes, slice_bytes: int) -> None:
    outcome = load(data, name, slice_bytes=slice_bytes)
    assert (outcome.code, outcome.verdict.entries) == (None, [])
    assert sorted(outcome.rows, key=repr) == sorted(ROWS, key=repr)


def test_a_bad_record_has_the_number_of_its_line_or_row() -> None:
    bad = [*ROWS, {**ROWS[0], "pieces": "x"}]
    lines = json_lines(bad).replace(b"\n", b"\n\n", 1) + b"not json\n[1]\n"
    outcome = load(lines, "a.jsonl")
    assert [(e.line, e.code) for e in outcome.verdict.entries] == [
        (4, "not_an_integer"),
        (5, "not_json"),
        (6, "not_json"),
    ]
    assert outcome.rejects.decode().splitlines()[2] == '"not json"'
    frame = FRAME.with_columns(pl.Series("amount", [Decimal("1.234"), None]))
    entries = load(parquet(frame), "a.parquet").verdict.entries
    assert [(e.line, e.code) for e in entries] == [(1, "too_precise"), (2, "missing_value")]
    rows = [list(ROWS[0]), [], list(ROWS[0].values()), [*list(ROWS[0].values())[:2], 1.5, *list(ROWS[0].values())[3:]]]
    entries = load(workbook(rows), "a.xlsx").verdict.entries
    assert [(e.line, e.column, e.code, e.value) for e in entries] == [(4, "pieces", "not_an_integer", "1.5")]


def test_unknown_columns_are_drift_and_optional_ones_may_be_missing() -> None:
    rows = [{k: v for k, v in {**row, "extra": {"deep": [1]}}.items() if k != "pieces"} for row in ROWS]
    outcome = load(json_lines(rows), "a.jsonl")
    assert (outcome.code, outcome.verdict.drift, [row["pieces"] for row in outcome.rows]) == (
        None,
        ["extra"],
        [None] * 2,
    )
    assert load(json_lines([{"id": "a"}]), "a.jsonl").code == "missing_column"
    assert load(parquet(FRAME.drop("at")), "a.parquet").code == "missing_column"


def test_times_of_a_zone_are_the_same_instants() -> None:
    frame = FRAME.with_columns(
        pl.lit(datetime(2026, 11, 1, 12, 30, tzinfo=UTC)).dt.convert_time_zone("Asia/Tokyo").alias("at")
    )
    assert [row["at"] for row in load(parquet(frame), "a.parquet").rows] == [AT, AT]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.parquet", b"PAR1 broken PAR1", "unreadable_file"),
        ("a.parquet", parquet()[:-9], "unreadable_file"),
        ("a.xlsx", b"PK\x03\x04 broken", "unreadable_file"),
        ("a.xlsx", packed(("data.csv", CSV)), "unreadable_file"),
        ("a.zip", packed(("a.csv", CSV), ("b.csv", CSV)), "bad_compression"),
        ("a.zip", packed(), "bad_compression"),
        ("a.zip", packed(("a.csv", CSV))[:-30], "bad_compression"),
        ("a.zip", packed(("a.csv", b"x" * 2_000_000)), "too_large"),
        ("a.xlsx", workbook([["x" * 30_000] for _ in range(40)]), "too_large"),
        ("a.xlsx", workbook([["id"]]), "missing_column"),
        ("a.jsonl", b"\n \n", "empty_file"),
        ("a.jsonl", b"nonsense\n", "missing_column"),
        ("a.json", json_lines(), "unsupported_file_type"),
    ],
)
def test_a_broken_file_is_refused(name: str, data: bytes, code: str) -> None:
    assert load(data, name, max_file_bytes=1_000_000).code == code


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_archive_is_read_or_refused(seed: int) -> None:
    """Of bytes that are changed at random, some break names, offsets or lengths, on which its reader stumbles."""
    chance, found = Random(seed), set[str]()
    whole = packed(("ä.csv", CSV))
    for _ in range(2_000):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            data[-1 - chance.randrange(130)] = chance.choice([0, 128, 255, chance.randrange(256)])
        with tempfile.TemporaryFile() if chance.random() < 0.2 else io.BytesIO() as content:
            content.write(data)
            try:
                found.add("read" if b"".join(unzip(content)) == CSV else "other")
            except InvalidFileError as refused:
                found.add(refused.reason.code)
    assert found == {"read", "bad_compression"}


@pytest.mark.parametrize(("error", "raised"), [(EINVAL, InvalidFileError), (EIO, OSError), (ENOSPC, OSError)])
def test_a_fault_of_the_disk_is_not_the_files(error: int, raised: type[Exception]) -> None:
    with pytest.raises(raised), judged("bad_compression", "The archive cannot be read"):
        raise OSError(error, "as the system says")


def test_a_format_that_is_not_declared_is_told_the_line_that_takes_it() -> None:
    csv_only = SALES.model_copy(update={"formats": ["csv"]})
    reason = run(json_lines(), "sales/a.jsonl", dataset=csv_only).verdict.reason
    assert reason is not None
    assert reason.code == "unsupported_file_type"
    assert "`formats: [csv, jsonl]` in datasets/sales/dataset.yaml takes it." in reason.message


def test_a_sheet_is_taken_by_its_name() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook()))
    book.create_sheet("Notes", 0).append(["not these"])
    stored = io.BytesIO()
    book.save(stored)

    def verdict(sheet: str) -> Verdict:
        named = SALES.model_copy(update={"dialect": SALES.dialect.model_copy(update={"sheet": sheet})})
        return run(stored.getvalue(), "sales/a.xlsx", dataset=named, share=1).verdict

    assert verdict(book.sheetnames[1]).rows_good == 2
    reason = verdict("Rows").reason
    assert reason
    assert reason.code == "unreadable_file"
    assert reason.message.startswith(f"The workbook has no sheet Rows; it has: Notes, {book.sheetnames[1]}.")


def test_rows_beyond_the_size_that_a_workbook_states_are_read() -> None:
    wrong = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook())) as book, zipfile.ZipFile(wrong, "w") as copy:
        for name in book.namelist():
            part = book.read(name)
            if name.startswith("xl/worksheets/"):
                assert b"<dimension " in part
                part = re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', part)
            copy.writestr(name, part)
    assert load(wrong.getvalue(), "a.xlsx").verdict.rows_good == 2
