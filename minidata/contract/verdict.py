"""What validation says of a file, and the limits under which it says so."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from minidata.contract.codes import describe
from minidata.errors import PermanentError

KEPT_RECORDS = 1000
"""Rejected records of a file whose entries are kept; the rejects file holds all of them."""


@dataclass(frozen=True)
class Limits:
    """The limits of validation.

    Attributes:
        max_file_bytes: the largest file, in bytes, as stored and decompressed.
        max_rejected_share: the share of rejected rows above which a file is condemned; the decimal that it
            prints as.
        slice_bytes: decompressed bytes parsed at once.
    """

    max_file_bytes: int
    max_rejected_share: float
    slice_bytes: int


class RejectEntry(NamedTuple):
    """One broken rule of one record.

    Attributes:
        line: the physical line on which the record starts, from 1.
        column: None for `wrong_cell_count`.
        code: the reason code.
        value: the cell as the CSV means it, cut at 200 code points; None for `wrong_cell_count`.
    """

    line: int
    column: str | None
    code: str
    value: str | None


@dataclass(frozen=True)
class Reason:
    """Why a whole file is condemned: the code, a message that says what to mend, the columns concerned."""

    code: str
    message: str
    columns: list[str] = field(default_factory=list)


def reason(code: str, what: str, columns: Iterable[str] = ()) -> Reason:
    """Make a reason whose message is what happened and then the code's mend."""
    return Reason(code, f"{what} {describe(code).mend}", list(columns))


class CondemnedError(PermanentError):
    """The file is invalid as a whole; `reason` says why."""

    def __init__(self, why: Reason) -> None:
        super().__init__(why.message)
        self.reason = why


@dataclass(frozen=True)
class Verdict:
    """What validation says of a file.

    Attributes:
        size: stored bytes read.
        sha256: of the stored bytes, 64 hexadecimal digits.
        reason: why the whole file is condemned; None if it is accepted.
        rows_good: accepted rows.
        rows_rejected: rows with at least one entry.
        counts: entries by code, exact; empty unless the rows were judged.
        entries: of the first 1,000 rejected records, in file order, then in the order of the declared columns.
        drift: trimmed names of the columns that the dataset does not know, in the order of the header,
            nameless and repeated ones included; empty unless the header holds.
    """

    size: int
    sha256: str
    reason: Reason | None = None
    rows_good: int = 0
    rows_rejected: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    entries: list[RejectEntry] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)
