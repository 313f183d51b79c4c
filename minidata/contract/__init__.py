"""What a snapshot must be: the validation of a file, and its verdict in words.

Import `validate` from its own module: it loads Polars, which most commands do not need.
"""

from minidata.contract.codes import FILE_CODES, ROW_CODES, describe
from minidata.contract.verdict import Limits, Reason, RejectEntry, Verdict

__all__ = ["FILE_CODES", "ROW_CODES", "Limits", "Reason", "RejectEntry", "Verdict", "describe"]
