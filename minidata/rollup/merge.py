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
    """Merge the staged rollups into their tables, gains included; returns rows written by table.

    The caller holds the dataset's lock: nobody else changes these tables before the commit, so each row can be
    computed whole before it is written, and is written once.
    """
    written = {}
    for load in loads:
        connection.execute(sql.SQL("analyze {}").format(load.stage))
        written[load.name] = _merge(connection, load)
        if load.rollup.gains:
            _recompute_successors(connection, load)
    return written


def _merge(connection: Connection, load: RollupLoad) -> int:
    rollup = load.rollup
    connection.execute(
        sql.SQL("create temporary table {} on commit drop as select {} from {} with no data").format(
            load.touched, _names(rollup.keys), load.table
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
        whole=_rows_with_gains(load) if rollup.gains else sql.SQL("select * from merged"),
        table=load.table,
        columns=_names(rollup.table_columns),
        keys=_names(rollup.keys),
        values=_names(values),
        excluded=_names(values, "excluded"),
        current=_names(values, "t"),
        returned=_names(rollup.keys, "t"),
        touched=load.touched,
    )
    return connection.execute(statement).rowcount


def _merged_rows(load: RollupLoad) -> sql.Composed:
    """Select the staged rows, each merged with the row that the table has under its key."""
    rollup = load.rollup
    order = [rollup.latest.into, *rollup.latest.columns]
    newer = sql.SQL("t.{into} is null or ({staged}) > ({current})").format(
        into=sql.Identifier(rollup.latest.into), staged=_names(order, "s"), current=_names(order, "t")
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
        keys=_names(rollup.keys),
        values=sql.SQL(", ").join([*latest, *measures]),
        rows=_staged_rows(load),
        table=load.table,
    )


def _staged_rows(load: RollupLoad) -> sql.Composed:
    """Select the staged rows in the order of the key, each key once."""
    rollup = load.rollup
    if load.partials <= 1:
        return sql.SQL("select {} from {} order by {}").format(
            _names(rollup.merged_columns), load.stage, _names(rollup.keys)
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
        keys=_names(rollup.keys),
        selected=sql.SQL(", ").join(selected),
        into=sql.Identifier(rollup.latest.into),
        stage=load.stage,
        order=sql.SQL(", ").join(sql.SQL("{} desc").format(sql.Identifier(c)) for c in order),
    )


def _rows_with_gains(load: RollupLoad) -> sql.Composed:
    """Select the merged rows with their gains against the window before: a merged one, or one of the table."""
    rollup = load.rollup
    window = sql.Identifier(str(rollup.window_key))
    others = [k for k in rollup.keys if k != rollup.window_key]
    of = sorted({gain.of for gain in rollup.gains.values()})
    lagged = sql.SQL(", ").join(
        sql.SQL("lag({c}) over before as {n}").format(c=sql.Identifier(c), n=sql.Identifier(f"lag_{c}"))
        for c in [str(rollup.window_key), *of]
    )
    before = sql.SQL(
        "case when p.{w} is null or t.{lag_w} >= p.{w} then t.{lag_c} else p.{c} end"
    )  # the merged one is the newer state of the same window
    gains = [
        _gain(
            name,
            gain.of,
            before.format(
                w=window,
                lag_w=sql.Identifier(f"lag_{rollup.window_key}"),
                lag_c=sql.Identifier(f"lag_{gain.of}"),
                c=sql.Identifier(gain.of),
            ),
            gain.at_least,
        )
        for name, gain in rollup.gains.items()
    ]
    return sql.SQL(
        "select {merged}, {gains} from (select *, {lagged} from merged "
        "window before as (partition by {others} order by {window})) t "
        "left join lateral ({neighbour}) p on true"
    ).format(
        merged=_names(rollup.merged_columns, "t"),
        gains=sql.SQL(", ").join(gains),
        lagged=lagged,
        others=_names(others),
        window=window,
        neighbour=_neighbour(load, [str(rollup.window_key), *of], "<"),
    )


def _recompute_successors(connection: Connection, load: RollupLoad) -> None:
    """Set the gains of the window after each touched one: no other gain can have changed."""
    rollup = load.rollup
    of = sorted({gain.of for gain in rollup.gains.values()})
    gains = [
        _gain(name, gain.of, sql.SQL("p.{}").format(sql.Identifier(gain.of)), gain.at_least)
        for name, gain in rollup.gains.items()
    ]
    connection.execute(
        sql.SQL(
            "with successors as (select distinct a.* from {touched} t cross join lateral ({after}) a "
            "where not exists (select 1 from {touched} o where ({okeys}) = ({akeys}))), "
            "fresh as (select {tkeys}, {values} from successors join {table} t using ({keys}) "
            "left join lateral ({before}) p on true order by {tkeys}) "
            "update {table} t set ({gains}) = row({fgains}) from fresh f "
            "where ({tkeys}) = ({fkeys}) and row({tgains}) is distinct from row({fgains})"
        ).format(
            keys=_names(rollup.keys),
            okeys=_names(rollup.keys, "o"),
            akeys=_names(rollup.keys, "a"),
            tkeys=_names(rollup.keys, "t"),
            fkeys=_names(rollup.keys, "f"),
            touched=load.touched,
            after=_neighbour(load, list(rollup.keys), ">"),
            before=_neighbour(load, of, "<"),
            values=sql.SQL(", ").join(gains),
            table=load.table,
            gains=_names(rollup.gains),
            tgains=_names(rollup.gains, "t"),
            fgains=_names(rollup.gains, "f"),
        )
    )


def _neighbour(load: RollupLoad, columns: list[str], side: str) -> sql.Composed:
    """Select columns of the row in the table whose window is next to that of `t`, for the same other keys."""
    window = load.rollup.window_key
    same = [sql.SQL("n.{c} = t.{c}").format(c=sql.Identifier(c)) for c in load.rollup.keys if c != window]
    return sql.SQL(
        "select {columns} from {table} n where {same} and n.{window} {side} t.{window} "
        "order by n.{window} {direction} limit 1"
    ).format(
        columns=_names(columns, "n"),
        table=load.table,
        same=sql.SQL(" and ").join(same),
        window=sql.Identifier(str(window)),
        side=sql.SQL("<" if side == "<" else ">"),
        direction=sql.SQL("desc" if side == "<" else "asc"),
    )


def _gain(name: str, of: str, before: sql.Composable, at_least: int | None) -> sql.Composed:
    """Write a gain: null if there is no window before, else the difference, not below `at_least`."""
    difference = sql.SQL("t.{} - ({})").format(sql.Identifier(of), before)
    if at_least is None:
        return sql.SQL("{} as {}").format(difference, sql.Identifier(name))
    # greatest() skips nulls, but the first window has no gain at all
    return sql.SQL("case when ({b}) is not null then greatest({d}, {l}) end as {n}").format(
        b=before, d=difference, l=sql.Literal(at_least), n=sql.Identifier(name)
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
