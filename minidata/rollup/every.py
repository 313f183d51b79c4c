"""The SQL that a load runs for a table that has every row once."""

from dataclasses import dataclass

from psycopg import sql

from minidata.dataset import HASH, Dataset, Every
from minidata.rollup.gains import GainStatements
from minidata.rollup.statements import RollupStatements, names_of


@dataclass(frozen=True)
class EveryStatements:
    """The statements of a table that has every row once.

    Attributes:
        schema: of the table: the name of the dataset.
        name: of the table.
        columns: of a row.
    """

    schema: str
    name: str
    columns: list[str]

    @property
    def table(self) -> sql.Identifier:
        """The table of the dataset."""
        return sql.Identifier(self.schema, self.name)

    @property
    def stage(self) -> sql.Identifier:
        """The temporary table of rows."""
        return sql.Identifier(f"stage_{self.name}")

    def create_stage(self) -> sql.Composed:
        """Create the temporary table of rows, which is dropped at the end of the transaction."""
        template = "create temporary table {} on commit drop as select {} from {} with no data"
        return sql.SQL(template).format(self.stage, names_of(self.columns), self.table)

    def copy(self) -> sql.Composed:
        """Copy rows into the stage, as CSV."""
        return sql.SQL("copy {} ({}) from stdin (format csv)").format(self.stage, names_of(self.columns))

    def analyze(self) -> sql.Composed:
        """Tell the planner of the rows that are staged."""
        return sql.SQL("analyze {}").format(self.stage)

    def insert_new(self) -> sql.Composed:
        """Insert the rows that the table lacks, in the order of the key.

        The key is a hash of the names and values that are not null, so a new optional column changes no key. The
        session's time zone must be UTC.
        """
        return sql.SQL("""insert into {table} ({hash}, {columns})
select distinct on ({hash}) {hash}, {columns}
from {stage} s
cross join lateral (select sha256(convert_to(jsonb_strip_nulls(to_jsonb(s))::text, 'UTF8')) as {hash}) h
order by {hash}
on conflict ({hash}) do nothing""").format(
            table=self.table, stage=self.stage, columns=names_of(self.columns), hash=sql.Identifier(HASH)
        )


Statements = RollupStatements | EveryStatements


def statements_of(dataset: Dataset, name: str) -> Statements:
    """Return the statements of a table of a dataset that rows are merged into."""
    table = dataset.merged[name]
    if isinstance(table, Every):
        return EveryStatements(dataset.name, name, list(dataset.columns))
    columns = dataset.row_columns
    optional = frozenset(c for c in table.order if columns[table.source_of(c)].optional)
    kind = GainStatements if table.gains else RollupStatements
    return kind(dataset.name, name, table, optional)
