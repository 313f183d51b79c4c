"""What a dashboard is, for every tool: rows of tiles, each a question to one reading view.

Logic lives in the views, which are tested. A tile only chooses dimensions and measures, so that each tool can add
filters and drill-downs of its own.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from minidata.dataset import Identifier, Model
from minidata.warehouse.views import View

GRID = 12  # columns that a row of tiles is divided into

Chart = Literal["number", "line", "area", "bar", "row", "scatter", "pie", "table"]
TIME_CHARTS = ("line", "area", "bar")
Tone = Literal["good", "fair", "bad", "worst", "neutral", "active", "muted"]
Grain = Literal["30 seconds", "1 minute", "5 minutes", "1 hour", "1 day", "1 week", "1 month"]
SECONDS: dict[str, int] = {
    "30 seconds": 30, "1 minute": 60, "5 minutes": 300, "1 hour": 3600, "1 day": 86_400, "1 week": 7 * 86_400,
    "1 month": 31 * 86_400,
}  # fmt: skip
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\n\r]+$")]
# Names that become SQL: the tools' templates use {{ and [[, PostgreSQL cuts a name after 63 bytes.
Label = Annotated[str, Field(max_length=60, pattern=r'^[^"{}\[\]\\\s]([^"{}\[\]\\\n\r\t]*[^"{}\[\]\\\s])?$')]
Value = bool | int | Annotated[str, Field(max_length=200, pattern=r"^[^{}\[\]\\]*$")]


class Dimension(Model):
    """A column to group by; in YAML, its name alone is enough.

    Attributes:
        column: of the tile's view.
        every: length of the steps that an instant is cut to, in UTC; needed on the time axis of a chart. A week
            starts on Monday; a date has steps of a day, week or month.
        top: number of its values that are drawn, those with the greatest first measure.
    """

    column: Identifier
    every: Grain | None = None
    top: int | None = Field(None, gt=0, le=50)

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, data: Any) -> Any:
        return {"column": data} if isinstance(data, str) else data


class Measure(Model):
    """An aggregate with a name for people.

    Attributes:
        name: heading of the column, label of the axis or entry of the legend.
        how: the aggregate; `p50` and `p95` are percentiles; `ratio` is `times` × sum of `of` ÷ sum of `to`, and
            `share` is `times` × sum of `of` ÷ sum of both.
        of: the column; `count` counts rows and has none.
        to: the other column of a ratio or share.
        times: factor of a ratio or share: 100 for a percentage.
        shown: every digit, abbreviated (1.2M), or with one decimal.
    """

    name: Label
    how: Literal["sum", "max", "min", "average", "count", "distinct", "p50", "p95", "ratio", "share"]
    of: Identifier | None = None
    to: Identifier | None = None
    times: int = Field(1, gt=0)
    shown: Literal["whole", "short", "tenths"] = "whole"

    @model_validator(mode="after")
    def _complete(self) -> "Measure":
        if (self.of is None) != (self.how == "count"):
            raise ValueError("`count` counts rows and takes no `of`; every other measure needs one.")
        compares = self.how in ("ratio", "share")
        if (self.to is not None) != compares or (self.times != 1 and not compares):
            raise ValueError("a ratio or share needs `to`; `to` and `times` belong to these only.")
        return self


class Condition(Model):
    """A fixed filter of a tile.

    Attributes:
        column: of the tile's view.
        is: the comparison.
        value: what the column is compared with; a list for `in`.
    """

    column: Identifier
    is_: Literal["=", "!=", "<", "<=", ">", ">=", "in"] = Field(alias="is")
    value: Value | list[Value]

    @model_validator(mode="after")
    def _list_for_in(self) -> "Condition":
        if isinstance(self.value, list) != (self.is_ == "in") or self.value == []:
            raise ValueError("`in` takes a list of values, every other comparison takes one value.")
        return self


class Sort(Model):
    """The order of a tile's rows.

    Attributes:
        by: the name of a measure, or a dimension's column.
        descending: greatest first.
    """

    by: str
    descending: bool = True


class Tile(Model):
    """One question with its chart.

    Attributes:
        name: never renamed; the tools know the tile by it. Unique in its dashboard.
        title: above the chart.
        means: one line that says what the tile shows; Markdown.
        view: the reading view, or the table of a dataset, that is queried.
        chart: how it is drawn. number: 1 measure. line, area, bar: time (with `every`), then at most one series. row,
            pie: one dimension. scatter: a dot for each first dimension, coloured by the second, measures x, y and
            size. table: its dimensions, then its measures.
        dimensions: columns to group by.
        measures: aggregates to compute.
        where: fixed filters, combined with AND.
        sort: default: by time, or by the first measure, greatest first.
        limit: of rows.
        stacked: whether the series of an area or bar chart are stacked.
        logarithmic: whether both axes of a scatter are logarithmic; a dot whose value is 0 is not drawn then.
        width: in twelfths of the row.
    """

    name: Identifier
    title: Line
    means: Line
    view: Identifier
    chart: Chart
    dimensions: tuple[Dimension, ...] = ()
    measures: tuple[Measure, ...] = ()
    where: tuple[Condition, ...] = ()
    sort: Sort | None = None
    limit: int | None = Field(None, gt=0, le=10_000)
    stacked: bool = False
    logarithmic: bool = False
    width: int = Field(gt=0, le=GRID)

    @property
    def time(self) -> Dimension | None:
        """The time axis, if the chart has one."""
        return self.dimensions[0] if self.chart in TIME_CHARTS else None

    @property
    def series(self) -> Dimension | None:
        """The dimension that makes the lines, areas, bars or colours, if there is one."""
        drawn = self.chart in (*TIME_CHARTS, "scatter")
        return self.dimensions[1] if drawn and len(self.dimensions) > 1 else None


class TileRow(Model):
    """Tiles side by side, from left to right.

    Attributes:
        height: of its tiles; a number needs 3, a chart 8.
        tiles: whose widths add up to at most 12.
    """

    height: int = Field(gt=0, le=30)
    tiles: tuple[Tile, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> "TileRow":
        width = sum(tile.width for tile in self.tiles)
        if width > GRID:
            raise ValueError(f"the tiles are {width} wide together, a row is {GRID}.")
        return self


class PeriodFilter(Model):
    """A choice of period; it narrows every tile whose view has a time.

    Attributes:
        kind: of the filter.
        label: its heading.
        last_hours: the default, in hours: from the start of that hour until now. None: everything.
    """

    kind: Literal["period"]
    label: Label = "Period"
    last_hours: int | None = Field(None, gt=0, le=24 * 366)


class ValuesFilter(Model):
    """A choice among the values of a column; it narrows every tile whose view has that column.

    Attributes:
        kind: of the filter.
        label: its heading.
        column: of the views.
        view: a small view whose column lists the values to choose from.
    """

    kind: Literal["values"]
    label: Label
    column: Identifier
    view: Identifier


Filter = Annotated[PeriodFilter | ValuesFilter, Field(discriminator="kind")]


class Dashboard(Model):
    """A dashboard.

    Attributes:
        name: never renamed; the tools know the dashboard by it. The file has the same name.
        title: what people call it.
        question: what it answers, in one line.
        refresh_seconds: seconds between two refreshes of an open dashboard.
        colours: what words on its charts mean, so that each has the colour of its tone.
        filters: by name.
        rows: from the top down.
        views: the views that its tiles and filters use, by name (not written in the file).
    """

    name: Identifier
    title: Line
    question: Line
    refresh_seconds: int = Field(ge=10, le=3600)
    colours: dict[str, Tone] = Field(default_factory=dict)
    filters: dict[Identifier, Filter] = Field(default_factory=dict)
    rows: tuple[TileRow, ...] = Field(min_length=1)
    views: dict[str, View] = Field(default_factory=dict)

    @property
    def tiles(self) -> list[Tile]:
        """All tiles, in reading order."""
        return [tile for row in self.rows for tile in row.tiles]

    def filters_of(self, tile: Tile) -> dict[str, str]:
        """Return the column that each filter narrows in a tile, by filter; other filters do not apply."""
        view = self.views[tile.view]
        found = {
            name: view.time if isinstance(filter_, PeriodFilter) else filter_.column
            for name, filter_ in self.filters.items()
        }
        return {name: column for name, column in found.items() if column in view.columns and column}

    def label(self, tile: Tile, dimension: Dimension) -> str:
        """Return what people read for a dimension."""
        return self.views[tile.view].columns[dimension.column].label
