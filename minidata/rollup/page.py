"""All SQL of a dataset as one page to read: `./mdp dev docs` writes it, a test compares it."""

import re
from collections.abc import Iterator

from minidata.dataset import Dataset
from minidata.rollup.load import summary_of
from minidata.rollup.statements import RollupStatements
from minidata.warehouse.tables import tables_of


def sql_page(dataset: Dataset) -> str:
    """Return the SQL that creates and loads the tables of a dataset; quotes around names are left out."""
    origin = f"{dataset.name}/{dataset.file.name}"
    page = [f"-- The SQL made from {origin}, without the quotes around names. Written by `./mdp dev docs`.\n"]
    page += [f"\n\n{part}\n" if part.startswith("--") else f"\n{part};\n" for part in _parts(dataset)]
    return "".join(page)


def _parts(dataset: Dataset) -> Iterator[str]:
    for table in tables_of(dataset):
        yield f"-- {table.name}: the table, and the view that people read it through"
        for statement in (*table.statements(), *table.view()):
            yield _plain(statement.as_string(None))
    for name, rollup in dataset.rollups.items():
        statements = RollupStatements(dataset.name, name, rollup)
        yield f"-- {name}: a load stages partial rollups, merges them and recomputes the gains that follow"
        steps = [statements.create_stage(), statements.copy(), statements.create_touched(), statements.merge(2)]
        for step in (*steps, *([statements.update_successors()] if rollup.gains else [])):
            yield _plain(step.as_string(None))
    for name in dataset.summaries:
        yield f"-- {name}: the summary, for the keys that the load staged"
        yield _plain(summary_of(dataset, name).as_string(None))


def _plain(statement: str) -> str:
    return re.sub(r'"([a-z_0-9]+)"', r"\1", statement)
