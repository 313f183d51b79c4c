"""A server's own description of its interface, and whether a request fits it.

Metabase's interface has no version, but each instance serves a description of exactly what it takes. That
description has quirks, which are allowed for: keys with a default count as required, alternatives that overlap
are written as exclusive, and objects are open where the server itself refuses unknown keys.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]
from referencing.exceptions import Unresolvable

_MEDIUM = "application/json"


class Contract:
    """What one server takes.

    Args:
        document: its OpenAPI document.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._components = _lenient(document.get("components", {}))
        self._bodies = {
            (method.upper(), _route(path)): _lenient(_body(operation))
            for path, operations in document.get("paths", {}).items()
            for method, operation in operations.items()
            if isinstance(operation, dict)
        }
        self._validators: dict[tuple[str, str], Draft202012Validator] = {}

    def problems(self, method: str, path: str, body: Mapping[str, Any] | None) -> list[str]:
        """Return what is wrong with a request, each with its path and key; nothing if it fits.

        Args:
            method: such as `PUT`.
            path: with `{id}` where ids stand.
            body: what is to be sent as JSON.
        """
        request = f"{method} {path}"
        route = (method, _route(path))
        if route not in self._bodies:
            return [f"{request}: this server has no such request"]
        if self._bodies[route] is None or body is None:
            return []
        return [f"{request}: {problem}" for problem in self._faults(route, body)]

    def _faults(self, route: tuple[str, str], body: Mapping[str, Any]) -> Iterator[str]:
        schema = self._followed(self._bodies[route])
        known = schema.get("properties")
        # Deeper objects stay open: some of them list fewer keys than the server takes.
        unknown = sorted(body.keys() - known.keys()) if known else []
        yield from (f"key `{key}`: this server does not know it" for key in unknown)
        if route not in self._validators:
            self._validators[route] = Draft202012Validator({**schema, "components": self._components})
        try:
            for error in self._validators[route].iter_errors(body):
                best = best_match([error])
                yield f"key `{best.json_path.removeprefix('$.')}`: {best.message[:200]}"
        except (Unresolvable, re.error):
            # A part of the description that refers to nowhere, or a pattern of another language: the keys
            # that it would have checked are checked by the server alone.
            return

    def _followed(self, schema: dict[str, Any]) -> dict[str, Any]:
        reference = str(schema.get("$ref", ""))
        name = reference.removeprefix("#/components/schemas/")
        found = self._components.get("schemas", {}).get(name) if reference else None
        return found if isinstance(found, dict) else schema


def _route(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path.rstrip("/"))


def _body(operation: Mapping[str, Any]) -> Any:
    return operation.get("requestBody", {}).get("content", {}).get(_MEDIUM, {}).get("schema")


def _lenient(schema: Any) -> Any:
    """Return a schema in which keys with a default are optional and alternatives may overlap."""
    if isinstance(schema, list):
        return [_lenient(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    result = {
        ("anyOf" if key == "oneOf" and "anyOf" not in schema else key): _lenient(part) for key, part in schema.items()
    }
    properties = schema.get("properties")
    if isinstance(properties, dict) and isinstance(schema.get("required"), list):
        result["required"] = [key for key in schema["required"] if "default" not in (properties.get(key) or {})]
    return result
