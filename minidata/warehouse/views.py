"""The catalogue of reading views: what dashboards may ask, column by column.

`warehouse/mart/views.yaml` says for each view what a row is and what its columns are; beside it lies the select
that makes the view (`<name>.sql`). The warehouse checks the two against each other, the dashboards against this.
"""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, RootModel

from minidata.dataset import Identifier, Model
from minidata.errors import PermanentError
from minidata.settings import PROJECT
from minidata.yaml_file import guess, read_yaml

MART = PROJECT / "warehouse" / "mart"
SCHEMA = "mart"
ColumnType = Literal["text", "boolean", "bigint", "numeric", "timestamptz"]
NUMBERS = ("bigint", "numeric")


class ViewColumn(Model):
    """A column of a view.

    Attributes:
        type: as PostgreSQL has it.
        label: what people read above it; at most 63 bytes, since it names the column of a tile's result.
        means: one line, for the catalogue of the warehouse and of the tools; with the unit if it has one.
    """

    type: ColumnType
    label: str = Field(pattern=r'^[^"{}\[\]\\\s]([^"{}\[\]\\\n\r\t]{0,60}[^"{}\[\]\\\s])?$')
    means: str = Field(min_length=1)


class View(Model):
    """A reading view.

    Attributes:
        means: what one row is.
        time: the column that a dashboard's period narrows; none if the view is about now.
        columns: by name, in the order of the view.
    """

    means: str = Field(min_length=1)
    time: Identifier | None = None
    columns: dict[Identifier, ViewColumn] = Field(min_length=1)


class _Catalogue(RootModel[dict[Identifier, View]]):
    pass


@lru_cache(maxsize=8)
def read_views(folder: Path = MART) -> dict[str, View]:
    """Read the catalogue of a folder of views, by name and in the order in which they are to be made.

    Raises:
        PermanentError: if it is wrong, or a view has no select beside it; file and line are named.
    """
    source = read_yaml(folder / "views.yaml")
    views = source.check(_Catalogue).root
    problems: list[tuple[tuple[str, ...], str]] = []
    for name, view in views.items():
        if not (folder / f"{name}.sql").is_file():
            problems.append(((name,), f"there is no {name}.sql beside it."))
        if view.time is not None and view.time not in view.columns:
            problems.append(((name, "time"), f"`{view.time}` is no column; {guess(view.time, view.columns)}"))
        elif view.time is not None and view.columns[view.time].type != "timestamptz":
            problems.append(((name, "time"), f"`{view.time}` is no timestamptz."))
        labels = [column.label.casefold() for column in view.columns.values()]
        if len(set(labels)) < len(labels):
            problems.append(((name, "columns"), "two columns have the same label."))
        problems.extend(
            ((name, "columns", c, "label"), "a label has at most 63 bytes.")
            for c, column in view.columns.items()
            if len(column.label.encode()) > 63
        )
    if problems:
        raise source.error(problems)
    if not views:
        raise PermanentError(f"{source.file} declares no view.")
    return views
