"""A dashboard as Superset lays it out: the grid of its tiles, its filters, its refresh."""

from typing import Any

from bi.model import Dashboard, Filter, PeriodFilter, Tone
from bi.superset.identity import uuid_of

# They differ in lightness as well, and each word is in a legend: no chart depends on colour alone.
_PALETTE: dict[Tone, str] = {
    "good": "#2f9e6e",
    "fair": "#7cc6a4",
    "bad": "#e07b39",
    "worst": "#a52a2a",
    "neutral": "#a9b4be",
    "active": "#4b7fc4",
    "muted": "#d9dee3",
}
_UNIT = 6  # of Superset's grid, 8 pixels each, to one of ours
_NOTE = 5  # height of the line below a chart
# A table shows its first so many rows; Superset would warn that there are more. A tile without rows is no mistake:
# an empty quarantine is good news.
CSS = """\
[data-test='slice-header'] [aria-label='warning'], [role='img'][aria-label='empty'] { display: none; }
[role='img'][aria-label='empty'] + div p { font-size: 0; }
[role='img'][aria-label='empty'] + div p:first-child::after { content: 'Nothing to show.'; font-size: 14px; }
.dashboard-markdown { margin-top: -16px; }
.dashboard-markdown .dashboard-component-chart-holder { padding: 0 16px; font-size: 12px; }
.dashboard-markdown p { margin: 0; opacity: .75; }
"""


def position(dashboard: Dashboard) -> dict[str, Any]:
    """Return the grid: each tile is a chart above the line that says what it means.

    Charts are named by UUID; their numbers are placeholders, which the server replaces.
    """
    parts: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": dashboard.title}},
    }

    def add(kind: str, name: str, parents: list[str], children: list[str], **meta: Any) -> str:
        id_ = f"{kind}-{name}"
        parts[id_] = {"type": kind, "id": id_, "children": children, "parents": parents, "meta": meta}
        return id_

    grid = ["ROOT_ID", "GRID_ID"]
    shown = {"headerSize": "SMALL_HEADER", "background": "BACKGROUND_TRANSPARENT"}
    lines = [add("HEADER", "question", grid, [], text=dashboard.question, **shown)]
    for number, row in enumerate(dashboard.rows):
        columns = []
        for tile in row.tiles:
            inside = [*grid, f"ROW-{number}", f"COLUMN-{tile.name}"]
            chart = {
                "uuid": uuid_of("charts", f"{dashboard.name}/{tile.name}"),
                "chartId": dashboard.tiles.index(tile) + 1,
                "sliceName": tile.title,
            }
            children = [
                add("CHART", tile.name, inside, [], width=tile.width, height=row.height * _UNIT, **chart),
                add("MARKDOWN", tile.name, inside, [], width=tile.width, height=_NOTE, code=tile.means),
            ]
            transparent = {"background": "BACKGROUND_TRANSPARENT"}
            columns.append(add("COLUMN", tile.name, inside[:-1], children, width=tile.width, **transparent))
        lines.append(add("ROW", str(number), grid, columns, background="BACKGROUND_TRANSPARENT"))
    parts["GRID_ID"] = {"type": "GRID", "id": "GRID_ID", "children": lines, "parents": ["ROOT_ID"]}
    return parts


def metadata(dashboard: Dashboard) -> dict[str, Any]:
    """Return the rest: filters, colours, how often it refreshes."""
    return {
        "refresh_frequency": dashboard.refresh_seconds,
        "timed_refresh_immune_slices": [],
        "expanded_slices": {},
        "color_scheme": "supersetColors",
        "label_colors": {word: _PALETTE[tone] for word, tone in dashboard.colours.items()},
        "cross_filters_enabled": True,
        "filter_bar_orientation": "HORIZONTAL",
        "native_filter_configuration": [_filter(dashboard, *item) for item in dashboard.filters.items()],
    }


def _filter(dashboard: Dashboard, name: str, filter_: Filter) -> dict[str, Any]:
    spared = [number for number, tile in enumerate(dashboard.tiles, 1) if name not in dashboard.filters_of(tile)]
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
        period = f"{begin} : now" if filter_.last_hours else "No filter"
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
