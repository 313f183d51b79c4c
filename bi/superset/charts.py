"""A tile as the settings of a Superset chart (its `params`)."""

from collections.abc import Callable
from typing import Any

from bi.model import Condition, Dashboard, PeriodFilter, Tile
from bi.sql import measure_sql, row_order, series_order
from bi.superset.identity import uuid_of

_FORMATS = {"whole": ",~f", "short": "SMART_NUMBER", "tenths": ",.1f"}
_GRAINS = {
    "30 seconds": "PT30S", "1 minute": "PT1M", "5 minutes": "PT5M", "1 hour": "PT1H", "1 day": "P1D", "1 week": "P1W",
    "1 month": "P1M",
}  # fmt: skip
_COLOURS = "supersetColors"
_MOST_ROWS = 50_000  # of a chart that has no limit of its own
_LEGEND_PIXELS = {"line": 235, "area": 190}  # next to the chart; superset_config.py shortens the names to fit

Form = dict[str, Any]


def form(dashboard: Dashboard, tile: Tile) -> Form:
    """Return the settings of a tile's chart."""
    metrics = [_metric(tile, measure.name, measure_sql(measure)) for measure in tile.measures]
    visual, own_settings = _CHARTS[tile.chart]
    common: Form = {
        "viz_type": visual,
        "adhoc_filters": _filters(dashboard, tile),
        "annotation_layers": [],
        "color_scheme": _COLOURS,
        "row_limit": tile.limit or _MOST_ROWS,
        "time_range": "No filter",
    }
    return common | own_settings(tile, metrics)


def _legend(*, shown: bool, place: str = "top") -> Form:
    return {"show_legend": shown, "legendType": "scroll", "legendOrientation": place}


def _metric(tile: Tile, name: str, expression: str) -> Form:
    return {
        "expressionType": "SQL",
        "sqlExpression": expression,
        "label": name,
        "hasCustomLabel": True,
        "optionName": f"metric_{uuid_of('charts', f'{tile.name} {name}')[-12:]}",
    }


def _order(tile: Tile, key: str = "timeseries_limit_metric") -> Form:
    """Return the order of a tile's rows; Superset takes it as a metric, under a key that depends on the chart."""
    expression, descending = row_order(tile)
    return {key: _metric(tile, "Order", expression), "order_desc": descending}


def _filters(dashboard: Dashboard, tile: Tile) -> list[Form]:
    """Return the tile's fixed filters, and the empty time filter that the dashboard's period fills."""
    found = [_condition(condition) for condition in tile.where]
    columns = dashboard.filters_of(tile)
    for name, filter_ in dashboard.filters.items():
        if isinstance(filter_, PeriodFilter) and name in columns:
            found.append(_simple(columns[name], "TEMPORAL_RANGE", "No filter"))
    return found


def _condition(condition: Condition) -> Form:
    if isinstance(condition.value, bool):
        wanted = condition.value == (condition.is_ == "=")
        return _simple(condition.column, "IS TRUE" if wanted else "IS FALSE", None)
    operator = {"=": "==", "in": "IN"}.get(condition.is_, condition.is_)
    return _simple(condition.column, operator, condition.value)


def _simple(column: str, operator: str, value: Any) -> Form:
    return {
        "clause": "WHERE",
        "expressionType": "SIMPLE",
        "subject": column,
        "operator": operator,
        "comparator": value,
    }


def _number(tile: Tile, metrics: list[Form]) -> Form:
    return {"metric": metrics[0], "header_font_size": 0.5, "y_axis_format": _FORMATS[tile.measures[0].shown]}


def _over_time(tile: Tile, metrics: list[Form]) -> Form:
    time, series = tile.dimensions[0], tile.series
    legend = _LEGEND_PIXELS.get(tile.chart) if series else None
    result = _legend(shown=len(metrics) > 1 or series is not None, place="right" if legend else "top") | {
        "x_axis": time.column,
        "time_grain_sqla": _GRAINS[str(time.every)],
        "x_axis_time_format": "smart_date",
        "metrics": metrics,
        "groupby": [series.column] if series else [],
        "y_axis_format": _FORMATS[tile.measures[0].shown],
        "truncate_metric": True,
        "legendMargin": legend,
        "rich_tooltip": True,
        "tooltipTimeFormat": "smart_date",
        "show_empty_columns": True,
    }
    if series and series.top:
        order = _metric(tile, "Order", series_order(tile.measures[0], series))
        result |= {"limit": series.top, "timeseries_limit_metric": order, "order_desc": True}
    if tile.stacked:
        result["stack"] = "Stack"
    return result


def _row(tile: Tile, metrics: list[Form]) -> Form:
    return _order(tile) | {
        "x_axis": tile.dimensions[0].column,
        "xAxisForceCategorical": True,
        "orientation": "horizontal",
        "metrics": metrics,
        "groupby": [],
        "x_axis_sort": tile.sort.by if tile.sort else metrics[0]["label"],
        "x_axis_sort_asc": tile.sort is None or tile.sort.descending,  # from the bottom up
        "y_axis_format": _FORMATS[tile.measures[0].shown],
        "show_legend": len(metrics) > 1,
        "show_value": True,
        "truncate_metric": True,
    }


def _scatter(tile: Tile, metrics: list[Form]) -> Form:
    x, y, *size = tile.measures
    return (
        _order(tile, "orderby")
        | _legend(shown=tile.series is not None)
        | {
            "entity": tile.dimensions[0].column,
            "series": tile.series.column if tile.series else None,
            "x": metrics[0],
            "y": metrics[1],
            "size": metrics[2] if size else metrics[1],
            "max_bubble_size": "25",
            "opacity": 0.6,
            "tooltipSizeFormat": _FORMATS[size[0].shown if size else y.shown],
            "xAxisFormat": _FORMATS[x.shown],
            "x_axis_label": x.name,
            "logXAxis": tile.logarithmic,
            "x_axis_title_margin": 30,
            "y_axis_format": _FORMATS[y.shown],
            "y_axis_label": y.name,
            "logYAxis": tile.logarithmic,
            "y_axis_title_margin": 50,
        }
    )


def _pie(tile: Tile, metrics: list[Form]) -> Form:
    return _legend(shown=True) | {
        "groupby": [tile.dimensions[0].column],
        "metric": metrics[0],
        "donut": True,
        "innerRadius": 40,
        "outerRadius": 65,
        "label_type": "value",
        "labels_outside": False,
        "number_format": _FORMATS[tile.measures[0].shown],
        "show_labels": True,
        "show_total": True,
        "sort_by_metric": True,
    }


def _table(tile: Tile, metrics: list[Form]) -> Form:
    return _order(tile) | {
        "query_mode": "aggregate",
        "allow_render_html": False,  # a cell is data
        "groupby": [dimension.column for dimension in tile.dimensions],
        "metrics": metrics,
        "column_config": {
            m.name: {"d3NumberFormat": _FORMATS[m.shown], "horizontalAlign": "right"} for m in tile.measures
        },
        "server_page_length": 10,
        "show_cell_bars": False,
        "table_timestamp_format": "%Y-%m-%d %H:%M:%S",
    }


_CHARTS: dict[str, tuple[str, Callable[[Tile, list[Form]], Form]]] = {
    "number": ("big_number_total", _number),
    "line": ("echarts_timeseries_line", _over_time),
    "area": ("echarts_area", _over_time),
    "bar": ("echarts_timeseries_bar", _over_time),
    "row": ("echarts_timeseries_bar", _row),
    "scatter": ("bubble_v2", _scatter),
    "pie": ("pie", _pie),
    "table": ("table", _table),
}
