"""Partials of some keys, in memory: what rows give to each table, merged as they are added."""

from collections.abc import Mapping

import polars as pl

from minidata.dataset import Dataset, Every
from minidata.rollup.transform import regroup, roll_up

Partials = dict[str, pl.DataFrame]
"""A partial of each table that rows are merged into, by name."""

_MOST = 50  # partials of a table that are held before they are merged


def keys_of(dataset: Dataset, name: str) -> list[str]:
    """Return the columns of a partial that tell one row of a table from another."""
    table = dataset.merged[name]
    return list(dataset.columns) if isinstance(table, Every) else list(table.keys)


def merge_partials(dataset: Dataset, *several: Mapping[str, pl.DataFrame]) -> Partials:
    """Merge the partials of each table into one."""
    return {
        name: regroup(pl.concat(partials[name] for partials in several).lazy(), table).collect()
        for name, table in dataset.merged.items()
    }


class KeyedPartials:
    """Collects what rows give to each table.

    Args:
        dataset: the declaration.
        within: only the keys of these partials; they bound the memory.
    """

    def __init__(self, dataset: Dataset, within: Mapping[str, pl.DataFrame] | None = None) -> None:
        self._dataset = dataset
        self._within = within
        self._held: list[Partials] = []

    def add(self, rows: pl.DataFrame) -> None:
        """Add some rows, with `dataset.row_columns`."""
        self._held.append({name: self._partial(name, rows) for name in self._dataset.merged})
        if len(self._held) > _MOST:
            self._held = [merge_partials(self._dataset, *self._held)]

    def finish(self) -> Partials:
        """Return one partial of each table; rows were added, if only a frame of none."""
        return merge_partials(self._dataset, *self._held)

    def _partial(self, name: str, rows: pl.DataFrame) -> pl.DataFrame:
        partial = roll_up(rows.lazy(), self._dataset.merged[name], list(self._dataset.columns)).collect()
        if self._within is None:
            return partial
        return partial.join(self._within[name], on=keys_of(self._dataset, name), how="semi", nulls_equal=True)
