"""The SQL that keeps a summary up to date: its select runs again for the keys that a load touched."""

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import sql

from minidata.dataset import Dataset, Summary, Window
from minidata.rollup.every import Statements, statements_of
from minidata.rollup.gains import GainStatements
from minidata.rollup.statements import RollupStatements, names_of


@dataclass(frozen=True)
class SummaryStatements:
    """The statements of one summary, in the order in which a load runs them.

    Attributes:
        dataset: the declaration.
        name: of the summary and of its table.
    """

    dataset: Dataset
    name: str

    @property
    def touched(self) -> sql.Identifier:
        """The temporary table of the keys to summarise again."""
        return sql.Identifier(f"touched_{self.name}")

    @property
    def table(self) -> sql.Identifier:
        """The table of the dataset."""
        return sql.Identifier(self.dataset.name, self.name)

    @property
    def source(self) -> Statements:
        """The statements of the table that is summarised."""
        return statements_of(self.dataset, self._summary.source)

    @property
    def _summary(self) -> Summary:
        return self.dataset.summaries[self.name]

    def create_touched(self) -> sql.Composed:
        """Create the temporary table of touched keys, before the merge: of the staged and of the replaced rows."""
        source = self.source
        rows = [sql.SQL("select {} from {} s").format(self._keys("s"), source.stage)]
        if isinstance(source, RollupStatements) and not source.rollup.keys.keys() >= self._columns:
            rows.append(
                sql.SQL("select {} from {} t where ({keys}) in (select {keys} from {})").format(
                    self._keys("t"), source.table, source.stage, keys=names_of(source.rollup.keys)
                )
            )
        return self._create(rows)

    def touch_staged(self) -> sql.Composed:
        """Add the keys of the staged rows."""
        return sql.SQL("insert into {} select {} from {} s").format(self.touched, self._keys("s"), self.source.stage)

    def source_rows(self, columns: Iterable[str]) -> sql.Composed:
        """Select columns of the source's rows that have the summary's keys, which are its parameters by name."""
        same = sql.SQL(" and ").join(
            sql.SQL("k.{} = {}").format(sql.Identifier(key), sql.Placeholder(key)) for key in self._summary.key_sources
        )
        return sql.SQL("select {} from {} t cross join lateral (select {}) k where {}").format(
            names_of(columns, "t"), self.source.table, self._keys("t"), same
        )

    def touch_successors(self) -> sql.Composed | None:
        """Add, after the merge, the keys of rows whose gains alone have changed; None without gains."""
        source = self.source
        if not isinstance(source, GainStatements):
            return None
        return sql.SQL("insert into {} select {} from {} t where ({keys}) in (select {keys} from {})").format(
            self.touched, self._keys("t"), source.table, source.touched, keys=names_of(source.rollup.keys)
        )

    def touch_all(self) -> sql.Composed:
        """Create the temporary table with every key, of the source and of the summary, instead of the touched ones."""
        of_summary = sql.SQL("select {} from {}").format(names_of(self._summary.keys), self.table)
        return self._create([sql.SQL("select {} from {} s").format(self._keys("s"), self.source.table), of_summary])

    def run(self) -> sql.Composed:
        """Run the select for the touched keys: write the rows that changed, delete those that it no longer gives."""
        summary = self._summary
        values = [c for c in summary.columns if c not in summary.keys]
        update = "do update set ({values}) = row({excluded})\nwhere row({current}) is distinct from row({excluded})"
        return sql.SQL("""with fresh as materialized (
    select {columns} from (
{select}) s
    where ({keys}) in (select {keys} from {touched})
), gone as (
    delete from {table} t
    where ({keys}) in (select {keys} from {touched})
        and not exists (select from fresh f where ({fkeys}) = ({tkeys}))
)
insert into {table} as t ({columns})
select {columns} from fresh
order by {keys}
on conflict ({keys}) {action}""").format(
            table=self.table,
            columns=names_of(summary.columns),
            select=sql.SQL(self.dataset.select_of(self.name)),  # the project's own file
            keys=names_of(summary.keys),
            fkeys=names_of(summary.keys, "f"),
            tkeys=names_of(summary.keys, "t"),
            touched=self.touched,
            action=sql.SQL(update if values else "do nothing").format(
                values=names_of(values), excluded=names_of(values, "excluded"), current=names_of(values, "t")
            ),
        )

    @property
    def _columns(self) -> set[str]:
        """The columns of the source that the keys are made from."""
        sources = self._summary.key_sources.values()
        return {source.window if isinstance(source, Window) else source for source in sources}

    def _keys(self, side: str) -> sql.Composed:
        """Select the summary's keys from a row of its source."""
        parts = []
        for key, source in self._summary.key_sources.items():
            if isinstance(source, Window):
                start = sql.SQL("date_bin({}, {}, timestamptz 'epoch')").format(
                    sql.Literal(f"{source.seconds} seconds"), sql.Identifier(side, source.window)
                )
            else:
                start = sql.Composed([sql.Identifier(side, source)])
            parts.append(sql.SQL("{} as {}").format(start, sql.Identifier(key)))
        return sql.SQL(", ").join(parts)

    def _create(self, rows: list[sql.Composed]) -> sql.Composed:
        template = "create temporary table {} on commit drop as\n{}"
        return sql.SQL(template).format(self.touched, sql.SQL("\nunion\n").join(rows))
