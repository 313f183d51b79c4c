"""Whole numbers that a browser cannot hold, in the data of a chart."""

from decimal import Decimal
from typing import Any

import pytest

from operate.embedded.superset.inside.whole_numbers import make_drawable

LARGEST = 2**53 - 1
NUMBER, TEXT = 0, 1


def drawn(values: list[Any], *, is_table: bool) -> tuple[list[Any], int]:
    result = {"colnames": ["a"], "coltypes": [NUMBER], "data": [{"a": value} for value in values]}
    make_drawable(result, is_table=is_table)
    return [row["a"] for row in result["data"]], result["coltypes"][0]


def test_a_column_of_a_table_that_holds_one_is_text_to_the_last_digit() -> None:
    values = [2**53 + 1, -(2**63), Decimal(2**70 + 1), 7, None]
    texts = ["9,007,199,254,740,993", "-9,223,372,036,854,775,808", "1,180,591,620,717,411,303,425", "7", None]
    assert drawn(values, is_table=True) == (texts, TEXT)


@pytest.mark.parametrize("values", [[LARGEST, -LARGEST, 0, None], ["9007199254740993"], [0.5, True]])
@pytest.mark.parametrize("is_table", [True, False])
def test_everything_else_is_unchanged(values: list[Any], is_table: bool) -> None:
    assert drawn(values, is_table=is_table) == (values, NUMBER)


@pytest.mark.parametrize(
    ("value", "written"),
    [(2**53 + 1, "9.00719925E+15"), (-(2**63), "-9.22337204E+18"), (Decimal(10**25), "1.00000000E+25")],
)
def test_a_chart_gets_nine_digits_in_a_form_that_the_page_reads_as_a_number(value: Any, written: str) -> None:
    (found, small), kind = drawn([value, 1], is_table=False)
    assert str(found) == written
    assert len(written) <= 15, "the page's parser makes a BigInt of anything longer"
    assert (small, kind) == (1, NUMBER)


def test_a_result_without_rows_is_unchanged() -> None:
    result: dict[str, Any] = {"error": "no such column"}
    make_drawable(result, is_table=True)
    assert result == {"error": "no such column"}
