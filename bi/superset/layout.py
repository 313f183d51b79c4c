"""A dashboard as Superset lays it out: the grid of its tiles, its filters, its refresh."""

from typing import Any

from bi.model import Dashboard, Filter, PeriodFilter, Row
from bi.superset.colours import COLOURS
from bi.superset.identity import uuid_of

_UNIT = 6  # of Superset's grid, 8 pixels each, to one of ours
_NOTE = {"number": 9}  # the lines that say what a tile means take so much of its height
_NOTE_OF_CHART = 5
# A table shows its first so many rows; Superset would warn that there are more. And a tile without rows is no
# mistake of its reader's: nothing in quarantine is what one hopes for.
CSS = """\
[data-test='slice-header'] [aria-label='warning'], [role='img'][aria-label='empty'] { display: none; }
[role='img'][aria-label='empty'] + div p { font-size: 0; }
[role='img'][aria-label='empty'] + div p:first-child::after { content: 'Nothing to show.'; font-size: 14px; }
"""


def position(dashboard: Dashboard) -> dict[str, Any]:
    """Return the grid. Charts are named by UUID; their numbers only stand in for the ones that the server gives."""
    rows: dict[str, Any] = {}
    charts: dict[str, Any] = {}
    for y, row in enumerate(dashboard.rows):
        parent = f"ROW-{y}"
        rows[parent] = {
            "type": "ROW",
            "id": parent,
            "children": [f"CHART-{tile.name}" for tile in row.tiles],
            "parents": ["ROOT_ID", "GRID_ID"],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        for tile in row.tiles:
            charts[f"CHART-{tile.name}"] = {
                "type": "CHART",
                "id": f"CHART-{tile.name}",
                "children": [],
                "parents": ["ROOT_ID", "GRID_ID", parent],
                "meta": {
                    "uuid": uuid_of("charts", f"{dashboard.name}/{tile.name}"),
                    "chartId": numbers(dashboard)[tile.name],
                    "width": tile.width,
                    "height": row.height * _UNIT + _note(row),
                    "sliceName": tile.title,
                },
            }
    return {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {
            "type": "GRID",
            "id": "GRID_ID",
            "children": ["HEADER-question", *rows],
            "parents": ["ROOT_ID"],
        },
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": dashboard.title}},
        "HEADER-question": {
            "type": "HEADER",
            "id": "HEADER-question",
            "children": [],
            "parents": ["ROOT_ID", "GRID_ID"],
            "meta": {
                "text": dashboard.question,
                "headerSize": "SMALL_HEADER",
                "background": "BACKGROUND_TRANSPARENT",
            },
        },
        **rows,
        **charts,
    }


def _note(row: Row) -> int:
    return max(_NOTE.get(tile.chart, _NOTE_OF_CHART) for tile in row.tiles)


def metadata(dashboard: Dashboard) -> dict[str, Any]:
    """Return the rest: filters, refresh, and that each tile shows the line that says what it means."""
    return {
        "refresh_frequency": dashboard.refresh_seconds,
        "timed_refresh_immune_slices": [],
        "expanded_slices": {str(number): True for number in numbers(dashboard).values()},
        "color_scheme": "supersetColors",
        "label_colors": COLOURS,
        "cross_filters_enabled": True,
        "filter_bar_orientation": "HORIZONTAL",
        "native_filter_configuration": [_filter(dashboard, *item) for item in dashboard.filters.items()],
    }


def numbers(dashboard: Dashboard) -> dict[str, int]:
    """Return a number for each tile, by which the parts of a dashboard refer to it."""
    return {tile.name: number for number, tile in enumerate(dashboard.tiles, start=1)}


def _filter(dashboard: Dashboard, name: str, filter_: Filter) -> dict[str, Any]:
    spared = [number for tile, number in zip(dashboard.tiles, numbers(dashboard).values(), strict=True)
              if name not in dashboard.filters_of(tile)]  # fmt: skip
    common = {
        "id": f"NATIVE_FILTER-{name}",
        "name": filter_.label,
        "description": "",
        "type": "NATIVE_FILTER",
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": spared},
    }
    if isinstance(filter_, PeriodFilter):
        begin = f'DATETRUNC(DATEADD(DATETIME("now"), -{filter_.last_hours}, HOUR), HOUR)'
        period = f"{begin} : now"
        return common | {
            "filterType": "filter_time",
            "targets": [{}],
            "controlValues": {},
            "defaultDataMask": {"extraFormData": {"time_range": period}, "filterState": {"value": period}},
        }
    return common | {
        "filterType": "filter_select",
        "targets": [{"column": {"name": filter_.column}, "datasetUuid": uuid_of("datasets", filter_.view)}],
        "controlValues": {
            "multiSelect": True,
            "enableEmptyFilter": False,
            "defaultToFirstItem": False,
            "inverseSelection": False,
            "searchAllOptions": True,
        },
        "defaultDataMask": {"extraFormData": {}, "filterState": {}},
    }
