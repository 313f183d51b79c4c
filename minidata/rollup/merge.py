"""The merge of rollups into their tables, and of what is made from them, in the caller's transaction.

Every statement writes in the order of the key, so that two transactions never wait for each other in a circle,
and writes only rows that change, so that loading a thing twice writes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl
from psycopg import sql

from minidata.dataset import Dataset, Maximum, Rollup
from minidata.warehouse.connection import Connection

_COPY_ROWS = 50_000


@dataclass(frozen=True)
class RollupLoad:
    """One rollup of one load: its table, its partials in a temporary table, and the keys that it changed."""

    schema: str
    name: str
    rollup: Rollup
    partials: int

    @property
    def table(self) -> sql.Identifier:
        """The table of the dataset."""
        return sql.Identifier(self.schema, self.name)

    @property
    def stage(self) -> sql.Identifier:
        """The temporary table of partials."""
        return sql.Identifier(f"stage_{self.name}")

    @property
    def touched(self) -> sql.Identifier:
        """The temporary table of keys that the merge wrote."""
        return sql.Identifier(f"touched_{self.name}")


def _names(columns: Iterable[str], prefix: str = "") -> sql.Composed:
    parts = [sql.Identifier(prefix, c) if prefix else sql.Identifier(c) for c in columns]
    return sql.SQL(", ").join(parts)


def stage_rollup(connection: Connection, dataset: Dataset, name: str, partials: Iterable[pl.DataFrame]) -> RollupLoad:
    """COPY the partials of a rollup into a temporary table that goes with the transaction.

    Args:
        connection: in the transaction that will merge.
        dataset: the declaration.
        name: of the rollup.
        partials: frames with `rollup.merged_columns`; timestamps naive, in UTC.
    """
    rollup = dataset.rollups[name]
    count = 0
    load = RollupLoad(dataset.name, name, rollup, 0)
    columns = rollup.merged_columns
    connection.execute(
        sql.SQL("create temporary table {} on commit drop as select {} from {} with no data").format(
            load.stage, _names(columns), load.table
        )
    )
    copy = sql.SQL("copy {} ({}) from stdin (format csv)").format(load.stage, _names(columns))
    with connection.cursor() as cursor, cursor.copy(copy) as stream:
        for frame in partials:
            count += 1
            for part in frame.iter_slices(_COPY_ROWS):
                text = part.write_csv(
                    include_header=False,
                    datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ",
                    quote_style="non_numeric",  # an empty text is not null, whatever it looks like
                )
                stream.write(text.encode())
    return RollupLoad(dataset.name, name, rollup, count)


def merge_rollups(connection: Connection, loads: Iterable[RollupLoad]) -> dict[str, int]:
    """Merge the staged rollups into their tables and recompute the gains; returns rows written by table."""
    written = {}
    for load in loads:
        written[load.name] = _merge(connection, load)
        if load.rollup.gains:
            _recompute_gains(connection, load)
    return written


def _merge(connection: Connection, load: RollupLoad) -> int:
    rollup = load.rollup
    connection.execute(
        sql.SQL("create temporary table {} on commit drop as select {} from {} with no data").format(
            load.touched, _names(rollup.keys), load.table
        )
    )
    order = [rollup.latest.into, *rollup.latest.columns]
    newer = sql.SQL("({}) > ({})").format(_names(order, "excluded"), _names(order, "t"))
    latest = [
        sql.SQL("{c} = case when {newer} then excluded.{c} else t.{c} end").format(c=sql.Identifier(c), newer=newer)
        for c in order
    ]
    measures = []
    changes = [newer]
    for name, measure in rollup.measures.items():
        greatest = isinstance(measure, Maximum)
        parts = {
            "c": sql.Identifier(name),
            "f": sql.SQL("greatest" if greatest else "least"),
            "o": sql.SQL(">" if greatest else "<"),
        }
        measures.append(sql.SQL("{c} = {f}(t.{c}, excluded.{c})").format(**parts))
        changes.append(sql.SQL("excluded.{c} {o} t.{c}").format(**parts))
    statement = sql.SQL(
        "with written as (insert into {table} as t ({columns}) {rows} "
        "on conflict ({keys}) do update set {sets} where {changed} returning {returned}) "
        "insert into {touched} select * from written"
    ).format(
        table=load.table,
        columns=_names(rollup.merged_columns),
        rows=_staged_rows(load),
        keys=_names(rollup.keys),
        sets=sql.SQL(", ").join([*latest, *measures]),
        changed=sql.SQL(" or ").join(changes),
        returned=_names(rollup.keys, "t"),
        touched=load.touched,
    )
    return connection.execute(statement).rowcount


def _staged_rows(load: RollupLoad) -> sql.Composed:
    """Select the staged rows in the order of the key, each key once."""
    rollup = load.rollup
    if load.partials <= 1:
        return sql.SQL("select {} from {} order by {}").format(
            _names(rollup.merged_columns), load.stage, _names(rollup.keys)
        )
    measures = [
        sql.SQL("{f}({c}) over same").format(
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
        keys=_names(rollup.keys),
        selected=sql.SQL(", ").join(selected),
        into=sql.Identifier(rollup.latest.into),
        stage=load.stage,
        order=sql.SQL(", ").join(sql.SQL("{} desc").format(sql.Identifier(c)) for c in order),
    )


def _recompute_gains(connection: Connection, load: RollupLoad) -> None:
    """Set the gains of the touched windows and of the window after each: only these can have changed."""
    rollup = load.rollup
    window = sql.Identifier(str(rollup.window_key))
    others = [k for k in rollup.keys if k != rollup.window_key]
    same = sql.SQL(" and ").join(sql.SQL("n.{c} = t.{c}").format(c=sql.Identifier(c)) for c in others)
    of = sorted({gain.of for gain in rollup.gains.values()})
    values = sql.SQL(", ").join(_gain(name, gain.of, gain.at_least) for name, gain in rollup.gains.items())
    neighbour = sql.SQL("select {columns} from {table} n where {same} and n.{window} {side} t.{window} "
                        "order by n.{window} {direction} limit 1")  # fmt: skip
    after = neighbour.format(
        columns=_names(rollup.keys, "n"), table=load.table, same=same, window=window,
        side=sql.SQL(">"), direction=sql.SQL("asc"),
    )  # fmt: skip
    before = neighbour.format(
        columns=_names(of, "n"), table=load.table, same=same, window=window,
        side=sql.SQL("<"), direction=sql.SQL("desc"),
    )  # fmt: skip
    connection.execute(
        sql.SQL(
            "with affected as (select {keys} from {touched} union "
            "select a.* from {touched} t cross join lateral ({after}) a), "
            "fresh as (select {tkeys}, {values} from affected join {table} t using ({keys}) "
            "left join lateral ({before}) p on true order by {tkeys}) "
            "update {table} t set ({gains}) = ({fgains}) from fresh f "
            "where {match} and ({tgains}) is distinct from ({fgains})"
        ).format(
            keys=_names(rollup.keys),
            tkeys=_names(rollup.keys, "t"),
            touched=load.touched,
            after=after,
            before=before,
            values=values,
            table=load.table,
            gains=_names(rollup.gains),
            tgains=sql.SQL("row({})").format(_names(rollup.gains, "t")),
            fgains=sql.SQL("row({})").format(_names(rollup.gains, "f")),
            match=sql.SQL(" and ").join(sql.SQL("t.{c} = f.{c}").format(c=sql.Identifier(c)) for c in rollup.keys),
        )
    )


def _gain(name: str, of: str, at_least: int | None) -> sql.Composed:
    difference = sql.SQL("t.{c} - p.{c}").format(c=sql.Identifier(of))
    if at_least is None:
        return sql.SQL("{} as {}").format(difference, sql.Identifier(name))
    # greatest() skips nulls, but the first window has no gain at all
    return sql.SQL("case when p.{c} is not null then greatest({d}, {l}) end as {n}").format(
        c=sql.Identifier(of), d=difference, l=sql.Literal(at_least), n=sql.Identifier(name)
    )


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
            columns=_names(columns),
            select=sql.SQL(select),  # the project's own file
            keys=_names(summary.keys),
            stage=by_name[summary.source].stage,
            values=_names(values),
            excluded=_names(values, "excluded"),
            current=_names(values, "t"),
        )
        written[name] = connection.execute(statement).rowcount
    return written
