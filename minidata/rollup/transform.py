"""The transform: accepted rows to rollups and to rows that are new, in Polars."""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import polars as pl

from minidata.dataset import Dataset, Every, Rollup, Window
from minidata.spool import require_space

_FULL: Final = 2  # times the rows that may be merged: so many are held before they are
_SHARES: Final = 64
_ROW: Final = "mdp_row"


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
    measures = [
        pl.col(name).max() if measure.function == "max" else pl.col(name).min()
        for name, measure in rollup.measures.items()
    ]
    rows = partials.with_row_index(_ROW)
    latest = pl.col(_ROW).sort_by(rollup.order).last()  # a number: cheaper to sort than texts
    grouped = rows.group_by(*rollup.keys).agg(latest, *measures, pl.col(rollup.latest.into).max())
    return grouped.join(rows.select(_ROW, *rollup.latest.columns), on=_ROW).select(rollup.merged_columns)


def source_of(rollup: Rollup, column: str) -> pl.Expr:
    """Return the expression over a row of the dataset that a merged column is made from."""
    key = rollup.keys.get(column)
    if isinstance(key, Window):
        return pl.col(key.window).dt.truncate(f"{key.seconds}s")
    return pl.col(rollup.source_of(column))


def together_of(dataset: Dataset, name: str) -> list[str]:
    """Return the columns of which a load needs equal rows in one partial: the key of a table without its window."""
    table = dataset.merged[name]
    return list(dataset.columns) if isinstance(table, Every) else list(table.other_keys)


class RollupBuilder:
    """Builds what one table needs from many frames, merging as it goes, in memory bounded by a number of rows.

    What is more is kept in a folder, in shares by a hash of the key without its window; each is merged by itself.

    Args:
        dataset: the declaration.
        name: of the table, one of `dataset.merged`.
        rows: that are merged before they are kept in the folder.
        folder: an empty one.
        give: takes the finished partials, frames as `roll_up` gives them, of about so many rows. No two of them have
            the same key, with or without its window.
    """

    def __init__(
        self, dataset: Dataset, name: str, rows: int, folder: Path, give: Callable[[pl.DataFrame], None]
    ) -> None:
        self._table = dataset.merged[name]
        self._columns = list(dataset.columns)
        self._keys = list(self._table.keys) if isinstance(self._table, Rollup) else self._columns
        self._together = together_of(dataset, name)
        self._rows = rows
        self._folder = folder
        self._give = give
        self._held: list[pl.DataFrame] = []
        self._shares: dict[int, list[Path]] = {}
        self._sizes: Counter[int] = Counter()

    def add(self, rows: pl.DataFrame) -> None:
        """Add some rows of the dataset.

        Raises:
            TransientError: if they must be kept on the disk and it has too little space.
        """
        self._held.append(roll_up(rows.lazy(), self._table, self._columns).collect())
        if sum(held.height for held in self._held) > _FULL * self._rows:
            keys = pl.concat(held.select(self._keys) for held in self._held)
            if keys.n_unique() > self._rows:
                self._keep()
            else:
                self._held = [self._merged(self._held)]

    def finish(self) -> None:
        """Give what was added, if anything."""
        if not self._shares:
            if self._held:
                self._give(self._merged(self._held))
            return
        self._keep()
        files: list[Path] = []
        height = 0
        for share in sorted(self._shares):
            if files and height + self._sizes[share] > self._rows:
                self._give(self._merged(map(_read, files)))
                files, height = [], 0
            files += self._shares[share]
            height += self._sizes[share]
        self._give(self._merged(map(_read, files)))

    def _merged(self, partials: Iterable[pl.DataFrame]) -> pl.DataFrame:
        return regroup(pl.concat(partials).lazy(), self._table).collect()

    def _keep(self) -> None:
        require_space()
        share_of = (pl.struct(self._together).hash() % _SHARES).alias(_ROW)
        for partial in self._held:
            shares = partial.with_columns(share_of).partition_by(_ROW, as_dict=True, include_key=False)
            for (share,), rows in shares.items():
                files = self._shares.setdefault(share, [])
                files.append(self._folder / f"{share}-{len(files)}.arrow")
                rows.write_ipc(files[-1])
                self._sizes[share] += rows.height
        self._held = []


def _read(file: Path) -> pl.DataFrame:
    return pl.read_ipc(file)
