"""What a declaration can say.

A rollup is a group-by whose measures all merge (`max`, `min`, the values of the latest row), so one that could count
a row twice cannot be written down.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from minidata.dataset.columns import Column, Identifier, IntegerColumn, Model, TimestampColumn
from minidata.dataset.dialect import IGNORED, Dialect, Format


class Window(Model):
    """Start of the window of `seconds`, counted from the epoch, that contains the column's instant.

    Attributes:
        window: the timestamp column.
        seconds: length of a window.
    """

    window: Identifier
    seconds: int = Field(gt=0)


def _kind_of_key(value: Any) -> str:
    return "a window" if isinstance(value, dict | Window) else "a column"


Key = Annotated[
    Annotated[Identifier, Tag("a column")] | Annotated[Window, Tag("a window")], Discriminator(_kind_of_key)
]


class Measure(Model):
    """The greatest or the least value of a column: `{max: column}` or `{min: column}`.

    Attributes:
        max: the column whose greatest value is kept.
        min: the column whose least value is kept.
    """

    max: Identifier | None = None
    min: Identifier | None = None

    @property
    def function(self) -> Literal["max", "min"]:
        """Which of the two."""
        return "max" if self.max else "min"

    @property
    def column(self) -> str:
        """The column of the file."""
        return str(self.max or self.min)

    @model_validator(mode="after")
    def _one(self) -> "Measure":
        if bool(self.max) == bool(self.min):
            raise ValueError("a measure is the `max` or the `min` of one column")
        return self


class Latest(Model):
    """The values of the latest row; of several such rows, the greatest values.

    Attributes:
        by: the timestamp column that decides which row is the latest.
        into: the column of the table that keeps the greatest `by`.
        columns: those whose values are taken from that row.
    """

    by: Identifier
    into: Identifier
    columns: list[Identifier] = Field(min_length=1)


class Gain(Model):
    """A measure less its value in the previous window of the same keys; null in the first window.

    Attributes:
        of: the measure or latest column.
        at_least: a smaller gain becomes this value, such as 0.
    """

    of: Identifier
    at_least: int | None = None


class Rollup(Model):
    """A group-by whose measures all merge.

    Attributes:
        description: what one row is.
        keys: the columns of the primary key: each a column of the file, or a window of a timestamp column.
        latest: the values that come from the latest row.
        measures: the columns that hold a greatest or least value.
        gains: the columns that hold a difference to the previous window.
    """

    description: str
    keys: dict[Identifier, Key] = Field(min_length=1)
    latest: Latest
    measures: dict[Identifier, Measure] = Field({})
    gains: dict[Identifier, Gain] = Field({})

    @property
    def window_key(self) -> str | None:
        """Name of the key that is a window, if there is one."""
        return next((name for name, source in self.keys.items() if isinstance(source, Window)), None)

    @property
    def other_keys(self) -> list[str]:
        """Names of the keys that are no window."""
        return [name for name, source in self.keys.items() if not isinstance(source, Window)]

    @property
    def order(self) -> list[str]:
        """The columns that decide which of two rows is the later one: their greater tuple."""
        return [self.latest.into, *self.latest.columns]

    @property
    def merged_columns(self) -> list[str]:
        """Keys, then latest columns, then measures, then `latest.into`: the result of the transform."""
        return [*self.keys, *self.latest.columns, *self.measures, self.latest.into]

    @property
    def table_columns(self) -> list[str]:
        """The columns of the table, in order: the merged ones, with the gains before `latest.into`."""
        return [*self.keys, *self.latest.columns, *self.measures, *self.gains, self.latest.into]

    @property
    def gained(self) -> list[str]:
        """The columns that gains compare with the window before."""
        return sorted({gain.of for gain in self.gains.values()})

    def source_of(self, column: str) -> str:
        """Return the column of the file that a column of the table is made from."""
        if column in self.keys:
            source = self.keys[column]
            return source.window if isinstance(source, Window) else source
        if column in self.gains:
            column = self.gains[column].of
        if column in self.measures:
            return self.measures[column].column
        return self.latest.by if column == self.latest.into else column


class Newest(Model):
    """One row per key: the row with the greatest `by`; without `by`, the row that arrived last.

    The arrival of a row is the arrival of its file, then its line. Of several such rows, the one with the greatest
    values is kept, compared in the order of the columns; null is less than every value.

    Attributes:
        description: what one row is.
        keys: the columns of the primary key.
        by: the column that decides which row is the newest.
    """

    description: str
    keys: list[Identifier] = Field(min_length=1)
    by: Identifier | None = None


class Every(Model):
    """Every row once: rows with the same values are one row.

    Attributes:
        description: what one row is.
    """

    description: str


def _kind_of_keys(value: Any) -> str:
    return "a mapping" if isinstance(value, dict) else "a list"


SummaryKeys = Annotated[
    Annotated[Annotated[list[Identifier], Field(min_length=1)], Tag("a list")]
    | Annotated[Annotated[dict[Identifier, Key], Field(min_length=1)], Tag("a mapping")],
    Discriminator(_kind_of_keys),
]


SqlFile = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*\.sql$")]
"""The name of a file with a select: it lies beside its declaration, nowhere else."""


class Summary(Model):
    """A table that one SQL select over the other tables gives; it runs again for the keys that a load changed.

    Attributes:
        description: what one row is.
        keys: the columns of the primary key: a list of columns of the table `from`, or names with a column of that
            table or a window of one.
        sql: name of the file with the select, next to the declaration.
        columns: every column of the select, in its order, with its type.
    """

    description: str
    keys: SummaryKeys
    source: Identifier = Field(alias="from", description="The table whose changed rows are summarised again.")
    sql: SqlFile
    columns: dict[Identifier, Literal["text", "bigint", "numeric", "boolean", "date", "timestamptz"]]

    @property
    def key_sources(self) -> dict[str, Key]:
        """The column, or the window, of the table `from` that each key is."""
        return self.keys if isinstance(self.keys, dict) else {key: key for key in self.keys}


# Columns of tables that their views hide: what decides which row is newest, and what makes two rows the same one.
HIDDEN = "mdp_"
HASH = "mdp_hash"
ARRIVED_AT, LINE = "mdp_arrived_at", "mdp_line"
FILE = "mdp_file"  # the id of the file that a row in staging is from
_ARRIVAL: dict[str, Column] = {
    ARRIVED_AT: TimestampColumn.model_validate({"type": "timestamp"}),
    LINE: IntegerColumn.model_validate({"type": "integer"}),
}


class Dataset(Model):
    """A whole declaration.

    Attributes:
        name: of its folder, of its DAG, and of the schema of its tables.
        title: what people call it.
        prefix: the folder of `raw` with its files; the longest matching one wins.
        formats: what a file may be.
        dialect: how the text of its files is written.
        ignore: patterns of names, without folder, of objects below the prefix that are not loaded.
        columns: the columns of a file, in any order.
        rollups: tables that are group-bys.
        newest: tables with one row per key.
        every: tables with every row once.
        summaries: tables that one SQL select over the other tables gives.
        folder: where it was read from.
    """

    name: Identifier
    title: str
    prefix: str
    formats: list[Format] = Field(["csv"], min_length=1)
    dialect: Dialect = Dialect()
    ignore: list[str] = Field(IGNORED)
    columns: dict[Identifier, Column] = Field(min_length=1)
    rollups: dict[Identifier, Rollup] = Field({})
    newest: dict[Identifier, Newest] = Field({})
    every: dict[Identifier, Every] = Field({})
    summaries: dict[Identifier, Summary] = Field({})
    folder: Path = Path()

    @property
    def file(self) -> Path:
        """The declaration."""
        return self.folder / "dataset.yaml"

    @property
    def by_arrival(self) -> bool:
        """Whether a table depends on when rows arrived."""
        return any(newest.by is None for newest in self.newest.values())

    @property
    def row_columns(self) -> dict[str, Column]:
        """The columns of a row on its way to the tables: the declared ones, and its arrival if a table needs it."""
        return self.columns | (_ARRIVAL if self.by_arrival else {})

    @property
    def merged(self) -> dict[str, "Rollup | Every"]:
        """The tables that rows are merged into, by name; a newest row per key is a rollup."""
        newest = {name: self.rollup_of(newest) for name, newest in self.newest.items()}
        return self.rollups | newest | self.every

    def rollup_of(self, newest: Newest) -> Rollup:
        """Return the rollup that a table of newest rows is."""
        by, *place = [newest.by] if newest.by else list(_ARRIVAL)
        others = [column for column in self.columns if column not in newest.keys and column != by]
        return Rollup(
            description=newest.description,
            keys={key: key for key in newest.keys},
            latest=Latest(by=by, into=by, columns=[*place, *others]),
            measures={},
            gains={},
        )

    def columns_of(self, table: str) -> dict[str, Column]:
        """Return how each column of a table that rows are merged into is declared, without the hidden ones."""
        if table in self.rollups:
            rollup = self.rollups[table]
            sources = {c: rollup.source_of(c) for c in rollup.table_columns}
            found = {c: self.columns[source] for c, source in sources.items() if source in self.columns}
            return found | {c: found[c].model_copy(update={"optional": True}) for c in rollup.gains if c in found}
        return self.columns

    def select_of(self, summary: str) -> str:
        """Return the select of a summary, without a semicolon at its end."""
        text = (self.folder / self.summaries[summary].sql).read_text(encoding="utf-8")
        return text.rstrip().removesuffix(";") + "\n"

    @property
    def tables(self) -> dict[str, list[str]]:
        """The columns of the primary key of every table, by table."""
        merged = {name: [HASH] if isinstance(table, Every) else list(table.keys) for name, table in self.merged.items()}
        return merged | {name: list(summary.keys) for name, summary in self.summaries.items()}


def ignored(key: str, dataset: Dataset) -> bool:
    """Whether an object is no file of its dataset.

    >>> ignored("daily.csv/_SUCCESS", Dataset.model_construct(ignore=IGNORED))
    True
    """
    name = key.rsplit("/", 1)[-1]
    return any(fnmatchcase(name, pattern) for pattern in dataset.ignore)


def dataset_of(key: str, datasets: Iterable[Dataset], default: str) -> str:
    """Name the dataset of an object: the longest prefix that matches whole path segments, else the default.

    >>> dataset_of("elsewhere/a.csv", [], "the_default")
    'the_default'
    """
    matches = [d for d in datasets if key.startswith(d.prefix.strip("/") + "/")]
    return max(matches, key=lambda d: len(d.prefix), default=None).name if matches else default  # type: ignore[union-attr]
