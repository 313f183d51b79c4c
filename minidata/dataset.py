"""A dataset is a declaration: its columns with their rules, its rollups and its summaries.

The declaration lives in `datasets/<name>/dataset.yaml`; from it come the checks of a file, the transform, the
tables, the merge and the documentation. A rollup is a group-by whose measures all merge (`max`, `min`, the
values of the latest row), so one that could count a row twice cannot be written down.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from minidata.errors import PermanentError
from minidata.settings import Settings

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
_TAKEN = ("mdp", "mart", "public", "information_schema")  # schemas that are there for something else


class Model(BaseModel):
    """A part of a declaration: frozen, and a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TextColumn(Model):
    """Text, in code points, never normalised; `trimmed` cuts space, tab, CR and LF at both ends."""

    type: Literal["text"]
    trimmed: bool = True
    min_length: int = Field(0, ge=0)
    max_length: int = Field(gt=0)
    description: str = ""


class IntegerColumn(Model):
    """A whole number from 0 to 2^63-1."""

    type: Literal["integer"]
    description: str = ""


class TimestampColumn(Model):
    """An instant, in UTC, to the microsecond; at most `max_ahead_hours` after the arrival of its file."""

    type: Literal["timestamp"]
    max_ahead_hours: float | None = Field(None, ge=0)
    not_before: Identifier | None = None
    description: str = ""


Column = Annotated[TextColumn | IntegerColumn | TimestampColumn, Field(discriminator="type")]


class Window(Model):
    """Start of the window of so many seconds, counted from the epoch, that holds the column's instant."""

    window: Identifier
    seconds: int = Field(gt=0)


class Maximum(Model):
    """The greatest value of a column."""

    max: Identifier


class Minimum(Model):
    """The least value of a column."""

    min: Identifier


class Latest(Model):
    """The values of the row with the greatest `by` (kept as `into`); of several, the greatest tuple of values."""

    by: Identifier
    into: Identifier
    columns: list[Identifier] = Field(min_length=1)


class Gain(Model):
    """A measure less that of the neighbouring earlier window of the same keys; null in the first window."""

    of: Identifier
    at_least: int | None = None


class Rollup(Model):
    """A group-by whose measures all merge."""

    description: str
    keys: dict[Identifier, Identifier | Window] = Field(min_length=1)
    latest: Latest
    measures: dict[Identifier, Maximum | Minimum] = {}
    gains: dict[Identifier, Gain] = {}

    @property
    def window_key(self) -> str | None:
        """Name of the key that is a window, if there is one."""
        return next((name for name, source in self.keys.items() if isinstance(source, Window)), None)

    @property
    def merged_columns(self) -> list[str]:
        """Keys, then latest columns, then measures, then `latest.into`: what the transform makes."""
        return [*self.keys, *self.latest.columns, *self.measures, self.latest.into]

    @property
    def table_columns(self) -> list[str]:
        """The columns of the table, in order: the merged ones and the gains before `latest.into`."""
        return [*self.keys, *self.latest.columns, *self.measures, *self.gains, self.latest.into]

    def source_of(self, column: str) -> str:
        """Return the column of the file that a merged column is made from."""
        if column in self.keys:
            source = self.keys[column]
            return source.window if isinstance(source, Window) else source
        if column in self.measures:
            measure = self.measures[column]
            return measure.max if isinstance(measure, Maximum) else measure.min
        return self.latest.by if column == self.latest.into else column

    @model_validator(mode="after")
    def _consistent(self) -> "Rollup":
        if sum(isinstance(source, Window) for source in self.keys.values()) > 1:
            raise ValueError("a rollup has at most one window among its keys")
        if self.gains and (self.window_key is None or len(self.keys) < 2):
            raise ValueError("a gain needs a window and another key: it compares neighbouring windows")
        if len(set(self.table_columns)) < len(self.table_columns):
            raise ValueError(f"a column of the rollup is named twice: {self.table_columns}")
        for name, gain in self.gains.items():
            if gain.of not in {*self.measures, *self.latest.columns}:
                raise ValueError(f"the gain {name} is of {gain.of}, which is no measure of the rollup")
        return self


class Summary(Model):
    """A table that one SQL select over rollups makes; it is made anew for the touched keys."""

    description: str
    keys: list[Identifier] = Field(min_length=1)
    source: Identifier = Field(alias="from", description="The rollup whose touched keys are recomputed.")
    sql: str
    columns: dict[Identifier, Literal["text", "bigint", "numeric", "timestamptz"]]


class Dataset(Model):
    """A whole declaration."""

    name: Identifier
    title: str
    prefix: str
    columns: dict[Identifier, Column] = Field(min_length=1)
    rollups: dict[Identifier, Rollup] = Field(min_length=1)
    summaries: dict[Identifier, Summary] = {}
    folder: Path

    @property
    def file(self) -> Path:
        """Where it is declared."""
        return self.folder / "dataset.yaml"

    @property
    def tables(self) -> dict[str, list[str]]:
        """The columns of the primary key of every table, by table."""
        rollups = {name: list(rollup.keys) for name, rollup in self.rollups.items()}
        return rollups | {name: summary.keys for name, summary in self.summaries.items()}

    @model_validator(mode="after")
    def _named(self) -> "Dataset":
        if self.name in _TAKEN or self.name.startswith("pg_"):
            raise ValueError(f"name: the schema {self.name} is not free, and each dataset has one of its name")
        if not self.prefix.strip("/"):
            raise ValueError("prefix: it names a folder of the bucket raw, and is empty")
        if both := self.rollups.keys() & self.summaries.keys():
            raise ValueError(f"{', '.join(sorted(both))}: the name of a rollup and of a summary, and so of two tables")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> "Dataset":
        for name, column in self.columns.items():
            if isinstance(column, TimestampColumn) and column.not_before:
                other = self.columns.get(column.not_before)
                if not isinstance(other, TimestampColumn):
                    raise ValueError(f"{name}: not_before names {column.not_before}, which is no timestamp column")
        for name, rollup in self.rollups.items():
            self._check_rollup(name, rollup)
        for name, summary in self.summaries.items():
            self._check_summary(name, summary)
        return self

    def _check_rollup(self, name: str, rollup: Rollup) -> None:
        for column in rollup.merged_columns:
            if rollup.source_of(column) not in self.columns:
                raise ValueError(f"rollup {name}: {column} is made from {rollup.source_of(column)}, which is no column")
        for instant in (rollup.latest.by, *(k.window for k in rollup.keys.values() if isinstance(k, Window))):
            if not isinstance(self.columns[instant], TimestampColumn):
                raise ValueError(f"rollup {name}: {instant} must be a timestamp")
        for gain in rollup.gains.values():
            if not isinstance(self.columns[rollup.source_of(gain.of)], IntegerColumn):
                raise ValueError(f"rollup {name}: a gain is of an integer, {gain.of} is none")

    def _check_summary(self, name: str, summary: Summary) -> None:
        if summary.source not in self.rollups:
            raise ValueError(f"summary {name}: {summary.source} is no rollup")
        if not set(summary.keys) <= set(self.rollups[summary.source].keys):
            raise ValueError(f"summary {name}: its keys must be keys of {summary.source}")
        if not set(summary.keys) <= set(summary.columns):
            raise ValueError(f"summary {name}: its keys must be among its columns")
        if not (self.folder / summary.sql).is_file():
            raise ValueError(f"summary {name}: there is no {summary.sql} beside the declaration")


def read_dataset(folder: Path) -> Dataset:
    """Read and check one declaration.

    Raises:
        PermanentError: if the file is missing or wrong; the message names the file and the place in it.
    """
    file = folder / "dataset.yaml"
    try:
        declared = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        dataset = Dataset.model_validate({**declared, "folder": folder})
    except OSError as error:
        raise PermanentError(f"The dataset declaration {file} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, TypeError) as error:
        raise PermanentError(f"The dataset declaration {file} is no YAML mapping: {error}") from error
    except ValidationError as error:
        lines = [f"{' → '.join(map(str, e['loc'])) or 'whole file'}: {e['msg']}" for e in error.errors()]
        raise PermanentError(f"The dataset declaration {file} is wrong:\n  " + "\n  ".join(lines)) from error
    if dataset.name != folder.name:
        raise PermanentError(f"{file} declares the dataset {dataset.name}, but its folder is {folder.name}.")
    return dataset


@lru_cache(maxsize=8)
def read_datasets(folder: Path) -> dict[str, Dataset]:
    """Read every declaration below a folder, by name.

    Raises:
        PermanentError: if one is wrong, there is none, or two share a prefix or the name of a table.
    """
    datasets = {d.name: d for d in (read_dataset(f.parent) for f in sorted(folder.glob("*/dataset.yaml")))}
    if not datasets:
        raise PermanentError(f"No dataset is declared in {folder}: put one into {folder}/<name>/dataset.yaml.")
    prefixes: dict[str, Dataset] = {}
    tables: dict[str, Dataset] = {}
    for dataset in datasets.values():
        first = prefixes.setdefault(dataset.prefix.strip("/"), dataset)
        if first is not dataset:
            raise PermanentError(
                f"{first.file} and {dataset.file} have the same prefix, {dataset.prefix}: a key would belong to both. "
                "Give one of them another prefix."
            )
        for table in dataset.tables:
            first = tables.setdefault(table, dataset)
            if first is not dataset:
                raise PermanentError(
                    f"{first.file} and {dataset.file} both declare a table {table}, but there can be only one "
                    f"mart.{table}. Give one of them another name."
                )
    return datasets


def declared_datasets(settings: Settings) -> dict[str, Dataset]:
    """Read every declaration that the settings mean, by name, and see that the default one is among them.

    Raises:
        PermanentError: as `read_datasets`, and if the default one is not declared.
    """
    datasets = read_datasets(settings.datasets_folder)
    if settings.default_dataset not in datasets:
        raise PermanentError(
            f"MDP_DEFAULT_DATASET is {settings.default_dataset}, but {settings.datasets_folder} declares only "
            f"{', '.join(datasets)}: files without a known prefix would wait for ever. Name one of these."
        )
    return datasets


def dataset_of(key: str, datasets: Iterable[Dataset], default: str) -> str:
    """Name the dataset of an object: the longest prefix that matches whole path segments, else the default.

    >>> dataset_of("elsewhere/a.csv", [], "youtube_stats")
    'youtube_stats'
    """
    matches = [d for d in datasets if key.startswith(d.prefix.strip("/") + "/")]
    return max(matches, key=lambda d: len(d.prefix), default=None).name if matches else default  # type: ignore[union-attr]
