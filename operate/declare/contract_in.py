"""A declaration from a contract of the Open Data Contract Standard, our own or another's."""

import re
from pathlib import Path
from typing import Any

import yaml
from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject, SchemaProperty
from pydantic import TypeAdapter, ValidationError

from minidata.dataset.model import SqlFile
from minidata.errors import PermanentError
from minidata.warehouse.catalogue import title_of
from operate.declare.contract_out import LOGICAL_TYPES, OPTIONS, OURS
from operate.declare.guess import identifiers
from operate.declare.types import WIDE

_SELECTS = TypeAdapter(dict[SqlFile, str])
_TYPES = {logical: type_ for type_, logical in LOGICAL_TYPES.items()}
_PHYSICAL = (  # what databases call their types, where a contract names no logical one
    (r"(big|small|tiny|medium)?int(eger|[0-9]*)?|(big|small)?serial|long", "integer"),
    (r"decimal|numeric|number|float[0-9]*|double( precision)?|real|money", "decimal"),
    (r"bool(ean)?", "boolean"),
    (r"date", "date"),
    (r"timestamp.*|datetime.*", "timestamp"),
)
_JAVA = {  # how Java writes what our formats write
    "yyyy": "%Y", "uuuu": "%Y", "yy": "%y", "MMM": "%b", "MM": "%m", "M": "%m", "dd": "%d", "d": "%d", "HH": "%H",
    "H": "%H", "hh": "%I", "h": "%I", "mm": "%M", "ss": "%S", "SSSSSS": "%f", "SSS": "%f", "a": "%p", "XXX": "%z",
    "X": "%z", "Z": "%z",
}  # fmt: skip


def read_contract(file: Path, name: str) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """Read a contract as a declaration.

    Args:
        file: the contract, as YAML.
        name: of the dataset; of several objects in the contract, the one with this name is taken.

    Returns:
        The content of `dataset.yaml`, the other files by name, and remarks on what the contract did not say.

    Raises:
        PermanentError: if the file is no contract, or its objects do not tell which of them is meant.
    """
    try:
        contract = OpenDataContractStandard.from_string(file.read_text(encoding="utf-8"))
    except (ValidationError, yaml.YAMLError, TypeError, UnicodeError) as error:
        first = str(error).splitlines()[0]
        raise PermanentError(f"{file} is no contract of the Open Data Contract Standard 3: {first}.") from error
    objects = contract.schema_ or []
    found = [each for each in objects if each.name == name] or objects
    if len(found) != 1 or not found[0].properties:
        known = ", ".join(str(each.name) for each in objects) or "none"
        raise PermanentError(f"{file} must have one object with properties, or one called {name}; it has: {known}.")
    [files] = found
    ours = next((p.value for p in contract.customProperties or [] if p.property == OURS), None)
    remarks: list[str] = []
    columns, keys = _columns(files, remarks, ours=ours is not None)
    about = {"name": name, "title": contract.name or files.businessName or title_of(name)}
    if isinstance(ours, dict):
        try:
            selects = _SELECTS.validate_python(ours.pop("files", {}))
        except ValidationError as error:
            what = "a text under a plain name that ends in .sql, such as daily.sql"
            raise PermanentError(f"In {file}, each of the files of {OURS} must be {what}.") from error
        return {**about, **ours, "columns": columns}, selects, remarks
    what = files.description or (f"The newest row per {' and '.join(keys)}" if keys else "Every row once")
    table = (
        {"newest": {name: {"description": what, "keys": keys}}} if keys else {"every": {name: {"description": what}}}
    )
    return {**about, "prefix": name, **_format(contract), "columns": columns, **table}, {}, remarks


def _format(contract: OpenDataContractStandard) -> dict[str, Any]:
    """Return the format and the dialect that the servers of a contract name."""
    for server in contract.servers or []:
        if server.format in ("json", "jsonl", "ndjson", "parquet", "xlsx", "csv"):
            format_ = {"json": "jsonl", "ndjson": "jsonl"}.get(server.format, server.format)
            dialect = {"delimiter": server.delimiter, "encoding": server.encoding} if format_ == "csv" else {}
            said = {key: value for key, value in dialect.items() if value and value not in (",", "utf-8", "UTF-8")}
            return {"formats": [format_]} | ({"dialect": said} if said else {})
    return {}


def _columns(files: SchemaObject, remarks: list[str], *, ours: bool) -> tuple[dict[str, Any], list[str]]:
    properties = files.properties or []
    headers = [str(each.physicalName or each.name) for each in properties]
    names = identifiers([str(each.name) for each in properties])
    columns: dict[str, dict[str, Any]] = {}
    for each, name, header in zip(properties, names, headers, strict=True):
        columns[name] = _column(each, remarks)
        if each.required and columns[name]["type"] == "text" and not ours:
            columns[name].setdefault("min_length", 1)  # there, an empty text is no value
        aliases = dict.fromkeys([h for h in (str(each.name), header) if h != name] + columns[name].get("aliases", []))
        columns[name] |= {"aliases": list(aliases)} if aliases else {}
        if each.quality:
            remarks.append(f"The quality rules of {name} are not taken over; `one_of`, `pattern` and limits can be.")
    keys = sorted((each.primaryKeyPosition or 0, place) for place, each in enumerate(properties) if each.primaryKey)
    return columns, [names[place] for _, place in keys]


def _column(found: SchemaProperty, remarks: list[str]) -> dict[str, Any]:
    type_ = _TYPES.get(found.logicalType or "") or _from_physical(found.physicalType or "")
    options = found.logicalTypeOptions or {}
    rule: dict[str, Any] = {"type": type_}
    rule |= {ours: options[theirs] for ours, theirs in OPTIONS.items() if options.get(theirs) is not None}
    if type_ == "decimal":
        digits = re.search(r"\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)", found.physicalType or "")
        wide = {"precision": int(digits[1]), "scale": int(digits[2] or 0)} if digits else WIDE
        rule = rule | wide | {"type": type_} | {r: str(rule[r]) for r in ("min", "max") if r in rule}
    if type_ in ("date", "timestamp"):
        rule = {key: value for key, value in rule.items() if key not in ("min", "max")}
        rule |= _times(found, options.get("format"), remarks)
    if type_ in ("text", "integer") and found.enum:
        rule["one_of"] = [word.value for word in found.enum]
    if not found.required:
        rule["optional"] = True
    if found.description:
        rule["description"] = found.description
    return rule | {str(each.property): each.value for each in found.customProperties or [] if each.property in _OWN}


_OWN = (
    "aliases", "null_words", "trimmed", "formats", "max_ahead_hours", "not_before", "precision", "scale",
    "true_words", "false_words", "min", "max", "min_length",
)  # fmt: skip


def _times(found: SchemaProperty, java: str | None, remarks: list[str]) -> dict[str, Any]:
    if not java:
        return {}
    written = re.sub("'([^']*)'|([A-Za-z])\\2*", lambda m: m[1] if m[1] is not None else _JAVA.get(m[0], "?"), java)
    if "?" in written:
        remarks.append(f"The format `{java}` of {found.name} is unknown here: write it as in docs/datasets.md.")
        return {}
    iso = written in ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
    return {} if iso else {"formats": [written]}


def _from_physical(type_: str) -> str:
    plain = type_.lower().split("(")[0].strip()
    return next((ours for pattern, ours in _PHYSICAL if re.fullmatch(pattern, plain)), "text")
