"""All objects of ours, in the files that Superset imports and exports: one YAML for each, zipped."""

import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import yaml

from bi.model import Dashboard, Tile
from bi.superset.charts import form
from bi.superset.identity import Kind, uuid_of
from bi.superset.layout import CSS, metadata, position
from bi.target import Warehouse
from minidata.errors import PermanentError
from minidata.warehouse.views import SCHEMA, TIMES, View

_VERSION = "1.0.0"
_CONNECTION = "Warehouse"
_TYPES = {"timestamptz": "TIMESTAMP WITH TIME ZONE"}  # other types have the same name in Superset, in capitals
_MASK = "X" * 10  # what Superset shows instead of a password
KINDS: tuple[Kind, ...] = ("databases", "datasets", "charts", "dashboards")


@dataclass(frozen=True)
class Asset:
    """One object.

    Attributes:
        kind: what it is.
        name: in plans.
        content: of its file.
        id: its number on the server, if it came from there.
    """

    kind: Kind
    name: str
    content: Mapping[str, Any]
    id: int | None = None

    @property
    def uuid(self) -> str:
        """Its UUID."""
        return str(self.content["uuid"])


def render(dashboards: Iterable[Dashboard], views: Mapping[str, View], warehouse: Warehouse) -> list[Asset]:
    """Turn the definitions into objects of Superset.

    Args:
        dashboards: what to show.
        views: the whole catalogue: each view is a dataset, so that people can make charts of it.
        warehouse: the connection to it is one of the objects.
    """
    assets = [_database(warehouse)]
    assets += [_dataset(name, view) for name, view in views.items()]
    for dashboard in dashboards:
        assets += [_chart(dashboard, tile) for tile in dashboard.tiles]
        assets.append(_dashboard(dashboard))
    return assets


def uri(warehouse: Warehouse, password: str) -> str:
    """Return the address of the warehouse for SQLAlchemy."""
    place = f"{warehouse.host}:{warehouse.port}/{quote(warehouse.database, safe='')}"
    return f"postgresql+psycopg2://{warehouse.user}:{quote(password, safe='')}@{place}?sslmode={warehouse.sslmode}"


def _asset(kind: Kind, name: str, content: dict[str, Any], shown: str | None = None) -> Asset:
    common = {"uuid": uuid_of(kind, name), "is_managed_externally": True, "version": _VERSION}
    return Asset(kind, shown or name, content | common)


def _database(warehouse: Warehouse) -> Asset:
    content = {
        "database_name": _CONNECTION,
        "sqlalchemy_uri": uri(warehouse, _MASK),
        "cache_timeout": None,
        "expose_in_sqllab": True,
        **dict.fromkeys(("allow_run_async", "allow_ctas", "allow_cvas", "allow_dml", "allow_csv_upload"), False),
        "impersonate_user": False,
        "extra": {
            "engine_params": {"connect_args": {"application_name": "superset", "connect_timeout": 5}},
            "allows_virtual_table_explore": True,
        },
    }
    return _asset("databases", _CONNECTION, content)


def _dataset(name: str, view: View) -> Asset:
    columns = [
        {
            "column_name": column,
            "verbose_name": declared.label,
            "description": declared.means,
            "type": _TYPES.get(declared.type, declared.type.upper()),
            "is_dttm": declared.type in TIMES,
            **dict.fromkeys(("is_active", "groupby", "filterable"), True),
        }
        for column, declared in view.columns.items()
    ]
    content = {
        "table_name": name,
        "schema": SCHEMA,
        "sql": None,
        "description": view.means,
        "main_dttm_col": view.time,
        "filter_select_enabled": True,
        "columns": columns,
        "metrics": [{"metric_name": "count", "verbose_name": "Rows", "metric_type": "count", "expression": "COUNT(*)"}],
        "database_uuid": uuid_of("databases", _CONNECTION),
    }
    return _asset("datasets", name, content, f"{SCHEMA}.{name}")


def _chart(dashboard: Dashboard, tile: Tile) -> Asset:
    params = form(dashboard, tile)
    content = {
        "slice_name": tile.title,
        "description": tile.means,
        "viz_type": params["viz_type"],
        "params": params,
        "query_context": None,
        "cache_timeout": None,
        "dataset_uuid": uuid_of("datasets", tile.view),
    }
    return _asset("charts", f"{dashboard.name}/{tile.name}", content)


def _dashboard(dashboard: Dashboard) -> Asset:
    content = {
        "dashboard_title": dashboard.title,
        "slug": dashboard.name,
        "description": dashboard.question,
        "css": CSS,
        "published": True,
        "position": position(dashboard),
        "metadata": metadata(dashboard),
    }
    return _asset("dashboards", dashboard.name, content)


def pack(assets: Iterable[Asset]) -> bytes:
    """Zip objects for an import."""
    head = {"version": _VERSION, "type": "assets", "timestamp": "2026-01-01T00:00:00+00:00"}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mdp/metadata.yaml", yaml.safe_dump(head))
        for asset in assets:
            text = yaml.safe_dump(dict(asset.content), sort_keys=False, allow_unicode=True)
            archive.writestr(f"mdp/{path(asset)}", text)
    return buffer.getvalue()


def path(asset: Asset) -> str:
    """Return the path of an object's file in the zip."""
    return f"{asset.kind}/{asset.uuid}.yaml"


def unpack(content: bytes) -> list[Asset]:
    """Read every object from an export.

    Raises:
        PermanentError: if it is not an export of Superset.
    """
    assets = []
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.namelist():
                _, _, inner = entry.partition("/")
                kind, _, file = inner.partition("/")
                if kind in KINDS:
                    data = yaml.safe_load(archive.read(entry))
                    assets.append(Asset(kind, str(data["uuid"]), data, _number(file)))
    except (zipfile.BadZipFile, yaml.YAMLError, KeyError, TypeError) as error:
        raise PermanentError(
            f"The export of Superset cannot be read: {error}. Check that its version is 6.x."
        ) from error
    return assets


def _number(file: str) -> int | None:
    """Return the number that ends a file's name, as all but those of databases do."""
    digits = file.removesuffix(".yaml").rpartition("_")[2]
    return int(digits) if digits.isdecimal() else None
