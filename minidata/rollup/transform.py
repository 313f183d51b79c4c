"""The transform: accepted rows to rollups and to rows that are new, in Polars."""

from collections.abc import Callable, Iterable

import polars as pl

from minidata.dataset import Dataset, Every, Rollup, Window


def roll_up(rows: pl.LazyFrame, rollup: Rollup | Every, columns: Iterable[str] = ()) -> pl.LazyFrame:
    """Group the rows of a dataset as a table needs them.

    Args:
        rows: `dataset.row_columns`; timestamps naive, in UTC.
        rollup: the table, one of `dataset.merged`.
        columns: the dataset's, for a table of every row.

    Returns:
        `rollup.merged_columns`, each key once; for a table of every row its columns, each row once.
    """
    if isinstance(rollup, Every):
        return rows.select(*columns).unique()
    return regroup(rows.select(source_of(rollup, column).alias(column) for column in rollup.merged_columns), rollup)


def regroup(partials: pl.LazyFrame, rollup: Rollup | Every) -> pl.LazyFrame:
    """Merge partials: the same measures once more, over `rollup.merged_columns`."""
    if isinstance(rollup, Every):
        return partials.unique()
    latest = [pl.col(column).sort_by(rollup.order).last() for column in rollup.latest.columns]
    measures = [
        pl.col(name).max() if measure.function == "max" else pl.col(name).min()
        for name, measure in rollup.measures.items()
    ]
    grouped = partials.group_by(*rollup.keys).agg(*latest, *measures, pl.col(rollup.latest.into).max())
    return grouped.select(rollup.merged_columns)


def source_of(rollup: Rollup, column: str) -> pl.Expr:
    """Return the expression over a row of the dataset that a merged column is made from."""
    key = rollup.keys.get(column)
    if isinstance(key, Window):
        return pl.col(key.window).dt.truncate(f"{key.seconds}s")
    return pl.col(rollup.source_of(column))


class RollupBuilder:
    """Builds what one table needs from many frames, merging as it goes, in memory bounded by a number of rows.

    Args:
        dataset: the declaration.
        name: of the table, one of `dataset.merged`.
        rows: when the merged partial holds more rows than this, it is spilled and a new one is begun.
        spill: takes each finished partial, a frame as `roll_up` gives it.
    """

    def __init__(self, dataset: Dataset, name: str, rows: int, spill: Callable[[pl.DataFrame], None]) -> None:
        self._rollup = dataset.merged[name]
        self._columns = list(dataset.columns)
        self._rows = rows
        self._spill = spill
        self._held: pl.DataFrame | None = None

    def add(self, rows: pl.DataFrame) -> None:
        """Add some rows of the dataset."""
        partial = roll_up(rows.lazy(), self._rollup, self._columns).collect()
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
