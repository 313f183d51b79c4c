"""What a snapshot must be: the validation of a file, and its verdict in words.

`validate` stands in its own module and is imported from there: it brings Polars, which most commands need not load.
"""

from minidata.contract.codes import FILE_CODES, ROW_CODES, Description, describe
from minidata.contract.verdict import Limits, Reason, RejectEntry, Verdict

__all__ = [
    "FILE_CODES",
    "ROW_CODES",
    "Description",
    "Limits",
    "Reason",
    "RejectEntry",
    "Verdict",
    "describe",
]
