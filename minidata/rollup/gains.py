"""Gains: what a measure grew by since the window before, for merged rows and for the successors of touched windows."""

from psycopg import sql

from minidata.rollup.stage import RollupLoad, names_of
from minidata.warehouse.connection import Connection


def rows_with_gains(load: RollupLoad) -> sql.Composed:
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
        merged=names_of(rollup.merged_columns, "t"),
        gains=sql.SQL(", ").join(gains),
        lagged=lagged,
        others=names_of(others),
        window=window,
        neighbour=_neighbour(load, [str(rollup.window_key), *of], "<"),
    )


def recompute_successors(connection: Connection, load: RollupLoad) -> None:
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
            keys=names_of(rollup.keys),
            okeys=names_of(rollup.keys, "o"),
            akeys=names_of(rollup.keys, "a"),
            tkeys=names_of(rollup.keys, "t"),
            fkeys=names_of(rollup.keys, "f"),
            touched=load.touched,
            after=_neighbour(load, list(rollup.keys), ">"),
            before=_neighbour(load, of, "<"),
            values=sql.SQL(", ").join(gains),
            table=load.table,
            gains=names_of(rollup.gains),
            tgains=names_of(rollup.gains, "t"),
            fgains=names_of(rollup.gains, "f"),
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
        columns=names_of(columns, "n"),
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
