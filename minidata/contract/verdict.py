"""What validation says of a file, and the limits under which it says so."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Final, NamedTuple, Self

from minidata.contract.codes import describe
from minidata.errors import PermanentError
from minidata.settings import Settings

_ALWAYS_ALLOWED: Final = 64 << 20  # bytes, whatever the ratio: small files can shrink to nearly nothing
KEPT_RECORDS = 1000
"""Rejected records of a file whose entries are kept; the rejects file holds all of them."""


@dataclass(frozen=True)
class Limits:
    """The limits of validation; those with a default do not hold unless they are given.

    Attributes:
        max_file_bytes: the largest file, in bytes, as stored and decompressed.
        max_rejected_share: the share of rejected rows above which a file is invalid; the decimal that it
            prints as.
        slice_bytes: decompressed bytes parsed at once.
        max_compression_ratio: decompressed bytes for each stored one, beyond the first 64 MiB.
        max_columns: in the header.
        max_rejected_rows: rejected rows after which no more rows are checked.
        max_rejects_bytes: bytes of rejected rows after which no more rows are checked.
        max_file_seconds: processor time of the whole process.
        kept_records: rejected records whose entries are kept.
    """

    max_file_bytes: int
    max_rejected_share: float
    slice_bytes: int
    max_compression_ratio: float = math.inf
    max_columns: float = math.inf
    max_rejected_rows: float = math.inf
    max_rejects_bytes: float = math.inf
    max_file_seconds: float = math.inf
    kept_records: int = KEPT_RECORDS

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the limits that the settings set."""
        names = {limit.name for limit in fields(cls)} & type(settings).model_fields.keys()
        return cls(**{name: getattr(settings, name) for name in names})

    def decompressed(self, stored: int) -> "Budget":
        """Return how many bytes may come out of so many stored ones."""
        ratio = max(_ALWAYS_ALLOWED, stored * self.max_compression_ratio)
        if ratio < self.max_file_bytes:
            what = f"More than {ratio:,.0f} bytes come out of the {stored:,} of the file."
            return Budget(int(ratio), reason("too_compressed", what))
        what = f"The decompressed file is larger than the limit of {self.max_file_bytes:,} bytes."
        return Budget(self.max_file_bytes, reason("too_large", what))


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
    """Why a whole file is invalid: the code, a message with the fix, and the columns concerned."""

    code: str
    message: str
    columns: list[str] = field(default_factory=list)


def reason(code: str, what: str, columns: Iterable[str] = ()) -> Reason:
    """Make a reason; its message says what happened, then the fix of the code."""
    return Reason(code, f"{what} {describe(code).fix}", list(columns))


def with_hints(why: Reason, hints: Iterable[str]) -> Reason:
    """Add sentences to the message of a reason, before the fix of its code."""
    fix = describe(why.code).fix
    return replace(why, message=" ".join((why.message.removesuffix(fix).rstrip(), *hints, fix)))


class Budget(NamedTuple):
    """How many bytes may come out of a file, and what is wrong with one that has more."""

    size: int
    exceeded: Reason


class InvalidFileError(PermanentError):
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
        reason: why the whole file is invalid; None if it is accepted.
        rows_good: accepted rows.
        rows_rejected: rows with at least one entry.
        counts: entries by code, exact; empty unless all rows were checked.
        entries: of the first 1,000 rejected records, in file order, then in the order of the declared columns.
        drift: trimmed names of the columns that the dataset does not know, in the order of the header,
            nameless and repeated ones included; empty unless the header is valid.
    """

    size: int
    sha256: str
    reason: Reason | None = None
    rows_good: int = 0
    rows_rejected: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    entries: list[RejectEntry] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)
