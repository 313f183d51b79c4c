"""Files as they come from other programs, in tests/cases: each with its verdict and, if refused, what it is told."""

from pathlib import Path
from typing import Any

import pytest

from minidata.dataset import Dataset, Dialect, ignored, read_dataset
from minidata.errors import PermanentError
from tests.unit.contract.checking import DATASET, Outcome, run

FILES = Path(__file__).parents[2] / "cases"


def load(name: str, dataset: Dataset = DATASET) -> Outcome:
    return run((FILES / name).read_bytes(), f"youtube_stats/{name}", dataset=dataset)


@pytest.mark.parametrize(
    ("name", "column", "values"),
    [
        ("dislikes_empty.csv", "total_dislikes", [None, None, None]),
        ("dislikes_absent.csv", "total_dislikes", [None, None, None]),
        ("likes_hidden.csv", "total_likes", [5, None, 5]),
        ("invisible_blanks.csv", "video_id", ["w-1", "w-2"]),
        ("psql_copy.csv", "total_views", [100, 200, 300]),
        ("bigquery.csv", "total_views", [100, 200, 300]),
        ("sql_csv.csv", "total_views", [100, 200, 300]),
        ("descriptions.csv", "description", ["", "  ", "two\nlines", "<i>x</i>"]),
        ("long_ids.csv", "video_id", ["\U0001f3ac" * 255]),
    ],
)
def test_a_file_is_accepted_whole(name: str, column: str, values: list[Any]) -> None:
    outcome = load(name)
    assert (outcome.code, outcome.verdict.entries, outcome.verdict.drift) == (None, [], [])
    assert [row[column] for row in outcome.rows] == values


@pytest.mark.parametrize(
    ("name", "code", "said", "dialect"),
    [
        ("sep_line.csv", "missing_column", 'skip_lines: 1, delimiter: ";"', {"skip_lines": 1, "delimiter": ";"}),
        ("title_lines.csv", "missing_column", "skip_lines: 3", {"skip_lines": 3}),
        (
            "windows_1252.csv",
            "not_utf8",
            'encoding: "windows-1252", delimiter: ";"',
            {"encoding": "windows-1252", "delimiter": ";"},
        ),
        ("quoted_semicolons.csv", "not_csv", 'delimiter: ";"', {"delimiter": ";"}),
        ("no_header.csv", "missing_column", "header: false", {"header": False}),
        ("total_line.csv", "too_many_rejected_rows", "footer_lines: 1", {"footer_lines": 1}),
    ],
)
def test_a_refused_file_is_told_the_dialect_that_reads_it(
    name: str, code: str, said: str, dialect: dict[str, Any]
) -> None:
    outcome = load(name)
    assert (outcome.code, outcome.rows if code != "too_many_rejected_rows" else []) == (code, [])
    assert outcome.verdict.reason is not None
    assert f"`dialect: {{{said}}}`" in outcome.verdict.reason.message
    declared = DATASET.model_copy(update={"dialect": Dialect.model_validate(dialect)})
    again = load(name, declared)
    assert (again.code, again.verdict.entries) == (None, [])
    assert again.rows


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("renamed.csv", "missing_column", "did you mean `total_views`?"),
        ("error_page.csv", "missing_column", "looks like an HTML page"),
        ("lfs_pointer.csv", "missing_column", "looks like a Git LFS pointer"),
    ],
)
def test_a_refused_file_is_told_what_it_is(name: str, code: str, said: str) -> None:
    outcome = load(name)
    assert outcome.code == code
    assert outcome.verdict.reason is not None
    assert said in outcome.verdict.reason.message


@pytest.mark.parametrize(
    ("key", "left_alone"),
    [
        ("day.csv/_SUCCESS", True),
        ("day.csv/.part-00000.csv.crc", True),
        (".DS_Store", True),
        ("folder/._day.csv", True),
        ("~$day.csv", True),
        ("Thumbs.db", True),
        ("day.csv/part-00000.csv", False),
        ("_SUCCESS/day.csv", False),
        ("notes.txt", False),
    ],
)
def test_left_overs_of_other_programs_are_no_files(key: str, left_alone: bool) -> None:
    assert ignored(key, DATASET) is left_alone


def test_a_key_that_no_index_can_hold_is_refused_when_the_declaration_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "sites"
    folder.mkdir()
    (folder / "dataset.yaml").write_bytes((FILES / "long_key.dataset.yaml").read_bytes())
    with pytest.raises(PermanentError, match=r"dataset.yaml:11: .*its longest value has 12,016 bytes.*`max_length`"):
        read_dataset(folder)
