"""`mdp dataset new`: a sample becomes a declaration that loads it, and says what it rests on."""

import gzip
import io
import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from typer.testing import CliRunner

from bi.definition import read_dashboards
from bi.model import PeriodFilter
from minidata.errors import PermanentError
from minidata.settings import PROJECT, Settings, load_settings
from operate.cli.app import app
from operate.declare import sample
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
    written = settings.datasets_folder.parent / file
    written.write_bytes(content.encode() if isinstance(content, str) else content)
    return make_dataset(settings, "sample", "sample", [written])


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


def table(*rows: list[Any]) -> bytes:
    """Return a workbook with these rows."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]  # a new workbook has a sheet
    stored = io.BytesIO()
    book.save(stored)
    return stored.getvalue()


def beside_a_note(*rows: list[Any], place: int = 0) -> bytes:
    """Return a workbook with these rows in its sheet Sheet, and a note in another one at this place."""
    book = openpyxl.load_workbook(io.BytesIO(table(*rows)))
    book.create_sheet("About", place).append(["All sales of November"])
    stored = io.BytesIO()
    book.save(stored)
    return stored.getvalue()


def frame(**columns: list[Any]) -> bytes:
    """Return a Parquet file."""
    stored = io.BytesIO()
    pl.DataFrame(columns).write_parquet(stored)
    return stored.getvalue()


DAYS = [datetime(2026, 11, n) for n in (1, 2, 3)]  # workbooks and Parquet have no zone
WIDE = {"type": "decimal", "precision": 38, "scale": 22}
SHAPES: list[Any] = [
    # file, content, rows, what is guessed of some columns, and of the dialect
    ("a.xlsx", table(["id", "day", "note"], [1, DAYS[0], "x"], [2, DAYS[1]], [3, DAYS[2], "y"]), 3,
     {"day": {"type": "date"}, "note": {"type": "text", "optional": True}}, {}),
    ("a.xlsx",
     table(["Report"], [], ["Invoice", "Paid", "Sum"], ["a", True, 1.5], ["b", False, 2], ["Total", None, 4]), 2,
     {"paid": {"type": "boolean", "aliases": ["Paid"]}}, {"skip_lines": 2, "footer_lines": 1}),
    ("a.parquet", frame(at=DAYS, x=[0.1, 1e-7, None], ok=[True, None, False]), 3,
     {"at": {"type": "timestamp"}, "x": WIDE | {"optional": True}, "ok": {"type": "boolean", "optional": True}}, {}),
    ("a.jsonl", '{"id": "a", "p": 1e-05, "tags": ["x"]}\n{"id": "b", "p": 2.5, "more": 1}\n', 2,
     {"p": WIDE, "tags": {"type": "text", "optional": True}, "more": {"type": "integer", "optional": True}}, {}),
    ("a.csv", "x,y\n.25,8.99E-05\n-1.5,5.\n", 2, {"y": WIDE}, {}),
    ("a.csv", "no,on,null\n1,2,3\n2,3,4\n", 2, {"no": {"type": "integer"}}, {}),
    ("a.csv", ",,a,a\n1,x,5,6\n2,y,7,8\n", 2, {"a_2": {"type": "integer"}},
     {"header": ["column_1", "column_2", "a", "a_2"], "skip_lines": 1}),
    ("a.csv", "Order ID,order_id\nx,1\ny,2\n", 2, {"order_id_2": {"type": "text", "aliases": ["Order ID"]}}, {}),
    ("a.csv", "country,2019,2020\nA,1,2\nB,3,4\n", 2, {"c_2019": {"type": "integer", "aliases": ["2019"]}}, {}),
    ("a.csv", "Made by a tool\nid,n,\na,1\nb,2\n", 2, {"n": {"type": "integer"}},
     {"header": ["id", "n"], "skip_lines": 2}),
    ("a.csv", '"t" "x y"\n35 0\n34 1\n', 2, {"x_y": {"type": "integer", "aliases": ["x y"]}}, {"delimiter": " "}),
    ("a.csv", "day,at\n19580329,1767225600\n19580405,1767225660\n", 2,
     {"day": {"type": "date", "formats": ["%Y%m%d"]}, "at": {"type": "integer"}}, {}),
    ("a.csv", "day,seen_at\nJan 1 2000,1767225600000\nMay 2 2000,1767225660000\n", 2,
     {"day": {"type": "date", "formats": ["%b %d %Y"]},
      "seen_at": {"type": "timestamp", "formats": ["epoch_milliseconds"]}}, {}),
    ("a.csv", f"{'Column with a very long name ' * 3},b\n1,2\n3,4\n", 2, {}, {}),
    ("a.csv", '"a" "b" "c"\n"x y" 1 2 NA\n"z" 3 4 5\n', 2, {"row_name": {"type": "text"}, "b": {"type": "integer"}},
     {"delimiter": " ", "header": ["row_name", "a", "b", "c"], "skip_lines": 1}),
    ("a.txt", "when\tn\n2026-11-25\t1\n2026-11-26\t2\n", 2, {"when": {"type": "date"}}, {"delimiter": "\t"}),
    ("a.csv", "# a note,\n# of two lines\nid,n\na,1\nb,2\n", 2, {"n": {"type": "integer"}}, {"skip_lines": 2}),
    ("a.xlsx", beside_a_note(["id", "n"], ["a", 1], ["b", 2]), 2, {"n": {"type": "integer"}}, {"sheet": "Sheet"}),
    ("a.csv", "Nr;am;Betrag\n1;25.11.2026;1.249,90\n2;26.11.2026;89,00\n", 2,
     {"am": {"type": "date", "formats": ["%d.%m.%Y"]},
      "betrag": {"type": "decimal", "precision": 14, "scale": 2, "aliases": ["Betrag"]}},
     {"delimiter": ";", "decimal": ",", "thousands": "."}),
    ("a.csv", "#id,n\na,1\nb,2\n", 2, {"id": {"type": "text", "aliases": ["#id"]}}, {}),
    ("a.csv", "id,p\na,1.5e-40\nb,2.5e-42\n", 2, {"p": {"type": "text"}}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("file", "content", "rows", "guessed", "dialect"), SHAPES)
def test_files_as_other_programs_write_them_load_without_an_edit(
    settings: Settings, file: str, content: bytes | str, rows: int, guessed: dict[str, Any], dialect: dict[str, Any]
) -> None:
    found = made(settings, content, file)
    assert loads(found, rows), found.verdicts
    assert {name: rules(found)[name] for name in guessed} == guessed
    assert found.guess.dialect == dialect


@pytest.mark.parametrize(
    ("later", "rule"),
    [
        ("", {"type": "integer", "optional": True}),
        ("NA", {"type": "integer", "optional": True, "null_words": ["NA"]}),
        ("1.25", WIDE),
        ("12345678901234567890", {"type": "decimal", "precision": 38, "scale": 22}),
        ("many", {"type": "text", "optional": True}),
    ],
)
def test_what_the_first_rows_do_not_show_corrects_the_guess(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, later: str, rule: dict[str, Any]
) -> None:
    monkeypatch.setattr(sample, "_ROWS", 3)
    found = made(settings, f"id,code,n\na,1,1\nb,2,2\nc,3,3\nd,4,{later}\na,5,5\n")
    fits = rule["type"] != "decimal" or len(later) <= 18
    assert (rules(found)["n"], loads(found, 5)) == (rule if fits else {"type": "text", "optional": True}, True)
    assert found.guess.keys == ["code"], "a key that comes again is none"


def test_a_corrected_guess_keeps_other_names_of_its_column(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "_ROWS", 2)
    found = made(settings, "id,Price (net)\na,1\nb,2\nc,1.25\n")
    assert rules(found)["price_net"] == {**WIDE, "aliases": ["Price (net)"]}
    assert loads(found, 3)


def test_a_key_may_come_again_in_another_file(settings: Settings, tmp_path: Path) -> None:
    files = [tmp_path / "monday.csv", tmp_path / "tuesday.csv"]
    for file, state in zip(files, ("open", "paid"), strict=True):
        file.write_text(f"order_id,state\n1,{state}\n2,{state}\n")
    assert make_dataset(settings, "sample", "sample", files).guess.keys == ["order_id"]


def test_rows_that_repeat_another_one_are_counted(settings: Settings) -> None:
    found = made(settings, "colour,n\nred,1\nred,1\nblue,2\n")
    assert "1 rows repeat another one" in found.guess.remarks[-1]
    assert found.guess.remarks[-1] in (found.folder / "dataset.yaml").read_text()


def test_days_and_months_that_may_be_the_other_way_round_are_told(settings: Settings) -> None:
    [column] = [c for c in made(settings, "id,day\n1,03/04/2026\n2,05/06/2026\n").guess.columns if c.name == "day"]
    assert "`%m/%d/%Y` fits them too" in column.sure


@pytest.mark.parametrize(
    ("last", "step"), [("2026-01-01 09:00", "1 hour"), ("2026-03-01 09:00", "1 day"), ("2036-01-01 09:00", "1 month")]
)
def test_the_starter_has_steps_that_fit_the_sample_and_shows_all_of_it(
    settings: Settings, last: str, step: str
) -> None:
    made(settings, f"id,at,n\na,2026-01-01 08:00,1\nb,{last},2\n")
    [dashboard] = [d for d in read_dashboards(datasets=settings.datasets_folder) if d.name == "sample"]
    [axis] = [tile.time for tile in dashboard.tiles if tile.time]
    assert axis.every == step
    [period] = dashboard.filters.values()
    assert isinstance(period, PeriodFilter)
    assert period.last_hours is None, "a sample may be old: a period would hide it"


def test_lines_of_another_table_are_told(settings: Settings) -> None:
    found = made(settings, "id,n\n1,2\n2,3\n\nname,city,country\na,b,c\nd,e,f\ng,h,i\n5,6\n7,8\n9,10\n")
    assert any("4 lines have more or fewer cells than the header" in remark for remark in found.guess.remarks)


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
    orders = tmp_path / "orders.csv"
    orders.write_text(ORDERS)
    state = ["--state", str(tmp_path / "none")]
    done = CliRunner().invoke(app, [*state, "dataset", "new", "orders", str(orders), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["keys"] == ["order_id"]
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")
    checked = CliRunner().invoke(app, [*state, "dataset", "check", "orders", str(orders), str(wrong), "--json"])
    assert checked.exit_code == 1
    assert [each["reasons"] for each in json.loads(checked.stdout)] == [[], ["missing_column"]]
    load_settings.cache_clear()


def test_a_workbook_with_several_sheets_says_so_and_takes_the_one_that_is_named(settings: Settings) -> None:
    file = settings.datasets_folder.parent / "a.xlsx"
    file.write_bytes(beside_a_note(["id", "n"], ["a", 1], ["b", 2]))
    found = make_dataset(settings, "sample", "sample", [file], "Sheet")
    assert loads(found, 2)
    assert "Only the sheet Sheet is read, not: About. `--sheet` takes another one." in found.guess.remarks
    with pytest.raises(PermanentError, match="has no sheet sheet; it has: About, Sheet"):
        make_dataset(settings, "other", "other", [file], "sheet")


def test_a_sheet_is_pinned_only_where_the_first_would_not_be_read(settings: Settings) -> None:
    file = settings.datasets_folder.parent / "a.xlsx"
    file.write_bytes(beside_a_note(["id", "n"], ["a", 1], place=1))
    assert "sheet" not in make_dataset(settings, "sample", "sample", [file]).guess.dialect
    (other := file.with_suffix(".csv")).write_text("id,n\na,1\n", encoding="utf-8")
    with pytest.raises(PermanentError, match="has no sheets: `--sheet` is for workbooks"):
        make_dataset(settings, "other", "other", [other], "Sheet")


def test_the_first_dataset_needs_no_other(settings: Settings) -> None:
    shutil.rmtree(settings.datasets_folder / "youtube_stats")
    alone = Settings(datasets_folder=settings.datasets_folder, default_dataset="sample")
    assert loads(made(alone, ORDERS), 9)
