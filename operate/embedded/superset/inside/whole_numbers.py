"""Whole numbers beyond 2^53 in the data of a chart: Superset's page receives them as BigInt, which it cannot draw."""

from decimal import Decimal
from typing import Any

_LARGEST = 2**53 - 1
_TEXT = 1  # Superset's GenericDataType.STRING


def make_drawable(result: dict[str, Any], *, is_table: bool) -> None:
    """Change the result of a query that holds such numbers.

    In a table, a column that holds one becomes text, exact to the last digit. Every other chart gets the number
    rounded to nine digits, as a decimal that is written with an exponent: the page reads it as an ordinary number.

    Args:
        result: `data` (rows as dictionaries), `colnames` and `coltypes`, as Superset answers them.
        is_table: whether it is shown as a table.
    """
    rows = result.get("data")
    if not isinstance(rows, list):
        return
    if not is_table:
        result["data"] = [{name: _rounded(value) for name, value in row.items()} for row in rows]
        return
    for index, name in enumerate(result["colnames"]):
        if any(_is_too_large(row[name]) for row in rows):
            result["coltypes"][index] = _TEXT
            for row in rows:
                row[name] = None if row[name] is None else f"{row[name]:,}"


def _rounded(value: Any) -> Any:
    return Decimal(f"{Decimal(value):.8e}") if _is_too_large(value) else value


def _is_too_large(value: Any) -> bool:
    return isinstance(value, int | Decimal) and abs(value) > _LARGEST
