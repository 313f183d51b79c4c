"""What a declaration can say.

A rollup is a group-by whose measures all merge (`max`, `min`, the values of the latest row), so one that could count
a row twice cannot be written down.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from minidata.dataset.columns import Column, Identifier, Model
from minidata.dataset.dialect import IGNORED, Dialect


class Window(Model):
    """Start of the window of `seconds`, counted from the epoch, that contains the column's instant."""

    window: Identifier
    seconds: int = Field(gt=0)


def _kind_of_key(value: Any) -> str:
    return "a window" if isinstance(value, dict | Window) else "a column"


Key = Annotated[
    Annotated[Identifier, Tag("a column")] | Annotated[Window, Tag("a window")], Discriminator(_kind_of_key)
]


class Measure(Model):
    """The greatest or the least value of a column: `{max: column}` or `{min: column}`."""

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
    """The values of the row with the greatest `by` (kept as `into`); of several such rows, the greatest values."""

    by: Identifier
    into: Identifier
    columns: list[Identifier] = Field(min_length=1)


class Gain(Model):
    """A measure less its value in the previous window of the same keys; null in the first window."""

    of: Identifier
    at_least: int | None = None


class Rollup(Model):
    """A group-by whose measures all merge."""

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

    def source_of(self, column: str) -> str:
        """Return the column of the file that a merged column is made from."""
        if column in self.keys:
            source = self.keys[column]
            return source.window if isinstance(source, Window) else source
        if column in self.measures:
            return self.measures[column].column
        return self.latest.by if column == self.latest.into else column


class Summary(Model):
    """A table that one SQL select over rollups gives; it runs again for the keys that a load changed."""

    description: str
    keys: list[Identifier] = Field(min_length=1)
    source: Identifier = Field(alias="from", description="The rollup whose changed keys are recomputed.")
    sql: str
    columns: dict[Identifier, Literal["text", "bigint", "numeric", "boolean", "date", "timestamptz"]]


class Dataset(Model):
    """A whole declaration; `folder` is where it was read from.

    `ignore` are patterns of names, without folder, of objects below the prefix that are no files.
    """

    name: Identifier
    title: str
    prefix: str
    dialect: Dialect = Dialect()
    ignore: list[str] = Field(IGNORED)
    columns: dict[Identifier, Column] = Field(min_length=1)
    rollups: dict[Identifier, Rollup] = Field(min_length=1)
    summaries: dict[Identifier, Summary] = Field({})
    folder: Path = Path()

    @property
    def file(self) -> Path:
        """The declaration."""
        return self.folder / "dataset.yaml"

    @property
    def tables(self) -> dict[str, list[str]]:
        """The columns of the primary key of every table, by table."""
        rollups = {name: list(rollup.keys) for name, rollup in self.rollups.items()}
        return rollups | {name: summary.keys for name, summary in self.summaries.items()}


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
