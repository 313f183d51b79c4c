"""Files in the dialect that their dataset declares."""

import codecs
import csv
import io
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minidata.dataset import Dataset
from tests.unit.contract.checking import Outcome, run

GERMAN = {"delimiter": ";", "encoding": "windows-1252", "decimal": ",", "thousands": "."}
TEXT = 'Bestellung;Betrag;Wann;Ort\r\nA-1;1.234,50;25.11.2026 14:30;Köln\r\nA-2;-7;1.7.2026 8:05;"Bonn; Süd"\r\n'
ROWS = [
    {"order_id": "A-1", "amount": Decimal("1234.50"), "at": datetime(2026, 11, 25, 13, 30), "city": "Köln"},
    {"order_id": "A-2", "amount": Decimal(-7), "at": datetime(2026, 7, 1, 6, 5), "city": "Bonn; Süd"},
]


def orders(**dialect: Any) -> Dataset:
    return Dataset.model_validate(
        {
            "name": "orders",
            "title": "Orders",
            "prefix": "orders",
            "dialect": dialect,
            "columns": {
                "order_id": {"type": "text", "min_length": 1, "aliases": ["Bestellung"]},
                "amount": {"type": "decimal", "aliases": ["Betrag"]},
                "at": {
                    "type": "timestamp",
                    "aliases": ["Wann"],
                    "formats": ["iso", "%d.%m.%Y %H:%M"],
                    "zone": "Europe/Berlin",
                },
                "city": {"type": "text", "aliases": ["Ort"], "optional": True},
            },
            "rollups": {
                "latest": {
                    "description": "x",
                    "keys": {"order_id": "order_id"},
                    "latest": {"by": "at", "into": "seen", "columns": ["amount"]},
                }
            },
        }
    )


def load(data: bytes, dialect: dict[str, Any], **options: Any) -> Outcome:
    return run(data, dataset=orders(**dialect), **{"share": 1, **options})


@pytest.mark.parametrize("slice_bytes", [1, 60, 1 << 20])
@pytest.mark.parametrize("chunk", [1, 1 << 20])
@pytest.mark.parametrize(
    ("data", "dialect"),
    [
        (TEXT.encode("windows-1252"), GERMAN),
        (TEXT.encode(), {**GERMAN, "encoding": "utf-8"}),
        (TEXT.encode("utf-16"), {**GERMAN, "encoding": "utf-16"}),
        (codecs.BOM_UTF8 + TEXT.encode(), {**GERMAN, "encoding": "utf-8"}),
        (TEXT.replace(";", "|").replace("Bonn|", "Bonn;").encode(), {**GERMAN, "encoding": "utf-8", "delimiter": "|"}),
        (TEXT.replace('"', "'").encode(), {**GERMAN, "encoding": "utf-8", "quote": "'"}),
        (("Orders of November\n\n" + TEXT).encode(), {**GERMAN, "encoding": "utf-8", "skip_lines": 2}),
        (
            ("sep=;\r\n" + TEXT + "Summe;1.227,50;;\r\n\r\n").encode("windows-1252"),
            {**GERMAN, "skip_lines": 1, "footer_lines": 1},
        ),
        (TEXT.split("\r\n", 1)[1].encode("windows-1252"), {**GERMAN, "header": False}),
        (
            TEXT.split("\r\n", 1)[1].encode("windows-1252"),
            {**GERMAN, "header": ["order_id", "amount", "Wann", "city"], "skip_lines": 0},
        ),
    ],
)
def test_a_file_in_the_declared_dialect_is_read(
    data: bytes, dialect: dict[str, Any], chunk: int, slice_bytes: int
) -> None:
    outcome = load(data, dialect, chunk=chunk, slice_bytes=slice_bytes)
    assert (outcome.code, outcome.verdict.entries, outcome.verdict.drift) == (None, [], [])
    assert outcome.rows == ROWS


def test_nothing_is_quoted_where_there_is_no_quote() -> None:
    outcome = load(b'order_id\tamount\tat\tcity\nx\t1\t2026-01-01 00:00\t"a\n', {"delimiter": "\t", "quote": None})
    assert [row["city"] for row in outcome.rows] == ['"a']


def test_lines_are_those_of_the_file_and_its_rejects_are_in_its_dialect() -> None:
    data = ("Titel\n" + TEXT + "A-3;x;heute;Köln\n").encode("windows-1252")
    outcome = load(data, {**GERMAN, "skip_lines": 1})
    assert [(entry.line, entry.column, entry.code) for entry in outcome.verdict.entries] == [
        (5, "amount", "not_a_decimal"),
        (5, "at", "not_a_timestamp"),
    ]
    text = outcome.rejects.decode("windows-1252")
    assert text == ("\nBestellung;Betrag;Wann;Ort\nA-3;x;heute;Köln\n")
    fixed = text.replace(";x;heute;", ";1;2026-01-01 00:00;").encode("windows-1252")
    assert [row["order_id"] for row in load(fixed, {**GERMAN, "skip_lines": 1}).rows] == ["A-3"]


@pytest.mark.parametrize(
    ("data", "dialect", "code"),
    [
        (b"order_id\x81", {"encoding": "windows-1252"}, "wrong_encoding"),
        (TEXT.encode("utf-16")[:-1], {"encoding": "utf-16"}, "wrong_encoding"),
        (b"a title\n", {"skip_lines": 3}, "no_rows"),
        (b"order_id;amount;at;city\n", {"delimiter": ";"}, "no_rows"),
        (b"Total;;;\n", {"delimiter": ";", "header": False, "footer_lines": 1}, "no_rows"),
        (TEXT.encode(), {"delimiter": ";", "header": ["order_id"]}, "missing_column"),
    ],
)
def test_what_does_not_fit_the_dialect_is_invalid(data: bytes, dialect: dict[str, Any], code: str) -> None:
    assert load(data, dialect).code == code


def test_of_a_file_without_header_each_row_needs_all_columns() -> None:
    outcome = load(b"x,1,2026-01-01 00:00\ny,1,2026-01-01 00:00,\n", {"header": False})
    assert outcome.verdict.counts == {"wrong_cell_count": 1}
    assert [row["order_id"] for row in outcome.rows] == ["y"]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(*[st.text('ab;"|\t\n,\ré ', max_size=4)] * 2), max_size=8),
    st.sampled_from([(";", '"'), ("|", "'"), ("\t", '"'), (",", '"')]),
    st.integers(0, 3),
    st.sampled_from((1, 30, 1 << 20)),
)
def test_what_the_csv_module_writes_is_read_back(
    rows: list[tuple[str, str]], marks: tuple[str, str], footer: int, slice_bytes: int
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=marks[0], quotechar=marks[1], quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([("city", "order_id", "amount", "at"), *((a, "x" + b, "1", "2026-01-01 00:00") for a, b in rows)])
    dialect = {"delimiter": marks[0], "quote": marks[1], "footer_lines": footer}
    outcome = load(out.getvalue().encode(), dialect, slice_bytes=slice_bytes)
    kept = rows[: max(len(rows) - footer, 0)]
    assert sorted(row["order_id"] for row in outcome.rows) == sorted(("x" + b).strip() for _, b in kept)
