"""The transform: good rows to rollups, written once in Narwhals for every engine that it knows."""

from collections.abc import Callable
from typing import TypeVar

import narwhals as nw
import polars as pl
from narwhals.typing import IntoLazyFrame

from minidata.dataset import Maximum, Rollup, Window

Frame = TypeVar("Frame", bound=IntoLazyFrame)


def roll_up(rows: Frame, rollup: Rollup) -> Frame:
    """Group the rows of a dataset into a rollup.

    Args:
        rows: a lazy frame of any engine with the dataset's columns; timestamps naive, in UTC.
        rollup: what to make.

    Returns:
        A lazy frame of the same engine with `rollup.merged_columns`, each key once.
    """
    frame = nw.from_native(rows).select(*(_source(rollup, column).alias(column) for column in rollup.merged_columns))
    return _group(frame, rollup).to_native()


def regroup(partials: Frame, rollup: Rollup) -> Frame:
    """Merge partial rollups: the same measures once more, over `rollup.merged_columns`."""
    return _group(nw.from_native(partials), rollup).to_native()


def _source(rollup: Rollup, column: str) -> nw.Expr:
    key = rollup.keys.get(column)
    if isinstance(key, Window):
        return nw.col(key.window).dt.truncate(f"{key.seconds}s")
    return nw.col(rollup.source_of(column))


def _group(frame: nw.LazyFrame[Frame], rollup: Rollup) -> nw.LazyFrame[Frame]:
    order = [rollup.latest.into, *rollup.latest.columns]
    latest = [nw.col(column).last(order_by=order) for column in rollup.latest.columns]
    measures = [
        nw.col(name).max() if isinstance(measure, Maximum) else nw.col(name).min()
        for name, measure in rollup.measures.items()
    ]
    grouped = frame.group_by(*rollup.keys).agg(*latest, *measures, nw.col(rollup.latest.into).max())
    return grouped.select(*rollup.merged_columns)


class RollupBuilder:
    """Builds one rollup from many frames, merging as it goes, in memory bounded by a number of rows.

    Args:
        rollup: what to build.
        rows: when the merged partial holds more rows than this, it is spilled and a new one is begun.
        spill: takes each finished partial, a frame with `rollup.merged_columns`.
    """

    def __init__(self, rollup: Rollup, rows: int, spill: Callable[[pl.DataFrame], None]) -> None:
        self._rollup = rollup
        self._rows = rows
        self._spill = spill
        self._held: pl.DataFrame | None = None

    def add(self, rows: pl.DataFrame) -> None:
        """Add some rows of the dataset."""
        partial = roll_up(rows.lazy(), self._rollup).collect()
        if self._held is not None:
            partial = regroup(pl.concat([self._held, partial]).lazy(), self._rollup).collect()
        self._held = partial
        if partial.height > self._rows:
            self.finish()

    def finish(self) -> None:
        """Spill what is held, if anything."""
        if self._held is not None:
            self._spill(self._held)
            self._held = None
