"""The merge of rollups into their tables, in the caller's transaction.

Every statement writes in the order of the key, so that two transactions never wait for each other in a circle,
and writes only rows that change, so that loading a thing twice writes nothing.
"""

from collections.abc import Iterable

from psycopg import sql

from minidata.dataset import Maximum
from minidata.rollup.gains import recompute_successors, rows_with_gains
from minidata.rollup.stage import RollupLoad, names_of
from minidata.warehouse.connection import Connection


def merge_rollups(connection: Connection, loads: Iterable[RollupLoad]) -> dict[str, int]:
    """Merge the staged rollups into their tables, gains included; returns rows written by table.

    The caller holds the dataset's lock: nobody else changes these tables before the commit, so each row can be
    computed whole before it is written, and is written once.
    """
    written = {}
    for load in loads:
        connection.execute(sql.SQL("analyze {}").format(load.stage))
        written[load.name] = _merge(connection, load)
        if load.rollup.gains:
            recompute_successors(connection, load)
    return written


def _merge(connection: Connection, load: RollupLoad) -> int:
    rollup = load.rollup
    connection.execute(
        sql.SQL("create temporary table {} on commit drop as select {} from {} with no data").format(
            load.touched, names_of(rollup.keys), load.table
        )
    )
    values = [c for c in rollup.table_columns if c not in rollup.keys]
    statement = sql.SQL(
        "with merged as ({merged}), whole as ({whole}), "
        "written as (insert into {table} as t ({columns}) select {columns} from whole order by {keys} "
        "on conflict ({keys}) do update set ({values}) = row({excluded}) "
        "where row({current}) is distinct from row({excluded}) returning {returned}) "
        "insert into {touched} select * from written"
    ).format(
        merged=_merged_rows(load),
        whole=rows_with_gains(load) if rollup.gains else sql.SQL("select * from merged"),
        table=load.table,
        columns=names_of(rollup.table_columns),
        keys=names_of(rollup.keys),
        values=names_of(values),
        excluded=names_of(values, "excluded"),
        current=names_of(values, "t"),
        returned=names_of(rollup.keys, "t"),
        touched=load.touched,
    )
    return connection.execute(statement).rowcount


def _merged_rows(load: RollupLoad) -> sql.Composed:
    """Select the staged rows, each merged with the row that the table has under its key."""
    rollup = load.rollup
    order = [rollup.latest.into, *rollup.latest.columns]
    newer = sql.SQL("t.{into} is null or ({staged}) > ({current})").format(
        into=sql.Identifier(rollup.latest.into), staged=names_of(order, "s"), current=names_of(order, "t")
    )
    latest = [
        sql.SQL("case when {newer} then s.{c} else t.{c} end as {c}").format(c=sql.Identifier(c), newer=newer)
        for c in order
    ]
    measures = [
        sql.SQL("{f}(s.{c}, t.{c}) as {c}").format(
            f=sql.SQL("greatest" if isinstance(measure, Maximum) else "least"), c=sql.Identifier(name)
        )
        for name, measure in rollup.measures.items()
    ]
    return sql.SQL("select {keys}, {values} from ({rows}) s left join {table} t using ({keys})").format(
        keys=names_of(rollup.keys),
        values=sql.SQL(", ").join([*latest, *measures]),
        rows=_staged_rows(load),
        table=load.table,
    )


def _staged_rows(load: RollupLoad) -> sql.Composed:
    """Select the staged rows in the order of the key, each key once."""
    rollup = load.rollup
    if load.partials <= 1:
        return sql.SQL("select {} from {} order by {}").format(
            names_of(rollup.merged_columns), load.stage, names_of(rollup.keys)
        )
    measures = [
        sql.SQL("{f}({c}) over same as {c}").format(
            f=sql.SQL("max" if isinstance(measure, Maximum) else "min"), c=sql.Identifier(name)
        )
        for name, measure in rollup.measures.items()
    ]
    order = [rollup.latest.into, *rollup.latest.columns]
    selected = [*map(sql.Identifier, rollup.keys), *map(sql.Identifier, rollup.latest.columns), *measures]
    return sql.SQL(
        "select distinct on ({keys}) {selected}, {into} from {stage} "
        "window same as (partition by {keys}) order by {keys}, {order}"
    ).format(
        keys=names_of(rollup.keys),
        selected=sql.SQL(", ").join(selected),
        into=sql.Identifier(rollup.latest.into),
        stage=load.stage,
        order=sql.SQL(", ").join(sql.SQL("{} desc").format(sql.Identifier(c)) for c in order),
    )
