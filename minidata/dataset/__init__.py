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
from minidata.dataset.model import Dataset, Rollup, Window, dataset_of
from minidata.dataset.read import declared_datasets, read_dataset, read_datasets

__all__ = [
    "BooleanColumn",
    "Column",
    "Dataset",
    "DateColumn",
    "DecimalColumn",
    "Identifier",
    "IntegerColumn",
    "Model",
    "Rollup",
    "TextColumn",
    "TimestampColumn",
    "Window",
    "dataset_of",
    "declared_datasets",
    "read_dataset",
    "read_datasets",
]
