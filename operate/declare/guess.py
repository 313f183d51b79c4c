"""Guesses the declaration of files from samples: columns, keys, times, the kind of table."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations
from typing import Any

from minidata.contract.records import TYPED
from operate.declare.sample import Sample
from operate.declare.types import TIME_NAMES, guess_rule, number_marks

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


def guess(samples: Sequence[Sample]) -> Guess:
    """Guess the columns and the table of samples that are written alike."""
    sample = samples[0]
    names = identifiers(sample.names)
    tables = [[list(column) for column in zip(*each.rows, strict=True)] for each in samples]
    cells = [list(chain.from_iterable(parts)) for parts in zip(*tables, strict=True)]
    dialect = dict(sample.dialect)
    remarks = list(dict.fromkeys(chain.from_iterable(each.remarks for each in samples)))
    if sample.format not in TYPED and (marks := number_marks(cells)):
        dialect |= marks
        remarks.append(f"Numbers are written with `{marks['decimal']}` before the fraction.")
    if "header" in dialect:
        dialect["header"] = names
    columns = []
    for name, header, values in zip(names, sample.names, cells, strict=True):
        rule, sure = guess_rule(name, values, dialect, sample.format)
        if header != name and "header" not in dialect:
            rule["aliases"] = [header]
        columns.append(Column(name, header, rule, sure))
    guessed = Guess(columns, dialect, [], None, None, remarks)
    guess_table(guessed, tables, [])
    return guessed


def guess_table(guess: Guess, tables: list[list[list[str]]], refused: list[list[str]]) -> None:
    """Guess keys and times from the columns.

    Args:
        guess: takes them.
        tables: the cells of each column of each sample.
        refused: keys that do not tell all rows of the samples apart.
    """
    columns = guess.columns
    guess.keys = _keys(columns, tables, refused)
    stamps = [c.name for c in columns if c.rule["type"] in ("timestamp", "date") and not c.rule.get("optional")]
    by = next((c for c in reversed(stamps) if c not in guess.keys and re.search("updat|modif|chang|last", c)), None)
    guess.time = by or next((c for c in stamps if TIME_NAMES.search(c)), stamps[0] if stamps else None)
    by_type = {c.name: c.rule["type"] for c in columns}
    guess.by = by if by and by_type[by] == "timestamp" else None


def identifiers(headers: Iterable[str]) -> list[str]:
    """Return a name that a declaration takes for each header, all different.

    >>> identifiers(["Order ID", "Größe", "2024", "", "order id"])
    ['order_id', 'grosse', 'c_2024', 'column_4', 'order_id_2']
    """
    import unicodedata  # noqa: PLC0415

    headers = list(headers)
    own = {header for header in headers if re.fullmatch("[a-z][a-z0-9_]{0,49}", header)}
    names: list[str] = []
    for number, header in enumerate(headers, 1):
        spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", header.replace("ß", "ss"))
        plain = unicodedata.normalize("NFKD", spaced).encode("ascii", "ignore").decode().lower()
        base = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:50].strip("_") or f"column_{number}"
        base = base if base[0].isalpha() else f"c_{base}"
        name, copy = base, 2
        while name in names or (name in own and name != header):
            name, copy = f"{base}_{copy}", copy + 1
        names.append(name)
    return names


def _keys(columns: list[Column], tables: list[list[list[str]]], refused: list[list[str]]) -> list[str]:
    """Return the first column, or pair of columns, that tells all rows of each sample apart and looks like a key."""

    def tell_apart(*places: int) -> bool:
        several = any(len(cells[0]) > 1 for cells in tables)  # one row proves nothing
        rows = [list(zip(*(cells[place] for place in places), strict=True)) for cells in tables]
        return several and all(len(set(each)) == len(each) for each in rows)

    def may_be(place: int, column: Column) -> bool:
        longest = max((len(cell) for cells in tables for cell in cells[place]), default=0)
        types = ("text", "integer", "date", "timestamp")
        return longest <= _KEY_LENGTH and not column.rule.get("optional") and column.rule["type"] in types

    found = [(place, column) for place, column in enumerate(columns) if may_be(place, column)]
    named = [place for place, column in found if _KEY_NAMES.search(column.name)]
    texts = [place for place, column in found if column.rule["type"] == "text"]
    times = [place for place, column in found if column.rule["type"] in ("date", "timestamp")]
    paired = sorted({*named, *times, *texts})[:8]
    for places in chain(((place,) for place in (*named, *texts)), combinations(paired, 2)):
        names = [columns[place].name for place in places]
        if names not in refused and tell_apart(*places):
            return names
    return []
