"""What Metabase takes, closed: a key that is not here is refused, as the newest versions refuse it.

Written by hand from the request schemas of Metabase's source, versions 0.57 to 0.65.
"""

from typing import Any

Schema = dict[str, Any]
ID: Schema = {"type": "integer", "minimum": 1}
TEXT: Schema = {"type": "string", "minLength": 1}
FLAG: Schema = {"type": "boolean"}


def maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def exactly(*items: Schema) -> Schema:
    return {"type": "array", "prefixItems": list(items), "minItems": len(items), "maxItems": len(items)}


def closed(required: dict[str, Schema], /, **optional: Schema) -> Schema:
    return {
        "type": "object",
        "properties": required | optional,
        "required": list(required),
        "additionalProperties": False,
    }


def named(**schemas: Schema) -> dict[str, Schema]:
    return {name.replace("__", "-"): schema for name, schema in schemas.items()}


PARAMETER_TYPES = ["date/all-options", "date/range", "date/relative", "string/=", "string/contains", "number/="]
PARAMETER = closed(
    named(id=TEXT, type={"enum": PARAMETER_TYPES}),
    **named(name=TEXT, slug=TEXT, sectionId=TEXT, default={}, values_query_type={"enum": ["none", "list", "search"]}),
)
DIMENSION_TAG = closed(
    named(
        id=TEXT, name=TEXT, display__name=TEXT, type={"const": "dimension"}, widget__type={"enum": PARAMETER_TYPES},
        dimension=exactly({"const": "field"}, ID, {"type": "null"}),
    ),
    **named(required=FLAG, default={}),
)  # fmt: skip
QUERY = closed(
    named(
        type={"const": "native"},
        database=ID,
        native=closed(
            named(query=TEXT),
            **{"template-tags": {"type": "object", "additionalProperties": DIMENSION_TAG}},
        ),
    )
)
DISPLAYS = ["scalar", "line", "bar", "area", "row", "scatter", "pie", "funnel", "table"]
_CARD = named(name=TEXT, dataset_query=QUERY, display={"enum": DISPLAYS}, visualization_settings={"type": "object"})
_CARD_MORE = named(
    type=maybe({"enum": ["question", "model", "metric"]}), description=maybe(TEXT), collection_id=maybe(ID),
    parameters={"type": "array", "items": PARAMETER}, entity_id=maybe(TEXT), cache_ttl=maybe(ID),
)  # fmt: skip
MAPPING = closed(
    named(
        parameter_id=TEXT,
        target=exactly({"const": "dimension"}, exactly({"const": "template-tag"}, TEXT)),
    ),
    card_id=ID,
)  # fmt: skip
SIZE: Schema = {"type": "integer", "minimum": 1, "maximum": 24}
AT: Schema = {"type": "integer", "minimum": 0}
DASHCARD = closed(
    named(id={"type": "integer"}, size_x=SIZE, size_y={"type": "integer", "minimum": 1}, row=AT, col=AT),
    **named(
        card_id=maybe(ID), parameter_mappings={"type": "array", "items": MAPPING},
        visualization_settings={"type": "object"}, series={"type": "array", "items": closed(named(id=ID))},
        dashboard_tab_id=maybe(ID), action_id=maybe(ID), inline_parameters={"type": "array", "items": TEXT},
    ),
)  # fmt: skip
_PARAMETERS: Schema = {"type": "array", "items": PARAMETER}
DETAILS: Schema = {"type": "object"}
_DATABASE_MORE = named(is_full_sync=FLAG, is_on_demand=FLAG, auto_run_queries=maybe(FLAG))
USER = closed(named(email=TEXT, password=TEXT), first_name=maybe(TEXT), last_name=maybe(TEXT))
DATABASE_PERMISSIONS = closed(
    {},
    **{
        "view-data": {"const": "unrestricted"},
        "create-queries": {"enum": ["no", "query-builder", "query-builder-and-native"]},
    },
)


def graph(leaf: Schema) -> Schema:
    key = {"pattern": "^[0-9]+$"}
    inner = {"type": "object", "propertyNames": key, "additionalProperties": leaf}
    return closed(
        named(groups={"type": "object", "propertyNames": key, "additionalProperties": inner}),
        revision=maybe({"type": "integer"}),
    )


# By method and path, as the server's own description lists them (with a slash at the end of a collection's path).
BODIES: dict[tuple[str, str], Schema] = {
    ("POST", "/api/setup/"): closed(
        named(token=TEXT, user=USER, prefs=closed(named(site_name=TEXT), site_locale=maybe(TEXT)))
    ),
    ("POST", "/api/session/"): closed(named(username=TEXT, password=TEXT)),
    ("POST", "/api/database/"): closed(named(name=TEXT, engine=TEXT, details=DETAILS), **_DATABASE_MORE),
    ("PUT", "/api/database/{id}"): closed(
        {}, **named(name=TEXT, engine=TEXT, details=DETAILS, description=maybe({"type": "string"})), **_DATABASE_MORE
    ),
    ("POST", "/api/database/{id}/sync_schema"): closed({}),
    ("POST", "/api/collection/"): closed(named(name=TEXT), description=maybe(TEXT), parent_id=maybe(ID)),
    ("PUT", "/api/collection/{id}"): closed({}, name=maybe(TEXT), description=maybe(TEXT), archived=FLAG),
    ("POST", "/api/card/"): closed(_CARD, **_CARD_MORE),
    ("PUT", "/api/card/{id}"): closed({}, **_CARD, **_CARD_MORE, archived=maybe(FLAG)),
    ("POST", "/api/dashboard/"): closed(
        named(name=TEXT), description=maybe({"type": "string"}), collection_id=maybe(ID), parameters=_PARAMETERS
    ),
    ("PUT", "/api/dashboard/{id}"): closed(
        {},
        **named(
            name=maybe(TEXT), description=maybe({"type": "string"}), collection_id=maybe(ID), archived=maybe(FLAG),
            width={"enum": ["fixed", "full"]}, auto_apply_filters=maybe(FLAG), parameters=_PARAMETERS,
            tabs={"type": "array", "items": closed(named(id={"type": "integer"}, name=TEXT))},
            dashcards={"type": "array", "items": DASHCARD},
        ),
    ),
    ("POST", "/api/permissions/group"): closed(named(name=TEXT)),
    ("PUT", "/api/permissions/graph"): graph(DATABASE_PERMISSIONS),
    ("PUT", "/api/collection/graph"): graph({"enum": ["read", "write", "none"]}),
}  # fmt: skip
