"""Reads declarations and checks them whole: every problem is reported at once, with its file and line."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from minidata.dataset.columns import BooleanColumn, DecimalColumn, IntegerColumn, Model, TimestampColumn
from minidata.dataset.dialect import IGNORED
from minidata.dataset.keys import index_problems, with_key_lengths
from minidata.dataset.model import HIDDEN, Dataset, Newest, Rollup, Summary, Window
from minidata.errors import PermanentError
from minidata.settings import Settings
from minidata.yaml_file import Location, Problem, YamlFile, guess, read_yaml

KINDS = ("rollups", "newest", "every", "summaries")  # of tables: the keys of a declaration that name them
_TAKEN = ("mdp", "mart", "public", "information_schema")  # schemas with another purpose


def read_dataset(folder: Path) -> Dataset:
    """Read and check one declaration.

    Raises:
        PermanentError: if the file is missing or wrong; the message names the line of each problem.
    """
    return _read(folder)[1]


def _read(folder: Path) -> tuple[YamlFile, Dataset]:
    source = read_yaml(folder / "dataset.yaml")
    dataset = with_key_lengths(source.check(Dataset).model_copy(update={"folder": folder}))
    if problems := list(_problems(dataset)):
        raise source.error(problems)
    return source, dataset


def read_datasets(folder: Path) -> dict[str, Dataset]:
    """Read every declaration below a folder, by name; again only if a file has changed.

    Raises:
        PermanentError: if there is none, one is wrong, or two share a prefix or the name of a table.
    """
    datasets, broken = _read_datasets(folder, _changed(folder))
    if broken:
        faults = "\n".join(broken.values())
        raise PermanentError(f"The dataset declarations are wrong; nothing was changed:\n{faults}")
    if not datasets:
        raise PermanentError(f"No dataset is declared in {folder}: put one into {folder}/<name>/dataset.yaml.")
    return dict(datasets)


def sound_datasets(folder: Path) -> dict[str, Dataset]:
    """Read the declarations that are right: what runs goes on with them while another one is being edited."""
    return dict(_read_datasets(folder, _changed(folder))[0])


def broken_datasets(folder: Path) -> dict[str, str]:
    """Return what is wrong with each declaration that is, by the name of its folder."""
    return dict(_read_datasets(folder, _changed(folder))[1])


def sound_dataset(folder: Path, name: str) -> Dataset:
    """Return one of the declarations that are right.

    Raises:
        PermanentError: if there is none of this name, with what is wrong with it.
    """
    datasets, broken = _read_datasets(folder, _changed(folder))
    if name not in datasets:
        raise PermanentError(broken.get(name) or f"No dataset {name} is declared in {folder}.")
    return datasets[name]


def owners_of_files(folder: Path) -> dict[str, Dataset]:
    """Return all datasets by name as far as the place of a file needs them: a broken one keeps its files waiting."""
    broken = {
        name: Dataset.model_construct(name=name, prefix=_prefix_in(folder / name / "dataset.yaml"), ignore=IGNORED)
        for name in broken_datasets(folder)
    }
    return broken | sound_datasets(folder)


def _prefix_in(file: Path) -> str:
    """Return the prefix that a broken declaration names; else the name of its folder, as `dataset new` has it."""
    found = re.search(
        r"^prefix:[ \t]*[\"']?([^\"'#\n]+)", file.read_text(encoding="utf-8", errors="replace"), re.MULTILINE
    )
    return (found[1].strip() if found else "") or file.parent.name


def _changed(folder: Path) -> tuple[tuple[Path, int], ...]:
    files = sorted((*folder.glob("*/dataset.yaml"), *folder.glob("*/*.sql")))
    return tuple((file, file.stat().st_mtime_ns) for file in files)


@lru_cache(maxsize=8)
def _read_datasets(
    folder: Path,
    changed: tuple[tuple[Path, int], ...],  # noqa: ARG001  of the cache
) -> tuple[dict[str, Dataset], dict[str, str]]:
    datasets: dict[str, Dataset] = {}
    broken: dict[str, str] = {}
    owners: dict[tuple[str, str], Path] = {}  # the declaration that first used a prefix or the name of a table
    # Of two that are in each other's way, the one that was changed last is wrong: the other was right before.
    for file in sorted(folder.glob("*/dataset.yaml"), key=lambda file: (file.stat().st_mtime_ns, file)):
        try:
            source, dataset = _read(file.parent)
            if problems := list(_shared(dataset, owners)):
                raise source.error(problems)
        except PermanentError as error:
            broken[file.parent.name] = str(error)
        else:
            datasets[dataset.name] = dataset
    return dict(sorted(datasets.items())), dict(sorted(broken.items()))


def _shared(dataset: Dataset, owners: dict[tuple[str, str], Path]) -> Iterator[Problem]:
    prefix = dataset.prefix.strip("/")
    if (other := owners.setdefault(("prefix", prefix), dataset.file)) != dataset.file:
        yield ("prefix",), f"{other} has the same prefix, {prefix}. Change one of them."
    for kind in KINDS:
        for table in getattr(dataset, kind):
            if (other := owners.setdefault(("table", table), dataset.file)) != dataset.file:
                yield (kind, table), f"{other} also declares a table {table}. Rename one of them."


def declared_datasets(settings: Settings) -> dict[str, Dataset]:
    """Read every declaration of the platform, by name, and check that the default one is among them.

    Raises:
        PermanentError: as `read_datasets`, and if the default one is not declared.
    """
    datasets = read_datasets(settings.datasets_folder)
    if settings.default_dataset not in datasets:
        raise PermanentError(
            f"MDP_DEFAULT_DATASET is {settings.default_dataset}, but {settings.datasets_folder} declares only "
            f"{', '.join(datasets)}: files without a known prefix would never be loaded. Name one of these."
        )
    return datasets


def _problems(dataset: Dataset) -> Iterator[Problem]:
    if dataset.name != dataset.folder.name:
        yield ("name",), f"the folder is {dataset.folder.name}: name and folder must agree."
    if dataset.name in _TAKEN or dataset.name.startswith("pg_"):
        yield ("name",), f"the schema {dataset.name} has another purpose; a dataset's schema has its name."
    if not dataset.prefix.strip("/"):
        yield ("prefix",), "it is empty, and must name a folder of the bucket raw."
    for name, column in dataset.columns.items():
        if name.startswith(HIDDEN):
            yield ("columns", name), f"names that start with {HIDDEN} have another purpose. Rename the column."
        if isinstance(column, TimestampColumn) and column.not_before is not None:
            yield from _unknown(dataset, ("columns", name, "not_before"), column.not_before, TimestampColumn)
    yield from _table_problems(dataset)


def _table_problems(dataset: Dataset) -> Iterator[Problem]:
    names = [name for kind in KINDS for name in getattr(dataset, kind)]
    if not names:
        yield (), "it declares no table: add `rollups`, `newest` or `every`."
    for kind in KINDS:
        for name, table in getattr(dataset, kind).items():
            if names.count(name) > 1:
                yield (kind, name), "another table of this declaration has the same name. Rename one of them."
            for place, text in _KIND_PROBLEMS[kind](dataset, table):
                yield (kind, name, *place), text


def _rollup_problems(dataset: Dataset, rollup: Rollup) -> Iterator[Problem]:
    yield from _source_problems(dataset, rollup)
    yield from _shape_problems(rollup)
    yield from index_problems(dataset, rollup)


def _source_problems(dataset: Dataset, rollup: Rollup) -> Iterator[Problem]:
    """Yield the columns of the file that a rollup uses and the dataset lacks, or that are of another type."""
    for name, key in rollup.keys.items():
        if isinstance(key, Window):
            yield from _unknown(dataset, ("keys", name, "window"), key.window, TimestampColumn)
        else:
            yield from _unknown(dataset, ("keys", name), key)
        column = rollup.source_of(name)
        if column in dataset.columns and dataset.columns[column].optional:
            yield ("keys", name), f"`{column}` is optional, and a key must not be null."
    if rollup.latest.by in dataset.columns and dataset.columns[rollup.latest.by].optional:
        yield ("latest", "by"), f"`{rollup.latest.by}` is optional, and the latest row must be known."
    yield from _unknown(dataset, ("latest", "by"), rollup.latest.by, TimestampColumn)
    for index, column in enumerate(rollup.latest.columns):
        yield from _unknown(dataset, ("latest", "columns", index), column)
    yield from _measure_problems(dataset, rollup)


def _measure_problems(dataset: Dataset, rollup: Rollup) -> Iterator[Problem]:
    for name, measure in rollup.measures.items():
        yield from _unknown(dataset, ("measures", name), measure.column)
        if isinstance(dataset.columns.get(measure.column), BooleanColumn):
            yield ("measures", name), f"`{measure.column}` is a boolean, which has no {measure.function}; use `latest`."
    for name, gain in rollup.gains.items():
        of = [*rollup.measures, *rollup.latest.columns]
        if gain.of not in of:
            yield ("gains", name, "of"), f"`{gain.of}` is no measure of the rollup; {guess(gain.of, of)}"
        elif rollup.source_of(gain.of) in dataset.columns:
            yield from _unknown(dataset, ("gains", name, "of"), rollup.source_of(gain.of), IntegerColumn, DecimalColumn)


def _unknown(dataset: Dataset, place: Location, column: str, *types: type[Model]) -> Iterator[Problem]:
    if column not in dataset.columns:
        yield place, f"`{column}` is no column; {guess(column, dataset.columns)}"
    elif types and not isinstance(dataset.columns[column], types):
        needed = " or ".join(_TYPES[type_] for type_ in types)
        yield place, f"`{column}` is of type {dataset.columns[column].type}, and must be {needed}."


_ORDERED = ("timestamp", "date", "integer", "decimal")
_TYPES: dict[type[Model], str] = {TimestampColumn: "timestamp", IntegerColumn: "integer", DecimalColumn: "decimal"}


def _shape_problems(rollup: Rollup) -> Iterator[Problem]:
    if len(rollup.keys) - len(rollup.other_keys) > 1:
        yield ("keys",), "a rollup has at most one window."
    names = rollup.table_columns
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield (), f"two columns of the table would be called `{name}`."
    for name in sorted({name for name in names if name.startswith(HIDDEN)}):
        yield (), f"names that start with {HIDDEN} have another purpose. Rename the column {name}."
    if rollup.gains and not (rollup.window_key and rollup.other_keys):
        yield ("gains",), "a gain compares neighbouring windows: it needs a window and another key."


def _newest_problems(dataset: Dataset, newest: Newest) -> Iterator[Problem]:
    for index, key in enumerate(newest.keys):
        yield from _unknown(dataset, ("keys", index), key)
        if key in dataset.columns and dataset.columns[key].optional:
            yield ("keys", index), f"`{key}` is optional, and a key must not be null."
    yield from index_problems(dataset, dataset.rollup_of(newest))
    if newest.by is None:
        return
    yield from _unknown(dataset, ("by",), newest.by)
    if newest.by in newest.keys:
        yield ("by",), f"`{newest.by}` is a key: all rows of a key have the same value."
    elif newest.by in dataset.columns:
        column = dataset.columns[newest.by]
        if column.optional:
            yield ("by",), f"`{newest.by}` is optional, and the newest row must be known."
        if column.type not in _ORDERED:
            yield ("by",), f"`{newest.by}` is of type {column.type}, and must be one of {', '.join(_ORDERED)}."


def _summary_problems(dataset: Dataset, summary: Summary) -> Iterator[Problem]:
    sources = [*dataset.rollups, *dataset.newest, *dataset.every]
    if summary.source not in sources:
        yield ("from",), f"`{summary.source}` is no rollup, newest or every table; {guess(summary.source, sources)}"
    else:
        columns = dataset.columns_of(summary.source)
        for key, source in summary.key_sources.items():
            place = ("keys", key) if isinstance(summary.keys, dict) else ("keys",)
            column = source.window if isinstance(source, Window) else source
            if column not in columns:
                yield place, f"`{column}` is no column of `{summary.source}`; {guess(column, columns)}"
            elif columns[column].optional:
                yield place, f"`{column}` is optional, and a key must not be null."
            elif isinstance(source, Window) and not isinstance(columns[column], TimestampColumn):
                yield place, f"`{column}` is of type {columns[column].type}, and must be timestamp."
    if missing := [key for key in summary.keys if key not in summary.columns]:
        yield ("keys",), f"{', '.join(missing)}: a key is also one of the columns."
    if not (dataset.folder / summary.sql).is_file():
        yield ("sql",), f"there is no {summary.sql} next to the declaration."


_KIND_PROBLEMS: dict[str, Callable[[Dataset, Any], Iterable[Problem]]] = {
    "rollups": _rollup_problems,
    "newest": _newest_problems,
    "every": lambda _dataset, _every: (),
    "summaries": _summary_problems,
}
