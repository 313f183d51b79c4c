"""A shadow schema: all tables of a dataset, made again from the archive next to the live ones."""

from dataclasses import dataclass, field

import polars as pl
from psycopg import sql

from minidata.dataset import Dataset
from minidata.ledger.contents import Content, accepted_contents
from minidata.rebuild.archive import Archive, Progress
from minidata.rollup import merge, roll_up, stage
from minidata.warehouse.connection import Connection
from minidata.warehouse.tables import tables_of


def shadow_of(dataset: Dataset) -> Dataset:
    """Return the declaration with another schema; the hyphen keeps its name apart from those of datasets."""
    return dataset.model_copy(update={"name": f"rebuild-{dataset.name}"[:63]})


@dataclass
class Shadow:
    """The tables of a dataset in a schema of their own.

    Attributes:
        dataset: the declaration.
        connection: of the owner, outside a transaction and autocommit.
        archive: where the files are read.
        rows_at_once: rows that are held in memory.
        rows: good rows that were read.
        changed: files whose number of good rows is another one by the current rules: that number, by id.
    """

    dataset: Dataset
    connection: Connection
    archive: Archive
    rows_at_once: int
    rows: int = 0
    changed: dict[int, int] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)  # SHA-256 and arrival of what is in
    _held: list[pl.DataFrame] = field(default_factory=list)

    @property
    def tables(self) -> Dataset:
        """The declaration of the shadow's tables."""
        return shadow_of(self.dataset)

    def create(self) -> None:
        """Create the empty tables; what a killed rebuild has left is dropped."""
        self.drop()
        schema = sql.Identifier(self.tables.name)
        with self.connection.transaction():
            self.connection.execute(sql.SQL("create schema {}").format(schema))
            self.connection.execute(sql.SQL("grant usage on schema {} to mdp_loader").format(schema))
            for table in tables_of(self.tables):
                for statement in table.statements():
                    self.connection.execute(statement)
            indexes = self.dataset.folder / "indexes.sql"
            if indexes.is_file():
                self.connection.execute(sql.SQL("set local search_path = {}").format(schema))
                self.connection.execute(indexes.read_bytes())

    def drop(self) -> None:
        """Drop the schema with its tables, if it exists."""
        schema = sql.Identifier(self.tables.name)
        self.connection.execute(sql.SQL("drop schema if exists {} cascade").format(schema))

    def fill(self, progress: Progress = lambda _, __: None) -> int:
        """Add the accepted contents that the shadow lacks; returns how many.

        Raises:
            PermanentError: if a file is missing from the archive, or is not the one that was loaded.
        """
        lacking = [c for c in accepted_contents(self.connection, self.dataset.name) if _mark(c) not in self._done]
        for content, good in self.archive.read(lacking, self.dataset, self._add, progress):
            if good != content.rows_good:
                self.changed[content.file_id] = good
            self._done.add(_mark(content))
        self._flush()
        return len(lacking)

    def progress_made(self) -> set[str]:
        """Return what is in the shadow, for `go_back_to`."""
        return set(self._done)

    def go_back_to(self, done: set[str]) -> None:
        """Forget what a transaction added that was rolled back."""
        self._done = set(done)

    def _add(self, frame: pl.DataFrame) -> None:
        self._held.append(frame)
        self.rows += frame.height
        if sum(held.height for held in self._held) >= self.rows_at_once:
            self._flush()

    def _flush(self) -> None:
        """Merge the rows that are held into the tables."""
        if not self._held:
            return
        rows = pl.concat(self._held).lazy()
        self._held = []
        with self.connection.transaction():
            loads = []
            for name, table in self.dataset.merged.items():
                partial = roll_up(rows, table, list(self.dataset.columns)).collect()
                loads.append(stage(self.connection, self.tables, name, [partial]))
            merge(self.connection, self.tables, loads)
            # Dropped at the end of the transaction, which may be an outer one with more such loads.
            used = [f"{kind}_{table}" for kind in ("stage", "known", "touched") for table in self.dataset.tables]
            names = sql.SQL(", ").join(sql.Identifier("pg_temp", name) for name in used)
            self.connection.execute(sql.SQL("drop table if exists {}").format(names))


def _mark(content: Content) -> str:
    return f"{content.sha256} {content.arrived_at.isoformat()}"
