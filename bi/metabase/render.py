"""A definition as request bodies of Metabase."""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bi.metabase.client import NAME
from bi.metabase.objects import Wanted
from bi.model import Dashboard, PeriodFilter, Tile
from bi.sql import select

Json = dict[str, Any]
GRID = 2  # columns of Metabase's 24 to one of our twelfths
_NAMESPACE = uuid.UUID("6f1d3b0e-4a0c-5c57-9a86-0b8f0e7a5c11")
_DISPLAY = {"number": "scalar"}  # the other charts have the same names there
_COLLECTION = "Made from the dashboards' files. Copies of these objects are yours to change; the originals are not."


@dataclass(frozen=True)
class Ids:
    """Ids on the server; 0 for an object that is not there yet.

    Attributes:
        database: of the warehouse.
        collection: that holds the cards and dashboards.
        columns: by (view, column).
        cards: by `dashboard/tile`.
    """

    database: int = 0
    collection: int = 0
    columns: Mapping[tuple[str, str], int] = field(default_factory=dict)
    cards: Mapping[str, int] = field(default_factory=dict)


def collection() -> Wanted:
    """Return the collection that holds the cards and dashboards."""
    return Wanted("collection", "collection", _COLLECTION, {"name": NAME})


def card_name(dashboard: Dashboard, tile: Tile) -> str:
    """Return the name of a tile's card in plans and marks."""
    return f"{dashboard.name}/{tile.name}"


def card(dashboard: Dashboard, tile: Tile, ids: Ids) -> Wanted:
    """Return a tile's card."""
    name = card_name(dashboard, tile)
    filters = dashboard.filters_of(tile)
    tags = {
        filter_: {
            "id": str(uuid.uuid5(_NAMESPACE, f"{name}/{filter_}")),
            "name": filter_,
            "display-name": dashboard.filters[filter_].label,
            "type": "dimension",
            "dimension": ["field", ids.columns.get((tile.view, column), 0), None],
            "widget-type": _widget(dashboard, filter_),
            "required": False,
        }
        for filter_, column in filters.items()
    }
    # [[ ]] goes away with its filter when nothing is chosen; the field filter writes the whole condition.
    query = select(dashboard, tile, [f"[[and {{{{{filter_}}}}}]]" for filter_ in filters])
    body = {
        "name": tile.title,
        "type": "question",
        "display": _DISPLAY.get(tile.chart, tile.chart),
        "collection_id": ids.collection,
        "visualization_settings": _settings(dashboard, tile),
        "dataset_query": {
            "type": "native",
            "database": ids.database,
            "native": {"query": query, "template-tags": tags},
        },
    }
    return Wanted("card", name, tile.means, body)


def dashboard(definition: Dashboard, ids: Ids, present: Mapping[int, int] | None = None) -> Wanted:
    """Return a dashboard with its tiles and filters.

    Args:
        definition: the dashboard.
        ids: its cards' among them.
        present: id of the tile on the dashboard for each card that is already there, so that it stays the same.
    """
    tiles: list[Json] = []
    y = 0
    for row in definition.rows:
        x = 0
        for tile in row.tiles:
            card_id = ids.cards.get(card_name(definition, tile), 0)
            tiles.append(
                {
                    "id": (present or {}).get(card_id, -1 - len(tiles)),  # Metabase makes a new one for a negative id
                    "card_id": card_id,
                    "col": x * GRID,
                    "row": y,
                    "size_x": tile.width * GRID,
                    "size_y": row.height,
                    "series": [],
                    "visualization_settings": {},
                    "parameter_mappings": [
                        {
                            "parameter_id": _parameter_id(filter_),
                            "card_id": card_id,
                            "target": ["dimension", ["template-tag", filter_]],
                        }
                        for filter_ in definition.filters_of(tile)
                    ],
                }
            )
            x += tile.width
        y += row.height
    body = {
        "name": definition.title,
        "collection_id": ids.collection,
        "width": "full",
        "auto_apply_filters": True,
        "parameters": [_parameter(definition, filter_) for filter_ in definition.filters],
        "dashcards": tiles,
    }
    return Wanted("dashboard", definition.name, definition.question, body)


def _widget(definition: Dashboard, filter_: str) -> str:
    return "date/all-options" if isinstance(definition.filters[filter_], PeriodFilter) else "string/="


def _parameter_id(filter_: str) -> str:
    return hashlib.sha256(filter_.encode()).hexdigest()[:8]


def _parameter(definition: Dashboard, filter_: str) -> Json:
    declared = definition.filters[filter_]
    parameter: Json = {
        "id": _parameter_id(filter_),
        "name": declared.label,
        "slug": filter_,
        "type": _widget(definition, filter_),
        "sectionId": "string",
    }
    if isinstance(declared, PeriodFilter):
        # `~` includes the hour that is under way
        default = {"default": f"past{declared.last_hours}hours~"} if declared.last_hours else {}
        parameter |= {"sectionId": "date", **default}
    return parameter


def _settings(definition: Dashboard, tile: Tile) -> Json:
    labels = [definition.label(tile, dimension) for dimension in tile.dimensions]
    measures = [measure.name for measure in tile.measures]
    columns = {f'["name","{measure.name}"]': {"decimals": 1} for measure in tile.measures if measure.shown == "tenths"}
    settings: Json = {"column_settings": columns} if columns else {}
    match tile.chart:
        case "number":
            settings["scalar.field"] = measures[0]
        case "pie":
            settings |= {"pie.dimension": labels, "pie.metric": measures[0], "pie.show_total": True}
        case "row":
            settings |= {"graph.dimensions": labels, "graph.metrics": measures, "graph.show_values": True}
        case "scatter":
            settings |= {
                "graph.dimensions": [measures[0], *labels[1:]],
                "graph.metrics": measures[1:2],
                "graph.x_axis.title_text": measures[0],
                "graph.y_axis.title_text": measures[1],
            }
            if tile.logarithmic:
                settings |= {"graph.x_axis.scale": "log", "graph.y_axis.scale": "log"}
            if len(measures) > 2:
                settings["scatter.bubble"] = measures[2]
        case "line" | "area" | "bar":
            settings |= {
                "graph.dimensions": labels,
                "graph.metrics": measures,
                "graph.x_axis.scale": "timeseries",
                "graph.x_axis.title_text": "",
                "stackable.stack_type": "stacked" if tile.stacked else None,
            }
    return settings
