"""The tables of a dataset that rows are merged into: from their declaration to the transform and the merge."""

from minidata.rollup.load import TableLoad, merge, run_summary, stage
from minidata.rollup.summary import SummaryStatements
from minidata.rollup.transform import RollupBuilder, regroup, roll_up

__all__ = ["RollupBuilder", "SummaryStatements", "TableLoad", "merge", "regroup", "roll_up", "run_summary", "stage"]
