"""Whole numbers beyond 2^53 in the data of a chart: Superset's page receives them as BigInt, which it cannot draw."""

import re
from decimal import Decimal
from typing import Any

import simplejson
from flask import Response, request

_DATA = re.compile(r"/api/v1/chart/(\d+/)?data/?")
_LARGEST = 2**53 - 1
_LONG = re.compile(rb"[0-9]{16}")
_TEXT = 1  # Superset's GenericDataType.STRING


def make_drawable(response: Response) -> Response:
    """Change an answer that holds such numbers; every other one stays as it is.

    In a table, a column that holds one becomes text, exact to the last digit. Every other chart gets the number
    rounded to nine digits and written with an exponent, which the page reads as an ordinary number.
    """
    if not (_DATA.fullmatch(request.path) and response.is_json and _LONG.search(response.get_data())):
        return response
    answer = simplejson.loads(response.get_data(), use_decimal=True)
    is_table = ((request.get_json(silent=True) or {}).get("form_data") or {}).get("viz_type") == "table"
    for result in answer.get("result") or []:
        rows = result.get("data")
        if isinstance(rows, list):
            if is_table:
                _write_as_text(result, rows)
            else:
                result["data"] = [{name: _rounded(value) for name, value in row.items()} for row in rows]
    response.set_data(simplejson.dumps(answer, use_decimal=True))
    return response


def _write_as_text(result: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    for index, name in enumerate(result["colnames"]):
        if any(_is_too_large(row[name]) for row in rows):
            result["coltypes"][index] = _TEXT
            for row in rows:
                row[name] = None if row[name] is None else f"{row[name]:,}"


def _rounded(value: Any) -> Any:
    return Decimal(f"{Decimal(value):.8e}") if _is_too_large(value) else value


def _is_too_large(value: Any) -> bool:
    return isinstance(value, int | Decimal) and abs(value) > _LARGEST
