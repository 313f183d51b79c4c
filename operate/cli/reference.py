"""The generated reference: reason codes, keys of declarations and dashboards, tables and views."""

import re
from collections.abc import Iterator, Sequence
from inspect import cleandoc
from typing import Any, get_args

from pydantic import BaseModel

from bi.model import Dashboard
from minidata.contract.codes import FILE_CODES, ROW_CODES, Description
from minidata.dataset import Dataset, read_datasets
from minidata.settings import PROJECT
from minidata.warehouse.tables import Table, tables_of
from minidata.warehouse.views import View, read_views

_UNLIMITED = 2**62
_NOTE = "`./mdp dev docs` writes this page.\n"
_CODES = f"""# Reason codes

What can be wrong with a file or a row, and the fix. {_NOTE}
`./mdp quarantine show KEY` prints the codes of one file with line, column and value; [contract.md](contract.md) has the
rules.
"""
_DECLARATION = f"""# Keys of a declaration

Every key of `datasets/NAME/dataset.yaml`. {_NOTE}
[datasets.md](datasets.md) explains them with an example. An unknown key is an error; `./mdp dataset check NAME` names
its line.
"""
_DASHBOARD = f"""# Keys of a dashboard

Every key of a dashboard's file, and of `views.yaml`, which describes the views that it queries. {_NOTE}
[dashboards.md](dashboards.md) explains them with an example. An unknown key is an error; `./mdp dashboards check` names
its line.
"""
_TABLES = f"""# Tables and views

Everything in the schema `mart`, which the role `mdp_bi` reads: `./mdp sql`, other programs and the dashboards. {_NOTE}
Every timestamp is a `timestamptz`. Key columns are marked with *.
"""


def reference() -> dict[str, str]:
    """Return the text of each page of the reference by its name."""
    return {
        "reason-codes.md": "\n".join([_CODES, *_codes("Files", FILE_CODES), *_codes("Rows", ROW_CODES)]),
        "declaration.md": "\n".join([_DECLARATION, *_models(Dataset)]),
        "dashboard-definition.md": "\n".join([_DASHBOARD, *_models(Dashboard)]),
        "tables.md": "\n".join([_TABLES, *_tables(), *_views()]),
    }


def _table(header: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _codes(title: str, codes: Sequence[Description]) -> list[str]:
    return [f"## {title}\n", _table(("code", "what is wrong", "fix"), ((f"`{c.code}`", c.says, c.fix) for c in codes))]


def _models(model: type[BaseModel]) -> Iterator[str]:
    """Yield a section for a model and for each model in it: its keys with type, default and meaning."""
    for each in _with_nested(model, {}):
        text, meanings = _described(each)
        schema = each.model_json_schema()
        rows = (
            (f"`{name}`", _type(value), _default(name, schema), meanings.get(name, value.get("description", "")))
            for name, value in schema["properties"].items()
            if name not in {"folder", "views", "file"}  # of the code, not of the file
        )
        yield f"## {each.__name__}\n\n{text}\n\n{_table(('key', 'value', 'default', 'meaning'), rows)}"


def _with_nested(annotation: Any, found: dict[Any, None]) -> dict[Any, None]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in found:
        found[annotation] = None
        for field in annotation.model_fields.values():
            _with_nested(field.annotation, found)
    for inner in get_args(annotation):
        _with_nested(inner, found)
    return found


def _described(model: type[BaseModel]) -> tuple[str, dict[str, str]]:
    """Return what a model's docstring says of it, and of each key; it inherits the keys of its base."""
    meanings: dict[str, str] = {}
    for base in reversed(model.__mro__):
        _, _, attributes = cleandoc(base.__doc__ or "").partition("Attributes:\n")
        if issubclass(base, BaseModel):
            entries = re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", attributes, re.MULTILINE)
            meanings |= {name: " ".join((text[0].upper() + text[1:]).split()) for name, text in entries}
    return cleandoc(model.__doc__ or "").partition("\n\nAttributes:")[0], meanings


def _default(name: str, schema: dict[str, Any]) -> str:
    if name in schema.get("required", []):
        return "required"
    default = schema["properties"][name].get("default")
    return (
        "" if isinstance(default, dict) else ", ".join(map(_word, default if isinstance(default, list) else [default]))
    )


def _word(value: Any) -> str:
    """Return a value as YAML has it; nothing for null, and for a limit that is that of 64 bits."""
    if value is None or (isinstance(value, int) and abs(value) >= _UNLIMITED):
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text}`" if text.strip() else f"`'{text}'`"


def _type(value: dict[str, Any]) -> str:
    """Return in words what a part of a JSON schema takes."""
    choices = value.get("anyOf") or value.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(_type(choice) for choice in choices if choice.get("type") != "null"))
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "const" in value or "enum" in value:
        return ", ".join(map(_word, value.get("enum", [value.get("const")])))
    if value["type"] == "array":
        return f"list of {_type(value['items'])}"
    if value["type"] == "object":
        [inner] = value.get("patternProperties", {"": value.get("additionalProperties")}).values()
        return f"names, each with {_type(inner)}"
    least = value["exclusiveMinimum"] + 1 if "exclusiveMinimum" in value else value.get("minimum")
    bounds = ((word, _word(limit)) for word, limit in (("from", least), ("to", value.get("maximum"))))
    return " ".join([value["type"], *(f"{word} {limit.strip('`')}" for word, limit in bounds if limit)])


def _tables() -> Iterator[str]:
    for dataset in read_datasets(PROJECT / "datasets").values():
        for table in tables_of(dataset):
            yield f"## {table.name}\n\n{table.description}. Table of `{dataset.name}`.\n\n{_columns(table)}"


def _columns(table: Table) -> str:
    keys = set(table.keys)
    return _table(
        ("column", "type", "can be null", "meaning"),
        (
            (
                f"`{name}`{' *' if name in keys else ''}",
                kind.split(" ")[0],
                "" if kind.endswith("not null") else "yes",
                table.meanings.get(name, ""),
            )
            for name, kind in table.columns.items()
            if name in table.shown
        ),
    )


def _views() -> Iterator[str]:
    for name, view in read_views().items():
        yield f"## {name}\n\n{view.means}. View in `{view.origin}`.{_period(view)}\n\n" + _table(
            ("column", "type", "meaning"), ((f"`{c}`", column.type, column.means) for c, column in view.columns.items())
        )


def _period(view: View) -> str:
    return f" A dashboard's period filters `{view.time}`." if view.time else ""
