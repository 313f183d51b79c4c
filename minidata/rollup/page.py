"""All SQL of a dataset as one page to read: `./mdp dev docs` writes it, a test compares it."""

import re
from collections.abc import Iterator

from minidata.dataset import Dataset
from minidata.rollup.every import statements_of
from minidata.rollup.gains import GainStatements
from minidata.rollup.statements import RollupStatements
from minidata.rollup.summary import SummaryStatements
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
    for name in dataset.merged:
        statements = statements_of(dataset, name)
        yield f"-- {name}: a load stages partials and merges them, then recomputes the gains that follow"
        yield _plain(statements.create_stage().as_string(None))
        yield _plain(statements.copy().as_string(None))
        gains = statements if isinstance(statements, GainStatements) else None
        if gains:
            yield _plain(gains.create_touched().as_string(None))
            yield _plain(gains.create_known().as_string(None))
        if isinstance(statements, RollupStatements):
            yield _plain(statements.merge_known().as_string(None))
        yield _plain(statements.insert_new().as_string(None))
        if gains:
            yield _plain(gains.touch_followed().as_string(None))
            yield _plain(gains.update_successors().as_string(None))
    for name in dataset.summaries:
        summary = SummaryStatements(dataset, name)
        yield f"-- {name}: the summary, for the keys that the load touched"
        for step in (summary.create_touched(), summary.touch_successors(), summary.run()):
            if step:
                yield _plain(step.as_string(None))


def _plain(statement: str) -> str:
    return re.sub(r'"([a-z_0-9]+)"', r"\1", statement)
