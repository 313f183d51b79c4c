"""`mdp dataset new`: a sample becomes a declaration that loads it, and says what it rests on."""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from minidata.errors import PermanentError
from minidata.settings import PROJECT, Settings, load_settings
from operate.cli.app import app
from operate.declare.check import read_one, verdict_of
from operate.declare.guess import identifiers
from operate.declare.new import Made, make_dataset

ORDERS = "Order ID,Customer,Amount,Ordered at,Shipped on,Paid\n" + "".join(
    f"{1000 + n},Customer {n % 3},{n}.5{n},2026-11-{n + 1:02} 10:00,{'' if n % 2 else f'2026-11-{n + 2:02}'},"
    f"{n % 2 == 0}\n"
    for n in range(9)
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    shutil.copytree(PROJECT / "datasets" / "youtube_stats", tmp_path / "datasets" / "youtube_stats")
    return Settings(datasets_folder=tmp_path / "datasets")


def made(settings: Settings, content: bytes | str, file: str = "sample.csv") -> Made:
    sample = settings.datasets_folder.parent / file
    sample.write_bytes(content.encode() if isinstance(content, str) else content)
    return make_dataset(settings, "sample", "sample", [sample])


def rules(found: Made) -> dict[str, Any]:
    return {column.name: column.rule for column in found.guess.columns}


def loads(found: Made, rows: int) -> bool:
    [verdict] = found.verdicts
    return (verdict.reason, verdict.rows_good, verdict.rows_rejected) == (None, rows, 0)


def test_types_keys_and_times_are_guessed(settings: Settings) -> None:
    found = made(settings, ORDERS)
    assert loads(found, 9)
    assert rules(found) == {
        "order_id": {"type": "integer", "aliases": ["Order ID"]},
        "customer": {"type": "text", "aliases": ["Customer"]},
        "amount": {"type": "decimal", "precision": 14, "scale": 2, "aliases": ["Amount"]},
        "ordered_at": {"type": "timestamp", "aliases": ["Ordered at"]},
        "shipped_on": {"type": "date", "optional": True, "aliases": ["Shipped on"]},
        "paid": {"type": "boolean", "aliases": ["Paid"]},
    }
    assert found.guess.keys == ["order_id"]
    declared = read_one(settings, "sample")
    assert list(declared.newest) == ["sample"]
    assert not declared.every


EUROPEAN = {"delimiter": ";", "decimal": ",", "thousands": "."}
SPREADSHEET = "Nr;Kunde;Betrag;Datum\r\n1;Müller;1.234,50;25.11.2026 14:30\r\n2;Groß;12,00;26.11.2026 09:05\r\n"


@pytest.mark.parametrize(
    ("content", "rows", "dialect"),
    [
        (SPREADSHEET.encode("windows-1252"), 2, {"encoding": "windows-1252", **EUROPEAN}),
        ("\ufeff" + SPREADSHEET, 2, EUROPEAN),
        (SPREADSHEET.encode("utf-16"), 2, {"encoding": "utf-16", **EUROPEAN}),
        ("sep=;\nid;name\n1;a\n2;b\n", 2, {"delimiter": ";", "skip_lines": 1}),
        ("Exported by a tool\nAccount: one\n\nid,name,n\n1,a,5\n2,b,6\n", 2, {"skip_lines": 3}),
        ("id,name,n\n1,a,5\n2,b,6\nTotal,,11\n", 2, {"footer_lines": 1}),
        ("id\tname\n1\ta\n2\tb\n", 2, {"delimiter": "\t"}),
        ("1,a,2026-01-01\n2,b,2026-01-02\n", 2, {"header": ["column_1", "column_2", "column_3"]}),
        ('id,price\n1,"1,200.50"\n2,"3,000.00"\n', 2, {"decimal": ".", "thousands": ","}),
    ],
    ids=["windows", "bom", "utf-16", "sep", "titles", "total", "tabs", "no header", "thousands"],
)  # fmt: skip
def test_the_dialect_is_guessed(settings: Settings, content: bytes | str, rows: int, dialect: dict[str, Any]) -> None:
    found = made(settings, content)
    assert found.guess.dialect == dialect
    assert loads(found, rows)


def test_packed_samples_are_read(settings: Settings) -> None:
    assert loads(made(settings, gzip.compress(ORDERS.encode()), "orders.csv.gz"), 9)


def test_a_column_of_mixed_values_is_text(settings: Settings) -> None:
    found = made(settings, "id,value\n1,5\n2,five\n3,2026-01-01\n")
    assert rules(found)["value"] == {"type": "text"}
    assert loads(found, 3)


def test_words_for_nothing_are_null(settings: Settings) -> None:
    found = made(settings, "id,value\n1,5\n2,NA\n3,7\n")
    assert rules(found)["value"] == {"type": "integer", "optional": True, "null_words": ["NA"]}
    assert loads(found, 3)


def test_codes_with_leading_zeros_stay_text(settings: Settings) -> None:
    assert rules(made(settings, "id,zip\n1,01067\n2,80331\n"))["zip"] == {"type": "text"}


def test_without_a_key_every_row_is_kept(settings: Settings) -> None:
    found = made(settings, "colour,n\nred,1\nred,1\nblue,2\n")
    assert found.guess.keys == []
    assert list(read_one(settings, "sample").every) == ["sample"]


def test_two_hundred_columns_are_declared(settings: Settings) -> None:
    header = ",".join(f"Column {n}" for n in range(200))
    assert loads(
        made(settings, f"{header}\n" + "\n".join(",".join(str(n + r) for n in range(200)) for r in range(3))), 3
    )


@pytest.mark.parametrize("content", ["", "id,name\n", "\n\n"], ids=["empty", "header", "blank"])
def test_a_sample_without_rows_is_refused(settings: Settings, content: str) -> None:
    with pytest.raises(PermanentError, match="has no rows"):
        made(settings, content)
    assert not (settings.datasets_folder / "sample").exists()


def test_samples_that_differ_are_refused(settings: Settings, tmp_path: Path) -> None:
    for name, text in (("a.csv", "id,n\n1,2\n2,3\n"), ("b.csv", "id;n\n1;2\n2;3\n")):
        (tmp_path / name).write_text(text)
    with pytest.raises(PermanentError, match="written differently"):
        make_dataset(settings, "sample", "sample", [tmp_path / "a.csv", tmp_path / "b.csv"])


def test_nothing_is_overwritten(settings: Settings) -> None:
    made(settings, ORDERS)
    before = (settings.datasets_folder / "sample" / "dataset.yaml").read_bytes()
    with pytest.raises(PermanentError, match="exists already"):
        made(settings, "id,other\n1,2\n2,3\n")
    assert (settings.datasets_folder / "sample" / "dataset.yaml").read_bytes() == before


def test_headers_become_names() -> None:
    found = identifiers(["Order ID", "Größe", "2024", "", "order id", "unitPrice", "%"])
    assert found == ["order_id", "grosse", "c_2024", "column_4", "order_id_2", "unit_price", "column_7"]


def test_check_tells_what_would_become_of_a_file(settings: Settings, tmp_path: Path) -> None:
    made(settings, ORDERS)
    bad = tmp_path / "bad.csv"
    bad.write_text(ORDERS.replace("1003,", "x,"))
    verdict = verdict_of(settings, read_one(settings, "sample"), bad)
    assert (verdict.rows_rejected, verdict.counts) == (1, {"not_an_integer": 1})


def test_the_command_writes_and_checks(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDP_DATASETS_FOLDER", str(settings.datasets_folder))
    load_settings.cache_clear()
    sample = tmp_path / "orders.csv"
    sample.write_text(ORDERS)
    state = ["--state", str(tmp_path / "none")]
    done = CliRunner().invoke(app, [*state, "dataset", "new", "orders", str(sample), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["keys"] == ["order_id"]
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")
    checked = CliRunner().invoke(app, [*state, "dataset", "check", "orders", str(sample), str(wrong), "--json"])
    assert checked.exit_code == 1
    assert [each["reasons"] for each in json.loads(checked.stdout)] == [[], ["missing_column"]]
    load_settings.cache_clear()
