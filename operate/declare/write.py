"""Writes the folder of a dataset: a commented declaration, a reading view and a starter dashboard."""

from pathlib import Path
from typing import Any

import yaml

from operate.declare.guess import Column, Guess

_VIEW_TYPES = {
    "text": "text", "integer": "bigint", "decimal": "numeric", "boolean": "boolean", "date": "timestamptz",
    "timestamp": "timestamptz",
}  # fmt: skip
_SERIES = 30  # more different words make no readable chart


class _NoAliases(yaml.SafeDumper):
    """Writes a value again where it comes again."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  the name is PyYAML's
        return True


def files_of(name: str, prefix: str, guess: Guess, format_: str, origin: str, words: dict[str, int]) -> dict[str, str]:
    """Return the files of a dataset's folder: their text by path.

    Args:
        name: of the dataset; its table and view have it too.
        prefix: of its files in the bucket raw.
        guess: the columns and the table.
        format_: one of the declaration's `formats`.
        origin: the samples, for the comment at the top.
        words: the number of different values of each column in the sample.
    """
    return {
        "dataset.yaml": _declaration(name, prefix, guess, format_, origin),
        "views/views.yaml": _view(name, guess),
        f"views/{name}_view.sql": _select(name, guess),
        f"dashboards/{name}.yaml": _dashboard(name, guess, words),
    }


def flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    return (
        yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
        .strip()
        .removesuffix("\n...")
    )


def title_of(name: str) -> str:
    """Return a name as people write it."""
    return name.replace("_", " ").capitalize()


def _declaration(name: str, prefix: str, guess: Guess, format_: str, origin: str) -> str:
    lines = [
        f"# Guessed by `./mdp dataset new` from {origin}. Change what is wrong, then run `./mdp dataset check {name}`."
    ]
    lines += [f"# {remark}" for remark in guess.remarks]
    lines += [f"name: {name}", f"title: {title_of(name)}", f"prefix: {flow(prefix)}"]
    if format_ != "csv":
        lines.append(f"formats: {flow([format_])}")
    if guess.dialect:
        lines.append(f"dialect: {flow(guess.dialect)}")
    lines += ["", "columns:"]
    width = max(len(column.name) for column in guess.columns)
    for column in guess.columns:
        lines.append(f"  {column.name}:{' ' * (width - len(column.name))} {flow(column.rule)} # {column.sure}")
    lines += ["", *_table(name, guess), ""]
    return "\n".join(lines)


def _table(name: str, guess: Guess) -> list[str]:
    if not guess.keys:
        return [
            "# No column tells the rows apart: each different row is kept once. If one does, declare `newest` instead:",
            f"# newest: {{{name}: {{description: One row per id, keys: [id]}}}}",
            "every:",
            f"  {name}: {{description: Every row once}}",
        ]
    what = f"The newest row per {' and '.join(guess.keys)}"
    newest: dict[str, Any] = {"description": what, "keys": guess.keys}
    if guess.by:
        newest["by"] = guess.by
    newer = f"the greatest {guess.by}" if guess.by else "the file that arrived last"
    return [
        f"# {', '.join(guess.keys)} told all rows of the sample apart. If a key comes again, {newer} wins.",
        "newest:",
        f"  {name}: {flow(newest)}",
    ]


def _label(column: Column, taken: set[str]) -> str:
    text = title_of(column.name)
    while text.casefold() in taken:
        text += " 2"
    taken.add(text.casefold())
    return text


def _view(name: str, guess: Guess) -> str:
    taken: set[str] = set()
    lines = [f"{name}_view:", f"  means: A row of {name}"]
    if guess.time:
        lines.append(f"  time: {guess.time}")
    lines.append("  columns:")
    for column in guess.columns:
        label = _label(column, taken)
        declared = {"type": _VIEW_TYPES[column.rule["type"]], "label": label, "means": f"{label}, as in the file"}
        lines.append(f"    {column.name}: {flow(declared)}")
    return "\n".join([*lines, ""])


def _select(name: str, guess: Guess) -> str:
    columns = [
        f"{c.name}::timestamp at time zone 'UTC' as {c.name}" if c.rule["type"] == "date" else c.name
        for c in guess.columns
    ]
    return f"select {', '.join(columns)}\nfrom {name}.{name}\n"


def _dashboard(name: str, guess: Guess, words: dict[str, int]) -> str:
    view = f"{name}_view"
    title = title_of(name)
    rows: dict[str, Any] = {"name": "Rows", "how": "count", "shown": "short"}
    numbers = [
        c
        for c in guess.columns
        if c.rule["type"] in ("integer", "decimal") and c.name not in guess.keys and not c.name.endswith("id")
    ]
    groups = [c for c in guess.columns if c.rule["type"] in ("text", "boolean") and 1 < words[c.name] <= _SERIES]
    sums = [{"name": title_of(c.name)[:60], "how": "sum", "of": c.name, "shown": "short"} for c in numbers]
    measures = [rows, *[m for m in sums if m["name"] != "Rows"]]
    tiles = [
        {"name": f"number_{place}", "title": m["name"], "means": f"{m['name']} in all.", "view": view,
         "chart": "number", "measures": [m], "width": 12 // min(3, len(measures))}
        for place, m in enumerate(measures[:3], 1)
    ]  # fmt: skip
    charts: list[dict[str, Any]] = []
    main = measures[min(1, len(measures) - 1)]
    if guess.time:
        charts.append({
            "name": "over_time", "title": f"{main['name']} over time", "means": f"{main['name']} in steps of an hour.",
            "view": view, "chart": "bar", "dimensions": [{"column": guess.time, "every": "1 hour"}],
            "measures": [main], "width": 12 if not groups else 7,
        })  # fmt: skip
    if groups:
        label = title_of(groups[0].name)
        charts.append({
            "name": "by_group", "title": f"{main['name']} by {label}", "means": f"The greatest ten of {label}.",
            "view": view, "chart": "row", "dimensions": [groups[0].name], "measures": [main], "limit": 10,
            "width": 5 if guess.time else 12,
        })  # fmt: skip
    shown = [c.name for c in guess.columns][:8]
    table = {
        "name": "rows", "title": "Rows", "means": "The first hundred rows.", "view": view, "chart": "table",
        "dimensions": shown, "limit": 100, "width": 12,
    }  # fmt: skip
    body: dict[str, Any] = {"name": name, "title": title, "question": f"What is in {title}?", "refresh_seconds": 60}
    if guess.time:
        body["filters"] = {"period": {"kind": "period", "label": "Period", "last_hours": 24 * 366}}
    parts = [
        {"height": 3, "tiles": tiles},
        *([{"height": 8, "tiles": charts}] if charts else []),
        {"height": 9, "tiles": [table]},
    ]
    text = yaml.dump(body | {"rows": parts}, Dumper=_NoAliases, sort_keys=False, allow_unicode=True, width=120)
    return f"# A starter: replace these tiles by your own questions (docs/dashboards.md).\n{text}"


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Write the files of a new dataset's folder; nothing stays if one cannot be written."""
    import shutil  # noqa: PLC0415

    building = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(building, ignore_errors=True)
    try:
        for path, text in files.items():
            place = building / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
