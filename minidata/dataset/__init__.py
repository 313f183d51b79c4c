"""A dataset is a declaration: its columns with their rules, its rollups and its summaries.

The declaration is `datasets/<name>/dataset.yaml`. The checks of a file, the transform, the tables, the merge and the
documentation follow from it.
"""

from minidata.dataset.columns import (
    BooleanColumn,
    Column,
    DateColumn,
    DecimalColumn,
    Identifier,
    IntegerColumn,
    Model,
    TextColumn,
    TimestampColumn,
)
from minidata.dataset.dialect import Dialect
from minidata.dataset.model import Dataset, Rollup, Window, dataset_of, ignored
from minidata.dataset.read import declared_datasets, read_dataset, read_datasets

__all__ = [
    "BooleanColumn",
    "Column",
    "Dataset",
    "DateColumn",
    "DecimalColumn",
    "Dialect",
    "Identifier",
    "IntegerColumn",
    "Model",
    "Rollup",
    "TextColumn",
    "TimestampColumn",
    "Window",
    "dataset_of",
    "declared_datasets",
    "ignored",
    "read_dataset",
    "read_datasets",
]
