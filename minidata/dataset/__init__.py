"""A dataset is a declaration: its columns with their rules, and its tables.

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
from minidata.dataset.dialect import FORMATS, Dialect
from minidata.dataset.model import (
    ARRIVED_AT,
    FILE,
    HASH,
    HIDDEN,
    LINE,
    Dataset,
    Every,
    Newest,
    Rollup,
    Summary,
    Window,
    dataset_of,
    ignored,
)
from minidata.dataset.read import (
    broken_datasets,
    declared_datasets,
    owners_of_files,
    read_dataset,
    read_datasets,
    sound_dataset,
    sound_datasets,
)

__all__ = [
    "ARRIVED_AT",
    "FILE",
    "FORMATS",
    "HASH",
    "HIDDEN",
    "LINE",
    "BooleanColumn",
    "Column",
    "Dataset",
    "DateColumn",
    "DecimalColumn",
    "Dialect",
    "Every",
    "Identifier",
    "IntegerColumn",
    "Model",
    "Newest",
    "Rollup",
    "Summary",
    "TextColumn",
    "TimestampColumn",
    "Window",
    "broken_datasets",
    "dataset_of",
    "declared_datasets",
    "ignored",
    "owners_of_files",
    "read_dataset",
    "read_datasets",
    "sound_dataset",
    "sound_datasets",
]
