"""The header of a snapshot: which column of the dataset stands where, and what is wrong with it."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from minidata.contract.cells import BLANKS, cells_of
from minidata.contract.verdict import CondemnedError, reason

_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True)
class Header:
    """A header that holds.

    Attributes:
        raw: the record as it stands in the file, without its line end.
        width: the number of its cells.
        positions: where each declared column stands, in declared order.
        drift: the trimmed names of all other columns, in the order of the file.
    """

    raw: bytes
    width: int
    positions: dict[str, int]
    drift: list[str]


def read_header(record: bytes, columns: Iterable[str]) -> Header:
    """Read the first record of a file.

    Raises:
        CondemnedError: `duplicate_column` or `missing_column`, with all the columns concerned.
    """
    names = [cell.strip(BLANKS) for cell in cells_of(record)]
    declared = list(columns)
    repeated = [column for column in declared if names.count(column) > 1]
    if repeated:
        raise CondemnedError(
            reason("duplicate_column", f"The header names more than once: {', '.join(repeated)}.", repeated)
        )
    drift = [name for name in names if name not in declared]
    missing = [column for column in declared if column not in names]
    if missing:
        hints = [_hint(column, drift) for column in missing]
        what = f"The header lacks {', '.join(hints)}.{_separator_hint(record, declared, names)}"
        raise CondemnedError(reason("missing_column", what, missing))
    return Header(record, len(names), {column: names.index(column) for column in declared}, drift)


def _hint(column: str, others: list[str]) -> str:
    """Name a missing column, with the unknown one that may be meant for it."""
    plain = {re.sub(r"[\W_]+", "_", name.casefold()).strip("_"): name for name in others}
    close = difflib.get_close_matches(column, plain, n=1, cutoff=0.7)
    return f"{column} (it has `{plain[close[0]][:63]}`: did you mean `{column}`?)" if close else column


def _separator_hint(record: bytes, declared: list[str], names: list[str]) -> str:
    """Tell of a separator other than the comma under which the header would name more of the columns."""
    text = record.decode()
    for separator, called in _OTHER_SEPARATORS.items():
        parts = {part.strip(f'{BLANKS}"') for part in text.split(separator)}
        found = sum(column in parts for column in declared)
        if found > sum(column in names for column in declared) and 2 * found > len(declared):
            return f" It is separated by {called}: separate the cells by commas."
    return ""
