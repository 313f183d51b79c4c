"""A refused file is told all that is wrong with it, what it looks like, and what would read it."""

from typing import Any

import pytest

from minidata.dataset import Dataset
from tests.unit.contract.checking import DATASET, HEADER, ROW, run
from tests.unit.contract.test_dialects import orders

GOOD = f"{HEADER}\n{ROW}\n"
SEMICOLONS = GOOD.replace(",", ";")
KEY = "youtube_stats/a.csv"


def message(data: bytes | str, key: str = KEY, **options: Any) -> str:
    outcome = run(data.encode() if isinstance(data, str) else data, key, **options)
    assert outcome.verdict.reason is not None
    return outcome.verdict.reason.message


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("<!DOCTYPE html><html><title>504</title></html>", "looks like an HTML page, such as an error page"),
        ('<?xml version="1.0"?><rows/>', "looks like XML"),
        ('{"video_id": "x"}\n', "looks like JSON"),
        ('[{"video_id": "x"}]\n', "looks like JSON"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "run `git lfs pull`"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
        (f"{ROW}\n{ROW}\n", "The first line looks like a row, not like a header: `dialect: {header: false}`"),
        ("\n".join(f'"{line}"' for line in GOOD.splitlines()), "Each line is in quotes as a whole"),
        (f"sep=;\r\n{SEMICOLONS}", "`sep=;`. It is an instruction for Excel. The header is on line 2"),
        (f"sep=;\r\n{SEMICOLONS}", 'are separated by semicolons: `dialect: {skip_lines: 1, delimiter: ";"}`'),
        (f"Report of May\nby us\n\n{GOOD}", "The header is on line 4: `dialect: {skip_lines: 3}`"),
        (
            ("Käufe\n" + SEMICOLONS).encode("windows-1252"),
            'the text is WINDOWS-1252: `dialect: {encoding: "windows-1252", skip_lines: 1, delimiter: ";"}`',
        ),
        ("id,name\n1,x\n", "The first line is `id,name`."),
        (HEADER.replace("total_views", "video_id"), "names more than once: video_id. The header lacks total_views"),
        (HEADER.replace("total_views", "views"), "it has `views`: did you mean `total_views`?"),
        (f"{GOOD}Total,,,1,,2,3,4,,\n", "a total: `dialect: {footer_lines: 1}` leaves it out."),
    ],
)  # fmt: skip
def test_a_refused_file_is_told_what_it_looks_like(data: bytes | str, said: str) -> None:
    assert said in message(data)


def test_the_line_of_a_declaration_that_is_named_reads_the_file() -> None:
    data = ("Titel\n" + SEMICOLONS).replace("Name", "Näme").encode("windows-1252")
    line = message(data).split("`dialect: {")[1].split("}`")[0]
    dialect = dict(part.split(": ") for part in line.split(", "))
    declared = DATASET.model_dump() | {"dialect": {name: value.strip('"') for name, value in dialect.items()}}
    plain = Dataset.model_validate(
        {
            **declared,
            "summaries": {},
            "rollups": {name: rollup.model_dump() for name, rollup in DATASET.rollups.items()},
        }
    )
    assert [row["channel_name"] for row in run(data, dataset=plain).rows] == ["Näme"]


def test_a_file_without_a_known_prefix_is_told_as_what_it_was_checked_and_where_it_fits() -> None:
    data = "order_id,amount,at\n1,2,2026-01-01 00:00\n"
    said = message(data, "elsewhere/a.csv", datasets=[DATASET, orders()])
    assert "It was checked as youtube_stats, because its name starts with no folder of a dataset" in said
    assert "Its columns are those of files below orders/: upload it there." in said
    assert "checked as" not in message("id,name\n")


def test_a_line_is_shown_in_part_and_without_control_characters() -> None:
    said = message("\x1b[31m" + "x" * 500 + "\n")
    assert "\x1b" not in said
    assert len(said) < 1000
