"""What a changed declaration changes in the warehouse, and the change itself, while the platform runs."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

import psycopg
from psycopg import sql

from minidata.dataset import Dataset
from minidata.errors import PermanentError
from minidata.ledger import lock_dataset
from minidata.warehouse.connection import Connection
from minidata.warehouse.ddl import change_objects
from minidata.warehouse.declared import Declared, create_register, declared, meaning, remember
from minidata.warehouse.mart import drop_views, let_read
from minidata.warehouse.meanings import differences
from minidata.warehouse.tables import Table, tables_of
from minidata.warehouse.views import SCHEMA, read_views

Do = Callable[[], object]


@dataclass
class Plan:
    """What would change for one declaration.

    Attributes:
        dataset: the declaration.
        changes: what will be done, in order, and the function that does it.
        refused: what cannot be done to the tables that are loaded, and why; nothing is done if there is any.
        notes: what a person should know of it.
    """

    dataset: Dataset
    changes: list[tuple[str, Do]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Apply the changes, in the caller's transaction.

        Raises:
            PermanentError: if something is refused; nothing is changed.
        """
        if self.refused:
            name = self.dataset.name
            raise PermanentError(
                f"{self.dataset.file} does not fit the tables that are loaded: {'; '.join(self.refused)}. Nothing was "
                "changed. Restore the old declaration and the platform goes on as before. For the new one, run "
                f"`./mdp rebuild --dataset {name}`: it makes the tables again from the archive. Or start a new "
                f"platform (`./mdp --state DIR up`) and upload the files below {self.dataset.prefix.strip('/')}/ there."
            )
        for _, do in self.changes:
            do()


def apply_datasets(connection: Connection, datasets: Iterable[Dataset]) -> list[Plan]:
    """Bring the tables of datasets in line with their declarations, all or none, and say what was done.

    Raises:
        PermanentError: if a table cannot be made what the declaration says, or a declaration is wrong.
        TransientError: if another session is in the way; the message names it.
    """
    declarations = list(datasets)

    def apply() -> list[Plan]:
        plans = []
        for dataset in declarations:
            plan = plan_dataset(connection, dataset)
            plan.run()
            plans.append(plan)
        return plans

    return change_objects(connection, apply)


def plan_dataset(connection: Connection, dataset: Dataset) -> Plan:
    """Find out what `apply_datasets` would do for a declaration; reads only, unless the warehouse is new.

    Raises:
        PermanentError: if a table has the name of a reading view.
    """
    views = read_views(dataset.folder.parent)
    for name in sorted(dataset.tables.keys() & views.keys()):
        raise PermanentError(
            f"{dataset.file} declares a table {name}, and {views[name].file.with_name('views.yaml')} a view, but there "
            f"can be only one mart.{name}. Give one of them another name. Nothing was changed."
        )
    create_register(connection)
    plan = Plan(dataset)
    before = declared(connection, "dataset", dataset.name)
    after = meaning(dataset)
    schema = sql.Identifier(dataset.name)
    if not connection.execute("select from pg_namespace where nspname = %s", [dataset.name]).rowcount:
        create = sql.SQL("create schema {}").format(schema)
        plan.changes.append((f"create the schema {dataset.name}", partial(connection.execute, create)))
        before = None  # what is remembered of it is of a schema that was dropped
    if before != after and before is not None:
        plan.changes.append((f"hold back loads of {dataset.name}", partial(lock_dataset, connection, dataset.name)))
    for table in tables_of(dataset):
        _plan_table(connection, plan, table, before, after)
    _plan_indexes(connection, plan, known=before)
    for kind in ("rollups", "newest", "every", "summaries"):
        for name in (before or {}).get(kind, {}):
            if name not in dataset.tables:
                plan.notes.append(f"{dataset.name}.{name} is no longer declared: it keeps its rows.")
    if before != after:
        plan.changes.append(("remember the declaration", partial(remember, connection, "dataset", dataset.name, after)))
    return plan


def _plan_table(connection: Connection, plan: Plan, table: Table, before: Declared | None, after: Declared) -> None:
    dataset, place = plan.dataset, f"{table.schema}.{table.name}"
    summary = table.name in dataset.summaries
    found = _columns(connection, table)
    if not found:
        _add(connection, plan, f"create the table {place}", table.statements())
        if before is not None and not summary:
            plan.notes.append(f"{place} is new and has only the rows that come; `./mdp rebuild` adds the loaded ones.")
    else:
        changed, refused = differences(table, found, _keys(connection, table), before, after)
        if summary and refused:
            drop = sql.SQL("drop view if exists {}; drop table {}").format(
                sql.Identifier(SCHEMA, table.name), sql.Identifier(table.schema, table.name)
            )
            plan.changes.append((f"create {place} again: {'; '.join(refused)}", partial(drop_views, connection)))
            _add(connection, plan, f"drop the old table {place}", [drop])
            _add(connection, plan, f"create the table {place}", table.statements())
        elif refused:
            plan.refused += [f"{place}: {reason}" for reason in refused]
        else:
            for what, statement in changed:
                _add(connection, plan, f"{what} of {place}", [statement])
    plan.changes.append((f"show {place} as {SCHEMA}.{table.name}", partial(_show, connection, table)))
    if summary and (not found or (before or {}).get("summaries", {}).get(table.name) != after["summaries"][table.name]):
        plan.changes.append((f"compute {place} from what is loaded", partial(_recompute, connection, dataset, table)))


def _add(connection: Connection, plan: Plan, what: str, statements: Iterable[sql.Composed]) -> None:
    plan.changes.append((what, partial(connection.execute, sql.SQL(";\n").join(statements))))


def _recompute(connection: Connection, dataset: Dataset, table: Table) -> None:
    from minidata.rollup import SummaryStatements, run_summary  # noqa: PLC0415  half a second that few need

    summary = SummaryStatements(dataset, table.name)
    connection.execute("set local timezone = 'UTC'")
    connection.execute(summary.touch_all())
    try:
        run_summary(connection, summary)
    except (psycopg.ProgrammingError, psycopg.DataError, psycopg.IntegrityError) as error:
        file = dataset.folder / dataset.summaries[table.name].sql
        raise PermanentError(f"The select of {file} fails: {str(error).strip()}. Nothing was changed.") from error
    connection.execute(sql.SQL("drop table {}").format(summary.touched))
    connection.execute("set local search_path = public")


def _columns(connection: Connection, table: Table) -> dict[str, str]:
    """Return the type of each column that a table has, as `Table.columns` writes it; empty if there is no table."""
    rows = connection.execute(
        "select a.attname::text, format_type(a.atttypid, a.atttypmod) || "
        "case when a.attcollation <> t.typcollation then format(' collate %%I', o.collname) else '' end || "
        "case when a.attnotnull then ' not null' else '' end "
        "from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_collation o on o.oid = a.attcollation "
        "where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped order by a.attnum",
        [f"{table.schema}.{table.name}"],
    )
    return {name: type_.replace("timestamp with time zone", "timestamptz") for name, type_ in rows}


def _keys(connection: Connection, table: Table) -> list[str]:
    rows = connection.execute(
        "select a.attname::text from pg_index i cross join unnest(i.indkey) with ordinality k (number, place) "
        "join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number "
        "where i.indrelid = to_regclass(%s) and i.indisprimary order by k.place",
        [f"{table.schema}.{table.name}"],
    )
    return [name for (name,) in rows]


def _show(connection: Connection, table: Table) -> None:
    """Create the view of a table, or replace it if it is another one; new columns come last.

    Whatever rights were revoked since, the loader may write the table and readers may read the view afterwards.
    """
    shown = [column for column in _columns(connection, table) if column in table.shown]
    before = [c for (c,) in connection.execute(_VIEW_COLUMNS, [f"{SCHEMA}.{table.name}"])]
    columns = [*(c for c in before if c in shown), *(c for c in shown if c not in before)]
    statements: Iterator[sql.Composed] = table.view(columns)
    text = sql.SQL(";\n").join(statements)
    wanted: Declared = {"text": text.as_string(connection), "columns": columns}
    if columns != before or declared(connection, "view", table.name) != wanted:
        try:
            connection.execute(text)
        except (psycopg.errors.InvalidTableDefinition, psycopg.errors.WrongObjectType) as error:
            raise PermanentError(
                f"mart.{table.name}, through which people read {table.schema}.{table.name}, exists already and is "
                f"something else: {str(error).strip()}. Rename or drop it as mdp_owner. Nothing was changed."
            ) from error
        remember(connection, "view", table.name, wanted)
    use = sql.SQL("grant usage on schema {} to mdp_loader").format(sql.Identifier(table.schema))
    connection.execute(sql.SQL(";\n").join([use, table.grant()]))
    let_read(connection, [table.name])


_VIEW_COLUMNS = (
    "select attname::text from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped "
    "order by attnum"
)


def _plan_indexes(connection: Connection, plan: Plan, known: Declared | None) -> None:
    file = plan.dataset.folder / "indexes.sql"
    if not file.is_file():
        return
    wanted: Declared = {"text": file.read_text(encoding="utf-8")}
    if known is None or declared(connection, "indexes", plan.dataset.name) != wanted:
        plan.changes.append((f"create the indexes of {file.name}", partial(_create_indexes, connection, plan, wanted)))


def _create_indexes(connection: Connection, plan: Plan, wanted: Declared) -> None:
    connection.execute(sql.SQL("set local search_path = {}").format(sql.Identifier(plan.dataset.name)))
    try:
        connection.execute(wanted["text"].encode())
    except psycopg.ProgrammingError as error:
        file = plan.dataset.folder / "indexes.sql"
        raise PermanentError(f"The indexes of {file} cannot be created: {error}") from error
    connection.execute("set local search_path = public")
    remember(connection, "indexes", plan.dataset.name, wanted)
