"""Writes the folder of a dataset: a commented declaration and a starter dashboard."""

from collections.abc import Sequence
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from minidata.contract.cells import rule_of
from minidata.contract.records import for_typed_cells
from minidata.dataset import DateColumn, TimestampColumn
from minidata.warehouse.catalogue import title_of
from operate.declare.guess import Guess
from operate.declare.sample import Sample

_SERIES = 30  # more different words make no readable chart


class _NoAliases(yaml.SafeDumper):
    """Writes a value again where it comes again."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  the name is PyYAML's
        return True


def files_of(name: str, prefix: str, guess: Guess, samples: Sequence[Sample], origin: str) -> dict[str, str]:
    """Return the files of a dataset's folder: their text by path.

    Args:
        name: of the dataset; its table has it too.
        prefix: of its files in the bucket raw.
        guess: the columns and the table.
        samples: from which was guessed.
        origin: the samples, for the comment at the top.
    """
    rows = chain.from_iterable(sample.rows for sample in samples)
    cells = {column.name: set(values) for column, values in zip(guess.columns, zip(*rows, strict=True), strict=True)}
    return {
        "dataset.yaml": _declaration(name, prefix, guess, samples[0].format, origin),
        f"dashboards/{name}.yaml": _dashboard(name, guess, cells),
    }


def contract_files(name: str, declaration: dict[str, Any], guess: Guess, origin: str, *, shown: bool) -> dict[str, str]:
    """Return the files of a dataset's folder from a contract; with a starter dashboard if a table has its name."""
    lines = [f"# Made by `./mdp dataset new --from {origin}`.", *(f"# {remark}" for remark in guess.remarks)]
    text = yaml.dump(declaration, Dumper=_NoAliases, sort_keys=False, allow_unicode=True, width=120)
    files = {"dataset.yaml": "\n".join([*lines, text])}
    return files | ({f"dashboards/{name}.yaml": _dashboard(name, guess, {})} if shown else {})


def flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    return (
        yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
        .strip()
        .removesuffix("\n...")
    )


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
    names = {column.name: flow(column.name) for column in guess.columns}  # `no` is a truth value without quotes
    width = max(map(len, names.values()))
    for column in guess.columns:
        lines.append(f"  {names[column.name] + ':':{width + 1}} {flow(column.rule)} # {column.sure}")
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


def _dashboard(name: str, guess: Guess, cells: dict[str, set[str]]) -> str:
    title = title_of(name)
    rows: dict[str, Any] = {"name": "Rows", "how": "count", "shown": "short"}
    numbers = [
        c
        for c in guess.columns
        if c.rule["type"] in ("integer", "decimal") and c.name not in guess.keys and not c.name.endswith("id")
    ]
    groups = [
        c for c in guess.columns if c.rule["type"] in ("text", "boolean") and 1 < len(cells.get(c.name, ())) <= _SERIES
    ]
    sums = [{"name": title_of(c.name), "how": "sum", "of": c.name, "shown": "short"} for c in numbers]
    measures = [rows, *[m for m in sums if m["name"] != "Rows"]]
    tiles = [
        {"name": f"number_{place}", "title": m["name"], "means": f"{m['name']} in all.", "view": name,
         "chart": "number", "measures": [m], "width": 12 // min(3, len(measures))}
        for place, m in enumerate(measures[:3], 1)
    ]  # fmt: skip
    charts: list[dict[str, Any]] = []
    main = measures[min(1, len(measures) - 1)]
    if guess.time:
        step = _step(guess, guess.time, cells.get(guess.time, set()))
        charts.append({
            "name": "over_time", "title": f"{main['name']} over time", "means": f"{main['name']} in steps of {step}.",
            "view": name, "chart": "bar", "dimensions": [{"column": guess.time, "every": step}], "measures": [main],
            "width": 12 if not groups else 7,
        })  # fmt: skip
    if groups:
        label = title_of(groups[0].name)
        charts.append({
            "name": "by_group", "title": f"{main['name']} by {label}", "means": f"The greatest ten of {label}.",
            "view": name, "chart": "row", "dimensions": [groups[0].name], "measures": [main], "limit": 10,
            "width": 5 if guess.time else 12,
        })  # fmt: skip
    shown = [c.name for c in guess.columns][:8]
    table = {
        "name": "rows", "title": "Rows", "means": "The first hundred rows.", "view": name, "chart": "table",
        "dimensions": shown, "limit": 100, "width": 12,
    }  # fmt: skip
    body: dict[str, Any] = {"name": name, "title": title, "question": f"What is in {title}?", "refresh_seconds": 60}
    if guess.time:
        body["filters"] = {"period": {"kind": "period", "label": "Period"}}
    parts = [
        {"height": 3, "tiles": tiles},
        *([{"height": 8, "tiles": charts}] if charts else []),
        {"height": 9, "tiles": [table]},
    ]
    text = yaml.dump(body | {"rows": parts}, Dumper=_NoAliases, sort_keys=False, allow_unicode=True, width=120)
    return f"# A starter: replace these tiles by your own questions (docs/dashboards.md).\n{text}"


def _step(guess: Guess, time: str, cells: set[str]) -> str:
    """Return the step of a time axis on which the sample has some 20 to 100 bars."""
    if not cells:
        return "1 day"
    [rule] = [column.rule for column in guess.columns if column.name == time]
    model = (DateColumn if rule["type"] == "date" else TimestampColumn).model_validate(rule)
    exact = rule_of(for_typed_cells({time: model})[time])
    times = sorted(value for value in map(exact.read, cells) if isinstance(value, date))
    days = (times[-1] - times[0]).days
    steps = {1: "1 hour", 90: "1 day", 700: "1 week"} if rule["type"] == "timestamp" else {90: "1 day", 700: "1 week"}
    return next((step for most, step in steps.items() if days <= most), "1 month")


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Write the files of a dataset's folder, in place of those that are there; none stays if one cannot be written."""
    import shutil  # noqa: PLC0415

    building = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(building, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        for path, text in files.items():
            place = building / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
