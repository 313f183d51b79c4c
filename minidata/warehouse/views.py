"""The catalogue of reading views: what people and dashboards may read, column by column.

A folder of views has a `views.yaml`, which says what a row and each column of a view is, and the select of each view
as `<name>.sql`. `warehouse/mart` holds the views over the ledger, `views` in a dataset's folder those over its tables.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, RootModel

from minidata.dataset import Identifier, Model
from minidata.errors import PermanentError
from minidata.settings import PROJECT
from minidata.yaml_file import Problem, YamlFile, guess, read_yaml

MART = PROJECT / "warehouse" / "mart"
DATASETS = PROJECT / "datasets"
SCHEMA = "mart"
ColumnType = Literal["text", "boolean", "bigint", "numeric", "date", "timestamptz"]
NUMBERS = ("bigint", "numeric")
TIMES = ("timestamptz", "date")


class ViewColumn(Model):
    """A column of a view.

    Attributes:
        type: PostgreSQL's.
        label: its heading; at most 63 bytes, since it names the column of a tile's result.
        means: one line, with the unit if it has one; the comment of the column in the database.
    """

    type: ColumnType
    label: str = Field(pattern=r'^[^"{}\[\]\\\s]([^"{}\[\]\\\n\r\t]{0,60}[^"{}\[\]\\\s])?$')
    means: str = Field(min_length=1)


class View(Model):
    """A reading view.

    Attributes:
        means: what one row is.
        time: the column that a dashboard's period filters; none if the view is about now.
        columns: by name, in the order of the view.
        file: its select (not written in `views.yaml`).
    """

    means: str = Field(min_length=1)
    time: Identifier | None = None
    columns: dict[Identifier, ViewColumn] = Field(min_length=1)
    file: Path = Path()

    @property
    def origin(self) -> str:
        """The file as people know it, whatever folder the project is in."""
        folder = "warehouse/mart" if self.file.parent == MART else f"datasets/{self.file.parent.parent.name}/views"
        return f"{folder}/{self.file.name}"


class _Folder(RootModel[dict[Identifier, View]]):
    pass


@lru_cache(maxsize=8)
def read_views(datasets: Path = DATASETS) -> dict[str, View]:
    """Read all reading views, by name and in the order in which they are created: the platform's, then the datasets'.

    Args:
        datasets: folder of the datasets' folders.

    Raises:
        PermanentError: if a `views.yaml` is wrong, a view has no select, or two have one name; each problem has its
            file and line.
    """
    views: dict[str, View] = {}
    faults = []
    for file in (MART / "views.yaml", *sorted(datasets.glob("*/views/views.yaml"))):
        try:
            source = read_yaml(file)
            own = source.check(_Folder).root
            if problems := [*_problems(source, own), *(_taken(name, views[name]) for name in own if name in views)]:
                raise source.error(problems)
        except PermanentError as error:
            faults.append(str(error))
        else:
            for name, view in own.items():
                views[name] = view.model_copy(update={"file": file.with_name(f"{name}.sql")})
    if faults:
        raise PermanentError("\n".join(faults))
    return views


def _taken(name: str, other: View) -> Problem:
    return (name,), f"{other.origin} has the same name. Rename one of the views."


def _problems(source: YamlFile, views: dict[str, View]) -> Iterator[Problem]:
    for name, view in views.items():
        if not source.file.with_name(f"{name}.sql").is_file():
            yield (name,), f"there is no {name}.sql next to it."
        if view.time is not None and view.time not in view.columns:
            yield (name, "time"), f"`{view.time}` is no column; {guess(view.time, view.columns)}"
        elif view.time is not None and view.columns[view.time].type not in TIMES:
            yield (name, "time"), f"`{view.time}` is no timestamptz or date."
        labels = [column.label.casefold() for column in view.columns.values()]
        if len(set(labels)) < len(labels):
            yield (name, "columns"), "two columns have the same label."
        for column, declared in view.columns.items():
            if len(declared.label.encode()) > 63:
                yield (name, "columns", column, "label"), "a label has at most 63 bytes."
