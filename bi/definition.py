"""The definitions: YAML files, checked against the views and tables that they are built on.

`dashboards/` has those of the platform, `dashboards/` in a dataset's folder those of the dataset.

Beyond the shape of the YAML: names exist and are unique, charts fit their data, and every fault has its line.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from bi.model import SECONDS, TIME_CHARTS, Condition, Dashboard, Dimension, Measure, PeriodFilter, Tile, ValuesFilter
from minidata.errors import PermanentError
from minidata.settings import PROJECT
from minidata.warehouse.catalogue import read_catalogue
from minidata.warehouse.views import DATASETS, NUMBERS, TIMES, View
from minidata.yaml_file import Problem, YamlFile, guess, read_yaml

FOLDER = PROJECT / "dashboards"
_DAY = 86_400  # seconds

Views = Mapping[str, View]

# How many dimensions and measures each chart draws: (least, most) of each.
_SHAPES = {
    "number": ((0, 0), (1, 1)),
    "line": ((1, 2), (1, 8)),
    "area": ((1, 2), (1, 8)),
    "bar": ((1, 2), (1, 8)),
    "row": ((1, 1), (1, 3)),
    "pie": ((1, 1), (1, 1)),
    "scatter": ((1, 2), (2, 3)),
    "table": ((1, 8), (0, 8)),
}


def read_dashboards(folder: Path | None = None, datasets: Path = DATASETS) -> list[Dashboard]:
    """Read the dashboards, in the order of their files' names, and check them against the catalogue.

    Args:
        folder: of `<name>.yaml` files; by default `dashboards/` and that of each dataset.
        datasets: folder of the datasets' folders.

    Raises:
        PermanentError: if one is wrong; every problem has its file and line.
    """
    views = read_catalogue(datasets)
    folders = [folder] if folder else [FOLDER, *datasets.glob("*/dashboards")]
    files = sorted((file for each in folders for file in each.glob("*.yaml")), key=lambda file: (file.name, file))
    if not files:
        raise PermanentError(f"No dashboard is declared in {folders[0]}: put one into {folders[0]}/<name>.yaml.")
    dashboards, faults = [], []
    for file in files:
        try:
            dashboards.append((_read(file, views), file))
        except PermanentError as error:
            faults.append(str(error))
    for what in ("name", "title"):
        first: dict[str, Path] = {}
        for dashboard, file in dashboards:
            other = first.setdefault(getattr(dashboard, what).casefold(), file)
            if other != file:
                faults.append(f"{file}: {other} has the same {what}. Change one of them.")
    if faults:
        raise PermanentError("The dashboards are wrong; nothing was changed:\n" + "\n".join(faults))
    return [dashboard for dashboard, _ in dashboards]


def _read(file: Path, views: Views) -> Dashboard:
    source: YamlFile = read_yaml(file)
    if isinstance(source.data, dict) and "views" in source.data:
        raise source.error([(("views",), "views are declared in a `views.yaml`, see docs/datasets.md.")])
    dashboard = source.check(Dashboard)
    problems = list(_problems(dashboard, views))
    if dashboard.name != file.stem:
        problems.append((("name",), f"the file is {file.name}: name and file must agree."))
    if problems:
        raise source.error(problems)
    used = {tile.view for tile in dashboard.tiles}
    used |= {f.view for f in dashboard.filters.values() if isinstance(f, ValuesFilter)}
    return dashboard.model_copy(update={"views": {name: views[name] for name in views if name in used}})


def _problems(dashboard: Dashboard, views: Views) -> Iterator[Problem]:
    names: dict[str, int] = {}
    period = next((f.last_hours for f in dashboard.filters.values() if isinstance(f, PeriodFilter)), None)
    for y, row in enumerate(dashboard.rows):
        for x, tile in enumerate(row.tiles):
            place = ("rows", y, "tiles", x)
            if tile.name in names:
                yield (*place, "name"), f"two tiles are called `{tile.name}`; rename one."
            names[tile.name] = y
            yield from (((*place, *rest), text) for rest, text in _tile_problems(tile, views))
            if tile.time and tile.time.every and period and SECONDS[tile.time.every] > 3600 * period:
                what = f"a step is longer than the period of the dashboard, {period} hours: the chart would have one."
                yield (*place, "dimensions", 0, "every"), f"{what} Take a shorter step or more `last_hours`."
    for name, filter_ in dashboard.filters.items():
        if isinstance(filter_, ValuesFilter):
            where = ("filters", name)
            if filter_.view not in views:
                yield (*where, "view"), f"`{filter_.view}` is not a view or a table; {guess(filter_.view, views)}"
            else:
                yield from _column(views[filter_.view], filter_.column, (*where, "column"))
    if len({f.label for f in dashboard.filters.values()}) < len(dashboard.filters):
        yield ("filters",), "two filters have the same label."
    if sum(f.kind == "period" for f in dashboard.filters.values()) > 1:
        yield ("filters",), "a dashboard has at most one period."


def _tile_problems(tile: Tile, views: Views) -> Iterator[Problem]:
    if tile.view not in views:
        yield ("view",), f"`{tile.view}` is not a view or a table; {guess(tile.view, views)}"
        return
    view = views[tile.view]
    for kind, items, (least, most) in zip(
        ("dimensions", "measures"), (tile.dimensions, tile.measures), _SHAPES[tile.chart], strict=True
    ):
        if not least <= len(items) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            yield (kind,), f"a {tile.chart} chart has {wanted} {kind}, not {len(items)}."
    for index, dimension in enumerate(tile.dimensions):
        is_axis = tile.chart in TIME_CHARTS and index == 0
        yield from _dimension_problems(dimension, view, ("dimensions", index), is_axis=is_axis)
        if dimension.top and not (tile.chart in TIME_CHARTS and index == 1):
            yield ("dimensions", index, "top"), "`top` belongs to the series of a chart; elsewhere use `limit`."
    if tile.chart in TIME_CHARTS and len(tile.dimensions) > 1 and len(tile.measures) > 1:
        yield ("measures",), "a chart with a series draws one measure."
    for index, measure in enumerate(tile.measures):
        yield from _measure_problems(measure, view, ("measures", index))
    for index, condition in enumerate(tile.where):
        yield from _condition_problems(condition, view, ("where", index))
    yield from _order_problems(tile, view)


def _dimension_problems(
    dimension: Dimension, view: View, place: tuple[str | int, ...], *, is_axis: bool
) -> Iterator[Problem]:
    yield from _column(view, dimension.column, (*place, "column"))
    if dimension.column not in view.columns:
        return
    if is_axis != (dimension.every is not None):
        yield place, "`every` belongs to the time axis of a line, area or bar chart, and is needed there."
    if is_axis and (type_ := view.columns[dimension.column].type) not in TIMES:
        yield (*place, "column"), f"the time axis must be a timestamptz or a date, `{dimension.column}` is {type_}."
    elif is_axis and type_ == "date" and SECONDS.get(dimension.every or "", _DAY) < _DAY:
        yield (*place, "every"), f"`{dimension.column}` is a date: its steps are `1 day`, `1 week` or `1 month`."


def _measure_problems(measure: Measure, view: View, place: tuple[str | int, ...]) -> Iterator[Problem]:
    if len(measure.name.encode()) > 63:
        yield (*place, "name"), "a name has at most 63 bytes."
    for key, column in (("of", measure.of), ("to", measure.to)):
        if column is None:
            continue
        yield from _column(view, column, (*place, key))
        adds = measure.how in ("sum", "average", "p50", "p95", "ratio", "share")
        if adds and column in view.columns and view.columns[column].type not in NUMBERS:
            yield (*place, key), f"`{measure.how}` needs a number, `{column}` is {view.columns[column].type}."


def _condition_problems(condition: Condition, view: View, place: tuple[str | int, ...]) -> Iterator[Problem]:
    yield from _column(view, condition.column, (*place, "column"))
    if condition.column not in view.columns:
        return
    type_ = view.columns[condition.column].type
    fits = {"text": str, "boolean": bool, "bigint": int, "numeric": int}.get(type_)
    values = condition.value if isinstance(condition.value, list) else [condition.value]
    if fits is None:
        yield place, f"`{condition.column}` is a {type_}: periods are chosen on the dashboard, not in a tile."
    elif any(type(value) is not fits for value in values):
        yield (*place, "value"), f"`{condition.column}` is {type_}; {values} does not compare with it."


def _order_problems(tile: Tile, view: View) -> Iterator[Problem]:
    labels = [view.columns[d.column].label for d in tile.dimensions if d.column in view.columns]
    names = [*labels, *(measure.name for measure in tile.measures)]
    if len({name.casefold() for name in names}) < len(names):
        yield ("measures",), f"two columns of the tile have the same name: {', '.join(names)}."
    known = [*(d.column for d in tile.dimensions), *(m.name for m in tile.measures)]
    if tile.sort and tile.sort.by not in known:
        yield ("sort", "by"), f"`{tile.sort.by}` is no measure or dimension; {guess(tile.sort.by, known)}"
    if tile.chart in ("row", "scatter", "table") and tile.limit is None:
        yield (), f"a {tile.chart} chart needs a `limit`."
    if tile.chart in (*TIME_CHARTS, "number") and (tile.limit or tile.sort):
        yield (), f"a {tile.chart} chart takes no `limit` and no `sort`; a series takes `top`."
    if tile.chart == "pie" and (tile.limit or tile.sort):
        yield (), "a pie chart takes no `limit` and no `sort`: it shows the whole; `row` shows the greatest."
    if tile.stacked and tile.chart not in ("area", "bar"):
        yield ("stacked",), "only areas and bars can be stacked."
    if tile.logarithmic and tile.chart != "scatter":
        yield ("logarithmic",), "only a scatter can have logarithmic axes."


def _column(view: View, column: str, place: tuple[str | int, ...]) -> Iterator[Problem]:
    if column not in view.columns:
        yield place, f"`{column}` is not a column of the view; {guess(column, view.columns)}"
