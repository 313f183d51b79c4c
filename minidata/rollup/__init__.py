"""The tables of a dataset that rows are merged into: from their declaration to the transform and the merge."""

from minidata.rollup.load import TableLoad, merge, run_summary, stage
from minidata.rollup.partials import KeyedPartials, Partials, keys_of, merge_partials
from minidata.rollup.ranges import RangeBuilder, Ranges, overlap, ranges_of_keys
from minidata.rollup.replace import replace_rows
from minidata.rollup.summary import SummaryStatements
from minidata.rollup.transform import RollupBuilder, regroup, roll_up, source_of, together_of

__all__ = [
    "KeyedPartials",
    "Partials",
    "RangeBuilder",
    "Ranges",
    "RollupBuilder",
    "SummaryStatements",
    "TableLoad",
    "keys_of",
    "merge",
    "merge_partials",
    "overlap",
    "ranges_of_keys",
    "regroup",
    "replace_rows",
    "roll_up",
    "run_summary",
    "source_of",
    "stage",
    "together_of",
]
