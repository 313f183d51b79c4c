"""Whether an object on the server equals its definition, ignoring server-assigned IDs."""

import copy
from collections.abc import Mapping
from typing import Any

from bi.plan import digest
from bi.superset.bundle import Asset

# What an export leaves out, or adds.
_UNSEEN = {"is_managed_externally", "query_context"}
_MADE_BY_SERVER = {"datasource", "slice_id", "url_params"}
_COLOURS_BY_SERVER = {
    "chart_configuration",
    "color_namespace",
    "color_scheme_domain",
    "global_chart_configuration",
    "map_label_colors",
    "shared_label_colors",
    "theme_id",
}


def same(wanted: Asset, found: Asset) -> bool:
    """Tell whether an object that was found is as wanted."""
    return _plain(wanted, wanted) == _plain(found, wanted)


def digest_of(asset: Asset, secret: str = "") -> str:
    """Return the digest of what an object should be."""
    return digest([_plain(asset, asset), secret])


def _plain(asset: Asset, wanted: Asset) -> dict[str, Any]:
    content = {key: value for key, value in asset.content.items() if key in wanted.content and key not in _UNSEEN}
    content = copy.deepcopy(content)
    if asset.kind == "databases":
        content["extra"] = {k: v for k, v in content["extra"].items() if k not in ("schema_options", "version")}
    elif asset.kind == "datasets":
        for part, key in (("columns", "column_name"), ("metrics", "metric_name")):
            content[part] = _named(content.get(part) or [], key, wanted.content[part][0])
    elif asset.kind == "charts":
        content["params"] = {k: v for k, v in (content["params"] or {}).items() if k not in _MADE_BY_SERVER}
    else:
        _name_charts(content)
    return content


def _named(items: list[Mapping[str, Any]], key: str, like: Mapping[str, Any]) -> dict[str, Any]:
    return {item[key]: {k: item.get(k) for k in like} for item in items}


def _name_charts(content: dict[str, Any]) -> None:
    """Replace the numbers of charts by UUIDs."""
    names = {}
    for part in (content.get("position") or {}).values():
        if isinstance(part, dict) and part.get("type") == "CHART":
            meta = part["meta"]
            names[meta.pop("chartId", None)] = meta.get("uuid")
    rest = {k: v for k, v in (content.get("metadata") or {}).items() if k not in _COLOURS_BY_SERVER}
    for filter_ in rest.get("native_filter_configuration", []):
        scope = filter_.get("scope", {})
        scope["excluded"] = sorted(str(names.get(number, number)) for number in scope.get("excluded", []))
        for server_made in ("chartsInScope", "tabsInScope"):
            filter_.pop(server_made, None)
    content["metadata"] = rest
