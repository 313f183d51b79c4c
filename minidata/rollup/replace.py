"""Replaces the rows of some keys by what other files give them: greatest and latest values cannot be taken back."""

from collections.abc import Mapping

import polars as pl
from psycopg import sql

from minidata.dataset import HASH, Dataset
from minidata.rollup.every import Statements
from minidata.rollup.gains import GainStatements
from minidata.rollup.load import fill_stage, merge_table, run_summary, stage
from minidata.rollup.statements import RollupStatements, names_of
from minidata.rollup.summary import SummaryStatements
from minidata.warehouse.connection import Connection

_HASHES = "select sha256(convert_to(jsonb_strip_nulls(to_jsonb(s))::text, 'UTF8')) as {} from {} s"


def replace_rows(
    connection: Connection, dataset: Dataset, affected: Mapping[str, pl.DataFrame], partials: Mapping[str, pl.DataFrame]
) -> dict[str, int]:
    """Replace the rows of some keys in all tables of a dataset, gains and summaries included.

    The caller's transaction holds the dataset's lock.

    Args:
        connection: to the warehouse.
        dataset: the declaration.
        affected: for each table that rows are merged into, partials whose keys are replaced.
        partials: for each of them, what the rows of these keys are from now on; a key without one loses its row.

    Returns:
        The number of rows written, by table.
    """
    connection.execute("set local timezone = 'UTC'")
    loads = {name: stage(connection, dataset, name, [affected[name]]) for name in dataset.merged}
    summaries = [SummaryStatements(dataset, name) for name in dataset.summaries]
    for load in loads.values():
        connection.execute(load.statements.analyze())
    for summary in summaries:
        connection.execute(summary.create_touched())
    written = {}
    for name, load in loads.items():
        statements = load.statements
        connection.execute(_keep_keys(statements))
        connection.execute(_delete(statements))
        connection.execute(sql.SQL("truncate {}").format(statements.stage))
        written[name] = merge_table(connection, fill_stage(connection, statements, [partials[name]]))
        if isinstance(statements, GainStatements):
            keys = names_of(statements.rollup.keys)
            touch = sql.SQL("insert into {} ({keys}) select {keys} from {}")
            connection.execute(touch.format(statements.touched, _gone(statements), keys=keys))
            connection.execute(statements.update_successors())
    for summary in summaries:
        connection.execute(summary.touch_staged())
        if successors := summary.touch_successors():
            connection.execute(successors)
        written[summary.name] = run_summary(connection, summary)
    return written


def _gone(statements: Statements) -> sql.Identifier:
    return sql.Identifier(f"gone_{statements.name}")


def _key(statements: Statements) -> sql.Composed:
    return names_of(statements.rollup.keys if isinstance(statements, RollupStatements) else [HASH])


def _keep_keys(statements: Statements) -> sql.Composed:
    """Create the temporary table of the keys that are staged."""
    if isinstance(statements, RollupStatements):
        select = sql.SQL("select distinct {} from {}").format(_key(statements), statements.stage)
    else:
        select = sql.SQL(_HASHES).format(_key(statements), statements.stage)
    return sql.SQL("create temporary table {} on commit drop as {}").format(_gone(statements), select)


def _delete(statements: Statements) -> sql.Composed:
    template = "delete from {} where ({key}) in (select {key} from {})"
    return sql.SQL(template).format(statements.table, _gone(statements), key=_key(statements))
