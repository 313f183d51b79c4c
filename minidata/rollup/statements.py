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

    def _sql(self, template: str, **parts: sql.Composable) -> sql.Composed:
        """Fill in a template: names of the rollup's own (`tkeys`: its keys, behind `t.`), and the given parts."""
        rollup = self.rollup
        values = [c for c in rollup.table_columns if c not in rollup.keys]
        own: dict[str, sql.Composable] = {
            "table": self.table,
            "stage": self.stage,
            "columns": names_of(rollup.table_columns),
            "into": sql.Identifier(rollup.latest.into),
            **{f"{side}keys": names_of(rollup.keys, side) for side in ("", "t", "f", "o", "a", "s")},
            **{f"{side}merged": names_of(rollup.merged_columns, side) for side in ("", "t")},
            **{f"{side}values": names_of(values, side) for side in ("", "t", "excluded")},
        }
        return sql.SQL(template).format(**own | parts)

    def create_stage(self) -> sql.Composed:
        """Create the temporary table of partial rollups, which is dropped at the end of the transaction."""
        return self._sql("create temporary table {stage} on commit drop as select {merged} from {table} with no data")

    def copy(self) -> sql.Composed:
        """Copy partial rollups into the stage, as CSV."""
        return self._sql("copy {stage} ({merged}) from stdin (format csv)")

    def analyze(self) -> sql.Composed:
        """Tell the planner of the keys that are staged."""
        return self._sql("analyze {stage} ({keys})")

    def merge_known(self) -> sql.Composed:
        """Merge the staged rows whose keys the table has; only rows that change are written."""
        return self._sql(
            "with merged as (\n    {merged}\n)\n{upsert}", merged=self._merged(), upsert=self._upsert("merged")
        )

    def insert_new(self) -> sql.Composed:
        """Insert the staged rows whose keys the table lacks."""
        return self._sql(
            """insert into {table} ({merged})
select {merged} from {stage} s
where not exists (select 1 from {table} t where ({tkeys}) = ({skeys}))
order by {keys}"""
        )

    def _upsert(self, source: str) -> sql.Composed:
        """Write whole rows in the order of the key, but only if they change: what is loaded twice writes nothing."""
        return self._sql(
            """insert into {table} as t ({columns})
select {columns} from {source}
order by {keys}
on conflict ({keys}) do update set ({values}) = row({excludedvalues})
where row({tvalues}) is distinct from row({excludedvalues})""",
            source=sql.Identifier(source),
        )

    def _merged(self) -> sql.Composed:
        """Select the staged rows of known keys, each merged with the row that the table has under its key."""
        latest = [each("case when n.newer then s.{c} else t.{c} end as {c}", c) for c in self.rollup.order]
        functions = {"max": "greatest(s.{c}, t.{c}) as {c}", "min": "least(s.{c}, t.{c}) as {c}"}
        measures = [each(functions[measure.function], name) for name, measure in self.rollup.measures.items()]
        return self._sql(
            """select {keys},
        {values}
    from {stage} s {known}
    cross join lateral (select t.{into} is null or {sorder} > {torder} as newer) n""",
            values=lines([*latest, *measures]),
            known=self._known(),
            sorder=self._order("s"),
            torder=self._order("t"),
        )

    def _known(self) -> sql.Composed:
        """Join the table's row `t` to the staged rows of known keys."""
        return self._sql("join {table} t using ({keys})")

    def _order(self, side: str) -> sql.Composed:
        """Return the row that is greater for the later of two rows."""
        if not self.optional:
            return sql.SQL("({})").format(names_of(self.rollup.order, side))
        # As records: a comparison of two plain rows is null as soon as it meets a null.
        template = {True: "{side}.{c} is not null, {side}.{c}", False: "{side}.{c}"}
        parts = (each(template[c in self.optional], c, side=sql.SQL(side)) for c in self.rollup.order)
        return sql.SQL("row({})::record").format(sql.SQL(", ").join(parts))


def names_of(columns: Iterable[str], prefix: str = "") -> sql.Composed:
    """Return the names of columns, separated by commas, each behind a prefix if there is one."""
    return sql.SQL(", ").join(sql.Identifier(prefix, c) if prefix else sql.Identifier(c) for c in columns)


def lines(parts: Iterable[sql.Composable]) -> sql.Composed:
    """Separate the parts of a select list."""
    return sql.SQL(",\n        ").join(parts)


def each(template: str, column: str, **parts: sql.Composable) -> sql.Composed:
    """Fill in a template for one column, `c`."""
    return sql.SQL(template).format(c=sql.Identifier(column), **parts)
