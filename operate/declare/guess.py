"""Guesses the type of each column and the kind of table from the cells of a sample."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from operate.declare.sample import Sample

_NULLS = ("NA", "N/A", "n/a", "NULL", "null", "None", "nan", "NaN", "-", "?", "#N/A", r"\N")
_DATES = (
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%Y/%m/%d",
    "%d-%m-%Y",
    "%Y%m%d",
    "%d %b %Y",
    "%b %d, %Y",
    "%d-%b-%Y",
)
_TIMES = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z| UTC|[+-]\d{2}(:?\d{2})?)?", re.ASCII)
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_WORDS = (("true", "false"), ("yes", "no"), ("ja", "nein"), ("oui", "non"), ("si", "no"))
_TIME_NAMES = re.compile(r"(updated|modified|changed|last|time|_at$|date|day)", re.IGNORECASE)
_KEY_NAMES = re.compile(r"(^|_)(id|key|code|number|no|nr|uuid|sku|name)$", re.IGNORECASE)
_KEY_LENGTH = 200  # characters


@dataclass
class Column:
    """A guessed column.

    Attributes:
        name: an identifier.
        header: what the file calls it.
        rule: its keys in the declaration.
        sure: what the guess rests on.
    """

    name: str
    header: str
    rule: dict[str, Any]
    sure: str


@dataclass
class Guess:
    """A guessed declaration.

    Attributes:
        columns: in the order of the file.
        dialect: what differs from the default.
        keys: names of the columns that tell rows apart; none if no few columns do.
        by: the column that says which of two rows of a key is newer, if there is one.
        time: the column for a time axis, if there is one.
        remarks: for the reader.
    """

    columns: list[Column]
    dialect: dict[str, Any]
    keys: list[str]
    by: str | None
    time: str | None
    remarks: list[str] = field(default_factory=list)


def guess(sample: Sample) -> Guess:
    """Guess the columns and the table of a sample."""
    names = identifiers(sample.names)
    cells = [list(column) for column in zip(*sample.rows, strict=True)]
    dialect = dict(sample.dialect)
    remarks = list(sample.remarks)
    if sample.format in ("csv", "tsv", "zip") and (marks := _number_marks(cells)):
        dialect |= marks
        remarks.append(f"Numbers are written with `{marks['decimal']}` before the fraction.")
    if "header" in dialect:
        dialect["header"] = names
    columns = []
    for name, header, values in zip(names, sample.names, cells, strict=True):
        rule, sure = _rule(values, dialect)
        if header != name and "header" not in dialect:
            rule["aliases"] = [header]
        columns.append(Column(name, header, rule, sure))
    keys = _keys(columns, cells)
    stamps = [c.name for c in columns if c.rule["type"] in ("timestamp", "date") and not c.rule.get("optional")]
    by = next((c for c in reversed(stamps) if c not in keys and re.search("updat|modif|chang|last", c)), None)
    time = by or next((c for c in stamps if _TIME_NAMES.search(c)), stamps[0] if stamps else None)
    by_type = {c.name: c.rule["type"] for c in columns}
    return Guess(columns, dialect, keys, by if by and by_type[by] == "timestamp" else None, time, remarks)


def identifiers(headers: Iterable[str]) -> list[str]:
    """Return a name that a declaration takes for each header, all different.

    >>> identifiers(["Order ID", "Größe", "2024", "", "order id"])
    ['order_id', 'grosse', 'c_2024', 'column_4', 'order_id_2']
    """
    import unicodedata  # noqa: PLC0415

    names: list[str] = []
    for number, header in enumerate(headers, 1):
        spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", header.replace("ß", "ss"))
        plain = unicodedata.normalize("NFKD", spaced).encode("ascii", "ignore").decode().lower()
        base = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:50] or f"column_{number}"
        base = base if base[0].isalpha() else f"c_{base}"
        name, copy = base, 2
        while name in names:
            name, copy = f"{base}_{copy}", copy + 1
        names.append(name)
    return names


def _number_marks(columns: list[list[str]]) -> dict[str, str]:
    """Return decimal and thousands marks, if they are not those of the default; none if nothing tells."""
    comma = re.compile(r"-?[0-9]{1,3}(\.[0-9]{3})+(,[0-9]+)?|-?[0-9]+,[0-9]+")
    point = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?|-?[0-9]+\.[0-9]+")
    whole = re.compile(r"-?[0-9]+")
    found: dict[str, str] = {}
    for cells in columns:
        values = [cell.strip() for cell in cells if cell.strip() and cell.strip() not in _NULLS]
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


def _rule(cells: list[str], dialect: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the declaration of a column, and what it rests on."""
    trimmed = [cell.strip(" \t\r\n\u00a0\u200b\ufeff") for cell in cells]
    full = [cell for cell in trimmed if cell]
    nulls = sorted({cell for cell in full if cell in _NULLS})
    values = [cell for cell in full if cell not in nulls]
    rest: dict[str, Any] = {"optional": True} if len(values) < len(cells) else {}
    if not values:
        return {"type": "text", "optional": True}, "no cell has a value"
    if rule := _boolean(values) or _number(values, dialect) or _time(values):
        words = {"null_words": nulls} if nulls else {}
        return rule | rest | words, f"all {len(values):,} cells with a value fit"
    if len(full) == len(values) or len(nulls) > 1:
        nulls = []
    rest = {"optional": True} if len(full) < len(cells) else {}
    if any("\n" in cell or len(cell) > 255 for cell in full):
        rest["trimmed"] = False
        rest.pop("optional", None)
    return {"type": "text"} | rest, "not all cells are numbers, dates or times"


def _boolean(values: list[str]) -> dict[str, Any] | None:
    words = {value.lower() for value in values}
    for true, false in _WORDS:
        if words <= {true, false}:
            known = true in ("true", "yes")
            return {"type": "boolean"} if known else {"type": "boolean", "true_words": [true], "false_words": [false]}
    return None


def _number(values: list[str], dialect: dict[str, Any]) -> dict[str, Any] | None:
    thousands, decimal = dialect.get("thousands", ""), dialect.get("decimal", ".")
    plain = [
        value.replace(thousands, "").replace(decimal, ".") if thousands else value.replace(decimal, ".")
        for value in values
    ]
    if all(map(_INTEGER.fullmatch, plain)):
        coded = any(re.match(r"-?0[0-9]", value) for value in plain)  # zip codes, article numbers
        return None if coded else {"type": "integer"}
    if not all(re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) for value in plain):
        return None
    scale = max(len(value.partition(".")[2]) for value in plain)
    whole = max(len(value.partition(".")[0].lstrip("-")) for value in plain)
    if scale + whole > 38:
        return None
    return {"type": "decimal", "precision": min(38, scale + max(whole + 3, 12)), "scale": scale}


def _time(values: list[str]) -> dict[str, Any] | None:
    if all(map(_ISO.fullmatch, values)):
        return {"type": "timestamp"}
    for date in _DATES:
        if _all(values, date):
            return {"type": "date"} if date == "%Y-%m-%d" else {"type": "date", "formats": [date]}
        for time in _TIMES:
            if _all(values, f"{date} {time}"):
                return {"type": "timestamp", "formats": [f"{date} {time}"]}
    return None


def _all(values: list[str], format_: str) -> bool:
    def fits(value: str) -> bool:
        try:
            datetime.strptime(value, format_)  # noqa: DTZ007  only its shape counts
        except ValueError:
            return False
        return True

    return fits(values[0]) and all(map(fits, values))


def _keys(columns: list[Column], cells: list[list[str]]) -> list[str]:
    """Return the first column, or pair of columns, that tells all rows apart and looks like a key."""

    def may_be(column: Column, values: list[str]) -> bool:
        short = max(map(len, values)) <= _KEY_LENGTH
        return (
            short
            and not column.rule.get("optional")
            and column.rule["type"] in ("text", "integer", "date", "timestamp")
        )

    found = [(c, v) for c, v in zip(columns, cells, strict=True) if may_be(c, v)]
    singles: list[Callable[[Column], bool]] = [
        lambda c: bool(_KEY_NAMES.search(c.name)),
        lambda c: c.rule["type"] == "text",
    ]
    for looks_right in singles:
        for column, values in found:
            if looks_right(column) and len(set(values)) == len(values) > 1:
                return [column.name]
    named = [(c, v) for c, v in found if _KEY_NAMES.search(c.name) or c.rule["type"] in ("date", "timestamp", "text")][
        :8
    ]
    for place, (one, first) in enumerate(named):
        for other, second in named[place + 1 :]:
            if len(set(zip(first, second, strict=True))) == len(first) > 1:
                return [one.name, other.name]
    return []
