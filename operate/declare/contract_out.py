"""A declaration as a contract of the Open Data Contract Standard, from which the declaration can be made again.

Types, rules, keys and words stand where the standard has a place for them; the rest stands in custom properties.
"""

from typing import Any

from open_data_contract_standard.model import (
    CustomProperty,
    EnumValue,
    OpenDataContractStandard,
    SchemaObject,
    SchemaProperty,
    Server,
)

from minidata.contract.records import TYPED
from minidata.dataset import Column, Dataset, DecimalColumn

API_VERSION = "v3.2.0"
OURS = "miniDataPlatform"  # the custom property that holds what the standard has no place for
LOGICAL_TYPES = {
    "text": "string", "integer": "integer", "decimal": "number", "boolean": "boolean", "date": "date",
    "timestamp": "timestamp",
}  # fmt: skip
OPTIONS = {
    "min": "minimum", "max": "maximum", "min_length": "minLength", "max_length": "maxLength", "pattern": "pattern",
    "zone": "defaultTimezone",
}  # fmt: skip
"""The rules of columns that the standard has names for, among its `logicalTypeOptions`."""


def contract_of(dataset: Dataset) -> OpenDataContractStandard:
    """Return the contract of a dataset: its files are the one object of the schema."""
    rest = dataset.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"columns", "folder", "name"})
    selects = {summary.sql: dataset.select_of(name) for name, summary in dataset.summaries.items()}
    keys = next(iter(dataset.newest.values())).keys if len(dataset.newest) == 1 else []
    files = SchemaObject(
        name=dataset.name,
        logicalType="object",
        properties=[_property(name, column, keys) for name, column in dataset.columns.items()],
    )
    return OpenDataContractStandard(
        apiVersion=API_VERSION,
        kind="DataContract",
        id=dataset.name,
        name=dataset.title,
        version="1.0.0",
        status="active",
        servers=[_server(dataset)],
        schema=[files],
        customProperties=[CustomProperty(property=OURS, value=rest | {"files": selects})],
    )


def _server(dataset: Dataset) -> Server:
    text = dataset.formats[0] not in TYPED
    return Server(
        server="raw",
        type="s3",
        location=f"s3://raw/{dataset.prefix.strip('/')}/",
        format="csv" if text else dataset.formats[0],
        delimiter=dataset.dialect.delimiter if text else None,
    )


def _property(name: str, column: Column, keys: list[str]) -> SchemaProperty:
    rules: dict[str, Any] = column.model_dump(mode="json", exclude_unset=True, exclude={"type", "optional"})
    described, words = rules.pop("description", None), rules.pop("one_of", None)
    options: dict[str, Any] = {said: rules.pop(rule) for rule, said in OPTIONS.items() if rules.get(rule) is not None}
    if isinstance(column, DecimalColumn):  # its limits are exact texts
        options = {said: float(limit) for said, limit in options.items()}
        rules |= {r: v for r, v in column.model_dump(mode="json", include={"min", "max"}).items() if v is not None}
    return SchemaProperty(
        name=name,
        logicalType=LOGICAL_TYPES[column.type],
        physicalType=f"decimal({column.precision},{column.scale})" if isinstance(column, DecimalColumn) else None,
        logicalTypeOptions=options or None,
        required=not column.optional,
        description=described,
        enum=[EnumValue(value=word) for word in words] if words else None,
        primaryKey=True if name in keys else None,
        primaryKeyPosition=keys.index(name) + 1 if name in keys else None,
        customProperties=[CustomProperty(property=rule, value=value) for rule, value in rules.items()] or None,
    )
