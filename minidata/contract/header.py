"""The header of a snapshot: the position of each column of the dataset, and what is wrong with it."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from minidata.contract.rule import BLANKS
from minidata.contract.slices import Marks
from minidata.contract.verdict import InvalidFileError, reason
from minidata.dataset import Column


@dataclass(frozen=True)
class Header:
    """A valid header.

    Attributes:
        raw: the record as it is in the file, without its line end.
        width: the number of its cells.
        positions: where each declared column is, in declared order; without the optional ones that it lacks.
        drift: the trimmed names of all other columns, in the order of the file.
    """

    raw: bytes
    width: int
    positions: dict[str, int]
    drift: list[str]


def read_header(raw: bytes, cells: list[str], columns: Mapping[str, Column]) -> Header:
    """Read the first record of a file.

    Args:
        raw: the record, without its line end.
        cells: the same, as the CSV means it.
        columns: the declared ones.

    Raises:
        InvalidFileError: `duplicate_column` or `missing_column`, with all the columns concerned.
    """
    names = _declared_names(cells, columns)
    declared = list(columns)
    repeated = [column for column in declared if names.count(column) > 1]
    missing, drift = unmatched(cells, columns)
    faults = [f"The header names more than once: {', '.join(repeated)}."] if repeated else []
    faults += [f"The header lacks {', '.join(_hint(column, drift) for column in missing)}."] if missing else []
    if faults:
        code = "duplicate_column" if repeated else "missing_column"
        raise InvalidFileError(reason(code, " ".join(faults), repeated or missing))
    return Header(raw, len(names), {column: names.index(column) for column in declared if column in names}, drift)


def given_header(names: list[str], columns: Mapping[str, Column], marks: Marks) -> Header:
    """Make the header of a file that has none, from the names of its columns in order.

    Raises:
        InvalidFileError: as `read_header`.
    """
    return read_header(marks.delimiter.join(names).encode(), names, columns)


def unmatched(cells: list[str], columns: Mapping[str, Column]) -> tuple[list[str], list[str]]:
    """Return the required columns that a header lacks, and its names that are no columns, in their order."""
    names = _declared_names(cells, columns)
    missing = [name for name, column in columns.items() if name not in names and not column.optional]
    return missing, [name for name in names if name not in columns]


def _declared_names(cells: list[str], columns: Mapping[str, Column]) -> list[str]:
    named = {alias: name for name, column in columns.items() for alias in (*column.aliases, name)}
    return [named.get(cell.strip(BLANKS), cell.strip(BLANKS)) for cell in cells]


def close_name(column: str, others: list[str]) -> str | None:
    """Return the unknown name that may be meant for a missing column."""
    plain = {re.sub(r"[\W_]+", "_", name.casefold()).strip("_"): name for name in others}
    close = [name for name in plain if column.endswith(f"_{name}")]
    close = close or difflib.get_close_matches(column, plain, n=1, cutoff=0.7)
    return plain[close[0]] if close else None


def _hint(column: str, others: list[str]) -> str:
    close = close_name(column, others)
    return f"{column} (it has `{close[:63]}`: did you mean `{column}`?)" if close else column
