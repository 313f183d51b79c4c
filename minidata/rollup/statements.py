"""The SQL that a load runs for a rollup, made from the declaration alone.

`docs/youtube_stats.sql` shows all of it for one dataset.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import sql

from minidata.dataset import Rollup


@dataclass(frozen=True)
class RollupStatements:
    """The statements of one rollup, in the order in which a load runs them.

    Attributes:
        schema: of the table: the name of the dataset.
        name: of the rollup and of its table.
        rollup: its declaration.
        optional: its latest columns that may be null; null is less than every value.
    """

    schema: str
    name: str
    rollup: Rollup
    optional: frozenset[str] = frozenset()

    @property
    def table(self) -> sql.Identifier:
        """The table of the dataset."""
        return sql.Identifier(self.schema, self.name)

    @property
    def stage(self) -> sql.Identifier:
        """The temporary table of partial rollups."""
        return sql.Identifier(f"stage_{self.name}")

    @property
    def touched(self) -> sql.Identifier:
        """The temporary table of the keys whose rows the merge wrote."""
        return sql.Identifier(f"touched_{self.name}")

    def _sql(self, template: str, **parts: sql.Composable) -> sql.Composed:
        """Fill in a template: names of the rollup's own (`tkeys`: its keys, behind `t.`), and the given parts."""
        rollup = self.rollup
        values = [c for c in rollup.table_columns if c not in rollup.keys]
        own: dict[str, sql.Composable] = {
            "table": self.table,
            "stage": self.stage,
            "touched": self.touched,
            "columns": names_of(rollup.table_columns),
            "others": names_of(rollup.other_keys),
            "window": sql.Identifier(str(rollup.window_key)),
            **{f"{side}keys": names_of(rollup.keys, side) for side in ("", "t", "f", "o", "a")},
            **{f"{side}gains": names_of(rollup.gains, side) for side in ("", "t", "f")},
            **{f"{side}values": names_of(values, side) for side in ("", "t", "excluded")},
        }
        return sql.SQL(template).format(**own | parts)

    def create_stage(self) -> sql.Composed:
        """Create the temporary table of partial rollups, which is dropped at the end of the transaction."""
        template = "create temporary table {stage} on commit drop as select {merged} from {table} with no data"
        return self._sql(template, merged=names_of(self.rollup.merged_columns))

    def copy(self) -> sql.Composed:
        """Copy partial rollups into the stage, as CSV."""
        columns = names_of(self.rollup.merged_columns)
        return self._sql("copy {stage} ({merged}) from stdin (format csv)", merged=columns)

    def create_touched(self) -> sql.Composed:
        """Create the temporary table of touched keys."""
        return self._sql("create temporary table {touched} on commit drop as select {keys} from {table} with no data")

    def merge(self, partials: int) -> sql.Composed:
        """Merge the stage into the table, gains included.

        Rows are written in the order of the key, so that two transactions never wait for each other in a circle, and
        only if they change, so that loading something twice writes nothing.
        """
        return self._sql(
            """with merged as (
    {merged}
), whole as (
    {whole}
), written as (
    insert into {table} as t ({columns})
    select {columns} from whole
    order by {keys}
    on conflict ({keys}) do update set ({values}) = row({excludedvalues})
    where row({tvalues}) is distinct from row({excludedvalues})
    returning {tkeys}
)
insert into {touched} select * from written""",
            merged=self._merged(partials),
            whole=self._with_gains() if self.rollup.gains else sql.SQL("select * from merged"),
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
            before=self._neighbour(self._gained, "<"),
            differences=self._differences(),
        )

    def _merged(self, partials: int) -> sql.Composed:
        """Select the staged rows, each merged with the row that the table has under its key."""
        latest = [_each("case when n.newer then s.{c} else t.{c} end as {c}", c) for c in self.rollup.order]
        functions = {"max": "greatest(s.{c}, t.{c}) as {c}", "min": "least(s.{c}, t.{c}) as {c}"}
        measures = [_each(functions[measure.function], name) for name, measure in self.rollup.measures.items()]
        return self._sql(
            """select {keys},
        {merged}
    from (
        {staged}
    ) s left join {table} t using ({keys})
    cross join lateral (select t.{into} is null or {sorder} > {torder} as newer) n""",
            merged=_lines([*latest, *measures]),
            staged=self._staged(partials),
            into=sql.Identifier(self.rollup.latest.into),
            sorder=self._order("s"),
            torder=self._order("t"),
        )

    def _staged(self, partials: int) -> sql.Composed:
        """Select the staged rows in the order of the key, each key once; several partials may share a key."""
        rollup = self.rollup
        if partials <= 1:
            return self._sql("select {merged} from {stage} order by {keys}", merged=names_of(rollup.merged_columns))
        functions = {"max": "max({c}) over same as {c}", "min": "min({c}) over same as {c}"}
        return self._sql(
            """select distinct on ({keys})
        {selected}
        from {stage}
        window same as (partition by {keys})
        order by {keys}, {newest}""",
            selected=_lines(
                [
                    *map(sql.Identifier, [*rollup.keys, *rollup.order]),
                    *(_each(functions[measure.function], name) for name, measure in rollup.measures.items()),
                ]
            ),
            newest=sql.SQL(", ").join(
                _each("{c} desc nulls last" if c in self.optional else "{c} desc", c) for c in rollup.order
            ),
        )

    def _order(self, side: str) -> sql.Composed:
        """Return the row that is greater for the later of two rows."""
        if not self.optional:
            return sql.SQL("({})").format(names_of(self.rollup.order, side))
        # As records: a comparison of two plain rows is null as soon as it meets a null.
        template = {True: "{side}.{c} is not null, {side}.{c}", False: "{side}.{c}"}
        parts = (_each(template[c in self.optional], c, side=sql.SQL(side)) for c in self.rollup.order)
        return sql.SQL("row({})::record").format(sql.SQL(", ").join(parts))

    def _with_gains(self) -> sql.Composed:
        """Select the merged rows with their gains against the previous window: a merged one, or one of the table."""
        compared = [str(self.rollup.window_key), *self._gained]
        # Of the two previous windows the later one counts; of the same window the merged row, which is newer.
        before = "case when p.{window} is null or t.{lag_window} >= p.{window} then t.{lag} else p.{c} end as {c}"
        window, lag_window = sql.Identifier(compared[0]), sql.Identifier(f"lag_{compared[0]}")
        return self._sql(
            """select {merged},
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
            merged=names_of(self.rollup.merged_columns, "t"),
            differences=self._differences(),
            lagged=_lines(_each("lag({c}) over before as {lag}", c) for c in compared),
            neighbour=self._neighbour(compared, "<"),
            before=_lines(_each(before, c, window=window, lag_window=lag_window) for c in self._gained),
        )

    @property
    def _gained(self) -> list[str]:
        return sorted({gain.of for gain in self.rollup.gains.values()})

    def _differences(self) -> sql.Composed:
        """Select each gain of `t` against `b`: null without a value in one of them, else at least `at_least`."""
        parts = []
        for name, gain in self.rollup.gains.items():
            difference = _each("t.{c} - b.{c}", gain.of)
            if gain.at_least is not None:
                # Not greatest(), which skips nulls: a gain against nothing stays null.
                cut = "case when t.{c} - b.{c} < {least} then {least} else t.{c} - b.{c} end"
                difference = _each(cut, gain.of, least=sql.Literal(gain.at_least))
            parts.append(sql.SQL("{} as {}").format(difference, sql.Identifier(name)))
        return _lines(parts)

    def _neighbour(self, columns: Iterable[str], side: str) -> sql.Composed:
        """Select columns of the row in the table whose window is next to that of `t`, for the same other keys."""
        return self._sql(
            """select {selected} from {table} n
        where {same} and n.{window} {side} t.{window}
        order by n.{window} {direction} limit 1""",
            selected=names_of(columns, "n"),
            same=sql.SQL(" and ").join(_each("n.{c} = t.{c}", c) for c in self.rollup.other_keys),
            side=sql.SQL("<" if side == "<" else ">"),
            direction=sql.SQL("desc" if side == "<" else "asc"),
        )


def names_of(columns: Iterable[str], prefix: str = "") -> sql.Composed:
    """Return the names of columns, separated by commas, each behind a prefix if there is one."""
    return sql.SQL(", ").join(sql.Identifier(prefix, c) if prefix else sql.Identifier(c) for c in columns)


def _lines(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(",\n        ").join(parts)


def _each(template: str, column: str, **parts: sql.Composable) -> sql.Composed:
    return sql.SQL(template).format(c=sql.Identifier(column), lag=sql.Identifier(f"lag_{column}"), **parts)
