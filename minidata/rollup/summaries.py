"""Summaries: tables that one select over rollups makes, anew for the keys of each load."""

from collections.abc import Iterable

from psycopg import sql

from minidata.dataset import Dataset
from minidata.rollup.stage import RollupLoad, names_of
from minidata.warehouse.connection import Connection


def merge_summaries(connection: Connection, dataset: Dataset, loads: Iterable[RollupLoad]) -> dict[str, int]:
    """Make the summaries anew for the keys of the load; returns rows written by table."""
    by_name = {load.name: load for load in loads}
    written = {}
    connection.execute(sql.SQL("set local search_path = {}").format(sql.Identifier(dataset.name)))
    for name, summary in dataset.summaries.items():
        select = (dataset.folder / summary.sql).read_text(encoding="utf-8")
        columns = list(summary.columns)
        values = [c for c in columns if c not in summary.keys]
        statement = sql.SQL(
            "insert into {table} as t ({columns}) select {columns} from ({select}) s "
            "where ({keys}) in (select {keys} from {stage}) order by {keys} "
            "on conflict ({keys}) do update set ({values}) = row({excluded}) "
            "where row({current}) is distinct from row({excluded})"
        ).format(
            table=sql.Identifier(dataset.name, name),
            columns=names_of(columns),
            select=sql.SQL(select),  # the project's own file
            keys=names_of(summary.keys),
            stage=by_name[summary.source].stage,
            values=names_of(values),
            excluded=names_of(values, "excluded"),
            current=names_of(values, "t"),
        )
        written[name] = connection.execute(statement).rowcount
    return written
