"""Rollups: mergeable aggregates, from their declaration to the transform and the merge."""

from minidata.rollup.load import RollupLoad, merge_rollups, merge_summaries, stage_rollup
from minidata.rollup.transform import RollupBuilder, regroup, roll_up

__all__ = [
    "RollupBuilder",
    "RollupLoad",
    "merge_rollups",
    "merge_summaries",
    "regroup",
    "roll_up",
    "stage_rollup",
]
