"""What a snapshot must be: the validation of a file, and its verdict in words."""

from minidata.contract.codes import FILE_CODES, ROW_CODES, Description, describe
from minidata.contract.validate import validate
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
    "validate",
]
