"""The SQL that a load runs for a rollup whose windows are compared with the windows before.

The staged windows of a key are together, and each has its predecessor's values beside it. So the table is asked twice
for each key, not for each row, unless it has windows between those that are staged.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import polars as pl
from psycopg import sql

from minidata.dataset import Rollup
from minidata.rollup.statements import RollupStatements, each, lines, names_of

_UNTIL = "mdp_until"  # in the first staged window of a key: the last one; else null
_LAG = "mdp_lag_"  # before the name of a column: its value in the staged window before


def with_places(partial: pl.DataFrame, rollup: Rollup) -> pl.DataFrame:
    """Give each row of a partial its place among the windows of its key, which are all in this partial."""
    if not rollup.gains:
        return partial
    window, key = str(rollup.window_key), rollup.other_keys
    last = pl.when(pl.struct(key).is_first_distinct()).then(pl.col(window).last().over(key))
    lags = pl.col(rollup.gained).shift().over(key).name.prefix(_LAG)
    return partial.sort(window).with_columns(last.alias(_UNTIL), lags)


@dataclass(frozen=True)
class GainStatements(RollupStatements):
    """The statements of a rollup with gains, in the order in which a load runs them."""

    @property
    def touched(self) -> sql.Identifier:
        """The temporary table of keys whose successors' gains may have changed, and of those successors."""
        return sql.Identifier(f"touched_{self.name}")

    @property
    def known(self) -> sql.Identifier:
        """The temporary table of the staged keys, without their windows, that the table has."""
        return sql.Identifier(f"known_{self.name}")

    def _sql(self, template: str, **parts: sql.Composable) -> sql.Composed:
        rollup = self.rollup
        own: dict[str, sql.Composable] = {
            "touched": self.touched,
            "known": self.known,
            "until": sql.Identifier(_UNTIL),
            "followed": sql.Identifier("mdp_followed"),
            "mixed": sql.Identifier("mdp_mixed"),
            "window": sql.Identifier(str(rollup.window_key)),
            "lags": names_of([f"{_LAG}{column}" for column in rollup.gained]),
            **{f"{side}others": names_of(rollup.other_keys, side) for side in ("", "t")},
            **{f"{side}gains": names_of(rollup.gains, side) for side in ("", "t", "f")},
        }
        return super()._sql(template, **own | parts)

    def create_stage(self) -> sql.Composed:
        """Create the temporary table of partial rollups, which is dropped at the end of the transaction."""
        return self._sql(
            """create temporary table {stage} on commit drop as
select {merged}, {window} as {until}, {places} from {table} with no data""",
            places=sql.SQL(", ").join(_each("{c} as {lag}", c) for c in self.rollup.gained),
        )

    def copy(self) -> sql.Composed:
        """Copy partial rollups into the stage, as CSV."""
        return self._sql("copy {stage} ({merged}, {until}, {lags}) from stdin (format csv)")

    def create_touched(self) -> sql.Composed:
        """Create the temporary table of touched keys."""
        return self._sql("create temporary table {touched} on commit drop as select {keys} from {table} with no data")

    def create_known(self) -> sql.Composed:
        """Create the temporary table of keys that the table has: of each, its window before those that are staged.

        Of each it tells whether the table has a window at or after the first staged one, `mdp_followed`, and whether
        that one is not after the last staged one, `mdp_mixed`: these keys are merged row by row.
        """
        compared = [str(self.rollup.window_key), *self.rollup.gained]
        return self._sql(
            """create temporary table {known} on commit drop as
select {tothers}, t.{until}, {before},
    a.{window} is not null as {followed}, coalesce(a.{window} <= t.{until}, false) as {mixed}
from {stage} t
left join lateral (
        {predecessor}
    ) p on true
left join lateral (
        {successor}
    ) a on true
where t.{until} is not null and (p.{window} is not null or a.{window} is not null)""",
            before=sql.SQL(", ").join(_each("p.{c} as {lag}", c) for c in self.rollup.gained),
            predecessor=self._neighbour(compared, "<"),
            successor=self._neighbour(compared[:1], ">="),
        )

    def insert_new(self) -> sql.Composed:
        """Insert the staged rows of keys of which the table has no window between those that are staged."""
        before = "case when t.{until} is null then t.{lag} else k.{lag} end as {c}"
        return self._sql(
            """insert into {table} ({merged}, {gains})
select {tmerged},
        {differences}
from {stage} t left join {known} k using ({others})
cross join lateral (select
        {before}
    ) b
where k.{mixed} is not true
order by {tkeys}""",
            differences=self._differences(),
            before=lines(_each(before, c, until=sql.Identifier(_UNTIL)) for c in self.rollup.gained),
        )

    def merge_known(self) -> sql.Composed:
        """Merge the staged rows of the other keys, and remember whose successors' gains change."""
        return self._sql(
            """with merged as (
    {merged}
), whole as (
    {whole}
), written as (
    {upsert}
    returning {tkeys}
)
insert into {touched} select * from written""",
            merged=self._merged(),
            whole=self._with_gains(),
            upsert=self._upsert("whole"),
        )

    def touch_followed(self) -> sql.Composed:
        """Add the last staged windows of the keys that were inserted, where the table has a later one."""
        return self._sql(
            """insert into {touched} ({window}, {others})
select {until}, {others} from {known} where {followed} and not {mixed}"""
        )

    def update_successors(self) -> sql.Composed:
        """Recompute the gains of the window after each touched one: no other gain can have changed."""
        return self._sql(
            """with successors as (
    select distinct a.* from {touched} t
    cross join lateral (
        {after}
    ) a
    where not exists (select 1 from {touched} o where ({okeys}) = ({akeys}))
), fresh as (
    select {tkeys},
        {differences}
    from successors join {table} t using ({keys})
    left join lateral (
        {before}
    ) b on true
    order by {tkeys}
), written as (
    update {table} t set ({gains}) = row({fgains}) from fresh f
    where ({tkeys}) = ({fkeys}) and row({tgains}) is distinct from row({fgains})
    returning {tkeys}
)
insert into {touched} select * from written""",
            after=self._neighbour(self.rollup.keys, ">"),
            before=self._neighbour(self.rollup.gained, "<"),
            differences=self._differences(),
        )

    def _known(self) -> sql.Composed:
        return self._sql("join {known} k using ({others})\n    left join {table} t using ({keys})")

    def _merged(self) -> sql.Composed:
        return self._sql("{merged}\n    where k.{mixed}", merged=super()._merged())

    def _with_gains(self) -> sql.Composed:
        """Select the merged rows with their gains against the previous window: a merged one, or one of the table."""
        compared = [str(self.rollup.window_key), *self.rollup.gained]
        # Of the two previous windows the later one counts; of the same window the merged row, which is newer.
        before = "case when p.{window} is null or t.{lag_window} >= p.{window} then t.{lag} else p.{c} end as {c}"
        window, lag_window = sql.Identifier(compared[0]), sql.Identifier(f"{_LAG}{compared[0]}")
        return self._sql(
            """select {tmerged},
        {differences}
    from (
        select *, {lagged}
        from merged
        window before as (partition by {others} order by {window})
    ) t
    left join lateral (
        {neighbour}
    ) p on true
    cross join lateral (select
        {before}
    ) b""",
            differences=self._differences(),
            lagged=lines(_each("lag({c}) over before as {lag}", c) for c in compared),
            neighbour=self._neighbour(compared, "<"),
            before=lines(_each(before, c, window=window, lag_window=lag_window) for c in self.rollup.gained),
        )

    def _differences(self) -> sql.Composed:
        """Select each gain of `t` against `b`: null without a value in one of them, else at least `at_least`."""
        parts = []
        for name, gain in self.rollup.gains.items():
            difference = each("t.{c} - b.{c}", gain.of)
            if gain.at_least is not None:
                # Not greatest(), which skips nulls: a gain against nothing stays null.
                cut = "case when t.{c} - b.{c} < {least} then {least} else t.{c} - b.{c} end"
                difference = each(cut, gain.of, least=sql.Literal(gain.at_least))
            parts.append(sql.SQL("{} as {}").format(difference, sql.Identifier(name)))
        return lines(parts)

    def _neighbour(self, columns: Iterable[str], side: Literal["<", ">", ">="]) -> sql.Composed:
        """Select columns of the row in the table whose window is next to that of `t`, for the same other keys."""
        return self._sql(
            """select {selected} from {table} n
        where {same} and n.{window} {side} t.{window}
        order by n.{window} {direction} limit 1""",
            selected=names_of(columns, "n"),
            same=sql.SQL(" and ").join(each("n.{c} = t.{c}", c) for c in self.rollup.other_keys),
            side=sql.SQL(side),
            direction=sql.SQL("desc" if side == "<" else "asc"),
        )


def _each(template: str, column: str, **parts: sql.Composable) -> sql.Composed:
    return each(template, column, lag=sql.Identifier(f"{_LAG}{column}"), **parts)
