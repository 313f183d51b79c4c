"""What people and dashboards may read: the reading views, and the tables of the datasets, each a view of `mart` too."""

from collections.abc import Iterator
from pathlib import Path

from minidata.dataset import Dataset, read_datasets
from minidata.warehouse.tables import Table, tables_of
from minidata.warehouse.views import DATASETS, View, ViewColumn, read_views

_LABEL = 60  # characters


def read_catalogue(datasets: Path = DATASETS) -> dict[str, View]:
    """Read all reading views and all tables, by name.

    Args:
        datasets: folder of the datasets' folders.

    Raises:
        PermanentError: if a declaration or a `views.yaml` is wrong; each problem has its file and line.
    """
    views = read_views(datasets)
    tables = {name: view for dataset in read_datasets(datasets).values() for name, view in views_of(dataset).items()}
    return tables | views


def views_of(dataset: Dataset) -> dict[str, View]:
    """Return the tables of a dataset as people read them."""
    return {table.name: _view(dataset, table) for table in tables_of(dataset)}


def title_of(name: str) -> str:
    """Return a name as people write it.

    >>> title_of("order_id")
    'Order id'
    """
    return name.replace("_", " ").strip().capitalize()[:_LABEL].strip()


def _view(dataset: Dataset, table: Table) -> View:
    columns: dict[str, ViewColumn] = {}
    taken: set[str] = set()
    for name in table.shown:
        label = title_of(name)
        label = label if label.casefold() not in taken else name[:_LABEL]
        taken.add(label.casefold())
        described = {"type": table.columns[name].split(" ")[0], "label": label, "means": table.meanings[name] or label}
        columns[name] = ViewColumn.model_validate(described)
    time = next(_times(dataset, table, columns), None)
    return View(means=table.description, time=time, columns=columns, file=dataset.file)


def _times(dataset: Dataset, table: Table, columns: dict[str, ViewColumn]) -> Iterator[str]:
    """Yield the columns of a table that may be its time, the best first: none that may be null."""
    if table.name in dataset.newest and (by := dataset.newest[table.name].by):
        yield from [by] if columns[by].type in ("timestamptz", "date") else []
    for types in (("timestamptz",), ("date",)):
        for name, column in columns.items():
            if column.type in types and table.columns[name].endswith(" not null"):
                yield name
