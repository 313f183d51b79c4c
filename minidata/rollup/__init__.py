"""Rollups: mergeable aggregates, from their declaration to the transform and the merge."""

from minidata.rollup.merge import merge_rollups
from minidata.rollup.stage import RollupLoad, stage_rollup
from minidata.rollup.summaries import merge_summaries
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
