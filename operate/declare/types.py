"""Guesses the type of a column from its cells; what it says of times, the contract itself has checked."""

import re
from decimal import Decimal
from typing import Any

from minidata.contract.cells import rule_of
from minidata.contract.numbers import NumberFormat
from minidata.contract.rule import BLANKS, BrokenRuleError
from minidata.dataset import DateColumn, TimestampColumn

NULLS = (
    "NA", "N/A", "n/a", "N/D", "NULL", "null", "None", "nan", "NaN", "NaT", "-", "--", ".", "?", r"\N",
    "#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NUM!",
)  # fmt: skip
"""Words that programs write where there is no value."""

WIDE: dict[str, Any] = {"type": "decimal", "precision": 38, "scale": 22}
"""A decimal that takes what programs write for their floating-point numbers."""

_DATES = (
    "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%Y%m%d", "%d %b %Y",
    "%b %d, %Y", "%b %d %Y", "%d-%b-%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%b-%y",
)  # fmt: skip
_TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
_FLOAT_DIGITS = 15  # so many tell of a floating-point number
_EPOCHS = {"epoch_seconds": 1, "epoch_milliseconds": 1000}
_EPOCH_YEARS = (946_684_800, 4_102_444_800)  # 2000 to 2100, in seconds
_WORDS = (("true", "false"), ("yes", "no"), ("ja", "nein"), ("oui", "non"), ("si", "no"))
TIME_NAMES = re.compile(r"(updated|modified|changed|last|time|_at$|_ts$|^ts$|epoch|date|day)", re.IGNORECASE)


def number_marks(columns: list[list[str]]) -> dict[str, str]:
    """Return decimal and thousands marks, if they are not those of the default; none if nothing tells."""
    comma = re.compile(r"-?[0-9]{1,3}(\.[0-9]{3})+(,[0-9]+)?|-?[0-9]+,[0-9]+")
    point = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?|-?[0-9]+\.[0-9]+")
    whole = re.compile(r"-?[0-9]+")
    found: dict[str, str] = {}
    for cells in columns:
        values = [cell.strip() for cell in cells if cell.strip() and cell.strip() not in NULLS]
        if not values or all(map(whole.fullmatch, values)):
            continue
        if all(comma.fullmatch(v) or whole.fullmatch(v) for v in values) and any("," in v for v in values):
            if not all(point.fullmatch(v) or whole.fullmatch(v) for v in values) or not found:
                grouped = any("." in v for v in values)
                ambiguous = all(point.fullmatch(v) or whole.fullmatch(v) for v in values)
                found = (
                    {"decimal": ".", "thousands": ","}
                    if ambiguous
                    else {"decimal": ",", "thousands": "." if grouped else ""}
                )
        elif all(point.fullmatch(v) or whole.fullmatch(v) for v in values) and any("," in v for v in values):
            found = {"decimal": ".", "thousands": ","}
    return {name: mark for name, mark in found.items() if mark or name == "decimal"}


def guess_rule(name: str, cells: list[str], dialect: dict[str, Any], format_: str) -> tuple[dict[str, Any], str]:
    """Return the declaration of a column, and what it rests on."""
    full = [cell for cell in (cell.strip(BLANKS) for cell in cells) if cell]
    nulls = sorted({cell for cell in full if cell in NULLS})
    values = [cell for cell in full if cell not in nulls]
    if not values:
        return {"type": "text", "optional": True}, "no cell has a value"
    rest: dict[str, Any] = {"optional": True} if len(values) < len(cells) else {}
    fit = f"all {len(values):,} cells with a value fit"
    if rule := _boolean(values) or _digits(name, values) or _number(values, dialect) or _time(values, format_):
        words = {"null_words": nulls} if nulls else {}
        also = _other_order(rule, values)
        return rule | rest | words, f"{fit}; {also} fits them too" if also else fit
    rest = {"optional": True} if len(full) < len(cells) else {}
    if any("\n" in cell or len(cell) > 255 for cell in full):
        rest = {"trimmed": False}
    return {"type": "text"} | rest, "not all cells are numbers, dates or times"


def _boolean(values: list[str]) -> dict[str, Any] | None:
    words = {value.lower() for value in values}
    for true, false in _WORDS:
        if words <= {true, false}:
            known = true in ("true", "yes")
            return {"type": "boolean"} if known else {"type": "boolean", "true_words": [true], "false_words": [false]}
    return None


def _digits(name: str, values: list[str]) -> dict[str, Any] | None:
    """Return the rule of times that are written with digits only: the name must say so."""
    if not TIME_NAMES.search(name) or not all(map(_INTEGER.fullmatch, values)):
        return None
    day = {"type": "date", "formats": ["%Y%m%d"]}
    if all(len(value) == 8 for value in values) and _fits(day, values):
        return day
    least, most = min(map(int, values)), max(map(int, values))
    for format_, units in _EPOCHS.items():
        if _EPOCH_YEARS[0] * units <= least <= most <= _EPOCH_YEARS[1] * units:
            return {"type": "timestamp", "formats": [format_]}
    return None


def _number(values: list[str], dialect: dict[str, Any]) -> dict[str, Any] | None:
    format_ = NumberFormat(dialect.get("decimal", "."), dialect.get("thousands", ""))
    written = re.compile(rf"-?{format_.integer}?({format_.fraction('[0-9]*')})?([eE][-+]?[0-9]{{1,3}})?")
    if not all(map(written.fullmatch, values)):
        return None
    plain = [format_.plain(value) for value in values]
    if all(map(_INTEGER.fullmatch, plain)):
        coded = any(re.match(r"-?0[0-9]", value) for value in plain)  # zip codes, article numbers
        return None if coded else {"type": "integer"}
    if not all(map(_DECIMAL.fullmatch, plain)):
        return None
    numbers = [Decimal(value).as_tuple() for value in plain]
    scale = max(max(-int(number.exponent), 0) for number in numbers)
    whole = max(len(number.digits) + int(number.exponent) for number in numbers)
    floats = any("e" in value.lower() for value in plain) or max(len(n.digits) for n in numbers) >= _FLOAT_DIGITS
    if floats and scale <= WIDE["scale"] and whole <= WIDE["precision"] - WIDE["scale"]:
        return dict(WIDE)
    if scale + max(whole, 0) > WIDE["precision"]:
        return None
    return {"type": "decimal", "precision": min(38, scale + max(whole + 3, 12)), "scale": scale}


def _time(values: list[str], format_: str) -> dict[str, Any] | None:
    if format_ == "xlsx" and all(value.endswith(" 00:00:00") for value in values):
        values = [value.removesuffix(" 00:00:00") for value in values]  # a workbook has no days, only instants
    rules: list[dict[str, Any]] = [{"type": "timestamp"}]
    for date in _DATES:
        rules.append({"type": "date"} if date == _DATES[0] else {"type": "date", "formats": [date]})
        rules += [{"type": "timestamp", "formats": [f"{date} {time}"]} for time in _TIMES]
    return next((rule for rule in rules if _fits(rule, values)), None)


def _other_order(rule: dict[str, Any], values: list[str]) -> str | None:
    """Return the format with day and month the other way round, if it fits as well."""
    [format_] = rule.get("formats", [""])
    other = re.sub("%[dm]", lambda found: "%m" if found[0] == "%d" else "%d", format_)
    swapped = {**rule, "formats": [other]}
    return f"`{other}`" if re.match("%d.%m", format_) and _fits(swapped, values) else None


def _fits(rule: dict[str, Any], values: list[str]) -> bool:
    """Whether the contract accepts all values."""
    model = TimestampColumn if rule["type"] == "timestamp" else DateColumn
    exact = rule_of(model.model_validate(rule))
    try:
        for value in dict.fromkeys(values):
            exact.read(value)
    except BrokenRuleError:
        return False
    return True
