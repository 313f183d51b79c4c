"""Checks declarations, and files against them, without loading anything."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from bi.definition import read_dashboards
from minidata.contract import Limits, Verdict
from minidata.contract.validate import validate
from minidata.dataset import Dataset, declared_datasets
from minidata.errors import PermanentError
from minidata.settings import Settings
from minidata.warehouse.views import read_views
from minidata.yaml_file import guess


def read_all(settings: Settings) -> dict[str, Dataset]:
    """Read all declarations, by name, with their views and dashboards.

    Raises:
        PermanentError: with every problem of all of them, each with its file and line.
    """
    faults, datasets = [], {}
    read_views.cache_clear()
    try:
        datasets = declared_datasets(settings)
    except PermanentError as error:
        faults.append(str(error))
    try:  # dashboards show tables, so they cannot be read without the declarations
        read_views(settings.datasets_folder) if faults else read_dashboards(datasets=settings.datasets_folder)
    except PermanentError as error:
        faults.append(str(error))
    if faults:
        raise PermanentError("\n".join(faults))
    return datasets


def read_one(settings: Settings, name: str) -> Dataset:
    """Return one of the declared datasets.

    Raises:
        PermanentError: as `read_all`, and if there is none of this name.
    """
    datasets = read_all(settings)
    if name not in datasets:
        raise PermanentError(f"There is no dataset {name} in {settings.datasets_folder}; {guess(name, datasets)}")
    return datasets[name]


def verdict_of(
    settings: Settings, dataset: Dataset, file: Path, good: Callable[[pl.DataFrame], None] = lambda _: None
) -> Verdict:
    """Validate a file as if it had been uploaded this moment; `good` takes frames of its good rows."""
    with file.open("rb") as stored:
        return validate(
            iter(lambda: stored.read(1 << 20), b""),
            key=file.name,
            stored_size=file.stat().st_size,
            arrived_at=datetime.now(UTC),
            dataset=dataset,
            limits=Limits.of(settings),
            good=good,
            rejects=lambda _: None,
        )
