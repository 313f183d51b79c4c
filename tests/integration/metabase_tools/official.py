"""Our request bodies in the portable YAML of Metabase's serialization: names and entity ids instead of numbers."""

import base64
import copy
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from bi.metabase.database import needed
from bi.metabase.render import Ids, card, card_name, dashboard
from bi.model import Dashboard

Json = dict[str, Any]
_DATABASE = "Mini Data Platform"
_CREATOR = "admin@mdp.example"


def example_ids(dashboards: Sequence[Dashboard]) -> Ids:
    """Return numbers as a server would give them, each used once."""
    columns = {column: 1000 + number for number, column in enumerate(sorted(needed(dashboards)))}
    names = [card_name(definition, tile) for definition in dashboards for tile in definition.tiles]
    return Ids(2, 5, columns, {name: 100 + number for number, name in enumerate(names)})


def write(folder: Path, dashboards: Sequence[Dashboard]) -> list[Path]:
    """Write the collection, the cards and the dashboards; return their files."""
    ids = example_ids(dashboards)
    collection = _entity("collection")
    names = {number: _entity(name) for name, number in ids.cards.items()}
    documents = {"mdp": _document("Collection", "collection", {"name": _DATABASE})}
    for definition in dashboards:
        for tile in definition.tiles:
            wanted = card(definition, tile, ids)
            body = _portable_card(wanted.body, ids) | {"collection_id": collection, "description": wanted.text}
            documents[f"mdp/{definition.name}_{tile.name}"] = _document("Card", wanted.name, body)
        wanted = dashboard(definition, ids)
        body = _portable_dashboard(wanted.body, names, wanted.name)
        body |= {"collection_id": collection, "description": wanted.text}
        documents[f"mdp/{definition.name}"] = _document("Dashboard", wanted.name, body)
    return [_write(folder / "collections" / "main" / f"{name}.yaml", found) for name, found in documents.items()]


def _write(file: Path, document: Json) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return file


def _entity(name: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(name.encode()).digest()).decode()[:21]


def _document(model: str, name: str, body: Json) -> Json:
    id_ = _entity(name)
    creator = {} if model == "Collection" else {"creator_id": _CREATOR}
    return body | creator | {"entity_id": id_, "serdes/meta": [{"id": id_, "label": name, "model": model}]}


def _portable_card(body: Mapping[str, Any], ids: Ids) -> Json:
    """A native query becomes a stage; its tags name their columns."""
    references = {number: [_DATABASE, "mart", *column] for column, number in ids.columns.items()}
    native = body["dataset_query"]["native"]
    tags = native["template-tags"].values()
    tags = [{**tag, "dimension": ["field", {}, references[tag["dimension"][1]]]} for tag in tags]
    stage = {"lib/type": "mbql.stage/native", "native": native["query"], "template-tags": tags}
    return {**body, "dataset_query": {"lib/type": "mbql/query", "database": _DATABASE, "stages": [stage]}}


def _portable_dashboard(body: Mapping[str, Any], cards: Mapping[int, str], name: str) -> Json:
    result = copy.deepcopy(dict(body))
    for tile in result["dashcards"]:
        tile["entity_id"] = _entity(f"{name} {tile.pop('id')}")
        tile["card_id"] = cards[tile["card_id"]]
        tile["serdes/meta"] = [
            {"id": _entity(name), "model": "Dashboard"},
            {"id": tile["entity_id"], "model": "DashboardCard"},
        ]
        for mapping in tile["parameter_mappings"]:
            mapping["card_id"] = cards[mapping["card_id"]]
    return result
