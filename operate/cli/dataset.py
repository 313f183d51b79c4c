"""`mdp dataset`: declare another kind of file, check it, and bring the running platform in line."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minidata.errors import PermanentError
from minidata.settings import Settings, load_settings
from operate.cli.app import app, settings_of, state_of
from operate.cli.options import Json
from operate.cli.output import print_json, print_table, safe, say

if TYPE_CHECKING:
    from minidata.contract import Verdict
    from minidata.dataset import Dataset

dataset_app = typer.Typer(no_args_is_help=True)
app.add_typer(dataset_app, name="dataset")

_SHOWN = 5  # findings of a file
_DAG_SECONDS = 60  # that Airflow takes at most to read a file of DAGs
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the dataset: its folder in datasets/.")]
Names = Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Datasets; without a name, all of them.")]
Samples = Annotated[
    list[Path] | None,
    typer.Argument(metavar="SAMPLE", exists=True, dir_okay=False, help="Files of the new kind, alike."),
]
Files = Annotated[
    list[Path] | None, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="Files to check against it.")
]


@dataset_app.callback()
def dataset() -> None:
    """Declare kinds of files: what a file must contain, and which tables are built from it.

    Example: ./mdp dataset new orders orders.csv, then ./mdp dataset apply
    """


@dataset_app.command("ls")
def list_datasets(context: typer.Context, json_: Json = False) -> None:
    """List the declared datasets.

    Example: ./mdp dataset ls
    """
    found = [
        {"name": d.name, "title": d.title, "prefix": d.prefix, "tables": list(d.tables), "file": str(d.file)}
        for d in _wanted(_settings(context), None)
    ]
    if json_:
        print_json(found)
    else:
        print_table(["name", "prefix", "tables"], [[d["name"], d["prefix"], ", ".join(d["tables"])] for d in found])


@dataset_app.command()
def new(
    context: typer.Context,
    name: Name,
    samples: Samples = None,
    prefix: Annotated[str | None, typer.Option(help="Folder of raw with its files.", show_default="the name")] = None,
    contract: Annotated[
        Path | None,
        typer.Option("--from", exists=True, dir_okay=False, help="Contract to declare: Open Data Contract Standard."),
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(help="Sheet of workbooks.", show_default="the first one with rows")
    ] = None,
    json_: Json = False,
) -> None:
    """Write a declaration from sample files, or from a data contract, with a starter dashboard.

    Dialect, types, keys and times are guessed from the samples, and the samples are checked against the result. A
    column that the guess does not fit becomes text. Nothing is loaded and nothing is overwritten.

    Example: ./mdp dataset new orders orders.csv --prefix shop/orders
    """
    from operate.declare.new import make_dataset, make_from_contract  # noqa: PLC0415  imports Polars

    where, files = prefix or name, samples or []
    if contract and (prefix or sheet):
        hint = "--prefix" if prefix else "--sheet"
        raise typer.BadParameter("the contract says it; change it in the declaration.", param_hint=hint)
    if not (contract or files):
        raise typer.BadParameter("name a file of the new kind, or a contract with --from.", param_hint="SAMPLE")
    settings = _settings(context)
    if contract:
        made = make_from_contract(settings, name, contract, files)
    else:
        made = make_dataset(settings, name, where, files, sheet)
    found = list(zip(files, made.verdicts, strict=True))
    if json_:
        columns = [{"name": c.name, "header": c.header, **c.rule, "sure": c.sure} for c in made.guess.columns]
        checked = [_as_json(file, verdict) for file, verdict in found]
        print_json(
            {"file": str(made.folder / "dataset.yaml"), "columns": columns, "keys": made.guess.keys, "files": checked}
        )
        return
    for remark in made.guess.remarks:
        say(remark)
    print_table(["column", "type", "how sure"], [[c.name, c.rule["type"], c.sure] for c in made.guess.columns])
    key = " and ".join(made.guess.keys)
    if not contract:
        say(f"One row per {key}." if key else "No key was found: every different row is kept.")
    for file, verdict in found:
        _print_verdict(file, verdict)
    say(f"Wrote {made.folder / 'dataset.yaml'}. Read it, change what is wrong, then run `./mdp dataset apply {name}`.")
    if files and not contract:
        say(f"After that: `./mdp upload {safe(files[0])} --prefix {where} --wait`")


@dataset_app.command()
def check(context: typer.Context, name: Name, files: Files = None, json_: Json = False) -> None:
    """Check a declaration, and what would become of files; nothing is loaded.

    Every problem of the declaration is told with its line. Exit codes: 0 all is well, 1 something is wrong.

    Example: ./mdp dataset check orders orders-november.csv
    """
    from operate.declare.check import read_one, verdict_of  # noqa: PLC0415

    settings = _settings(context)
    declared = read_one(settings, name)
    verdicts = [(file, verdict_of(settings, declared, file)) for file in files or []]
    if json_:
        print_json([_as_json(file, verdict) for file, verdict in verdicts])
    else:
        say(f"The declaration of {name} is valid.")
        for file, verdict in verdicts:
            _print_verdict(file, verdict)
    if any(verdict.reason for _, verdict in verdicts):
        raise typer.Exit(1)


@dataset_app.command()
def export(
    context: typer.Context,
    name: Name,
    odcs: Annotated[bool, typer.Option("--odcs", help="As a contract of the Open Data Contract Standard.")] = False,
) -> None:
    """Print a declaration as a data contract, from which `new --from` makes it again.

    Example: ./mdp dataset export orders --odcs > orders.odcs.yaml
    """
    from operate.declare.check import read_one  # noqa: PLC0415
    from operate.declare.contract_out import contract_of  # noqa: PLC0415

    if not odcs:
        raise typer.BadParameter("name the format; there is one.", param_hint="--odcs")
    print(contract_of(read_one(_settings(context), name)).to_yaml(), end="")


@dataset_app.command()
def plan(context: typer.Context, names: Names = None, json_: Json = False) -> None:
    """Show what `apply` would change in the database; nothing is changed.

    Example: ./mdp dataset plan orders
    """
    from minidata.warehouse.connection import connect  # noqa: PLC0415
    from minidata.warehouse.plan import plan_dataset  # noqa: PLC0415

    settings = settings_of(context)
    with connect(settings, "owner") as owner:
        plans = [plan_dataset(owner, d) for d in _wanted(settings, names)]
    found = [
        {"dataset": p.dataset.name, "changes": [what for what, _ in p.changes if not what.startswith("show ")],
         "refused": p.refused, "notes": p.notes}
        for p in plans
    ]  # fmt: skip
    if json_:
        print_json(found)
        return
    for each in found:
        lines = [*each["changes"], *(f"cannot be done: {why}" for why in each["refused"]), *each["notes"]]
        say(f"{each['dataset']}: {'nothing to do.' if not lines else ''}")
        for line in lines:
            say(f"  {line}")


@dataset_app.command()
def apply(
    context: typer.Context,
    names: Names = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json_: Json = False,
) -> None:
    """Bring the running platform in line with the declarations: tables, views, DAGs and dashboards.

    All or nothing, while files are loaded. A change that would lose data is refused, with what to do instead.

    Example: ./mdp dataset apply orders
    """
    from minidata.warehouse.connection import connect  # noqa: PLC0415
    from minidata.warehouse.migrate import apply_declarations  # noqa: PLC0415
    from operate.embedded.superset.service import belongs_to  # noqa: PLC0415

    settings, state = settings_of(context), state_of(context)
    wanted = [d.name for d in _wanted(settings, names)]
    if not (yes or json_ or names):
        plan(context)
        typer.confirm("Apply?", abort=True)
    with connect(settings, "owner") as owner:
        done = apply_declarations(owner, settings)
    if state.exists() and belongs_to(state):
        from operate.cli.dashboards import backend  # noqa: PLC0415

        backend(context).apply(lambda _: None)
    if json_:
        print_json([{"dataset": p.dataset.name, "changes": [what for what, _ in p.changes]} for p in done])
    else:
        later = "" if state.exists() else " Airflow shows a new DAG within a minute."
        say(f"Applied: {', '.join(wanted)}.{later}")
    if state.exists():
        from operate.embedded.airflow import metadata  # noqa: PLC0415

        with metadata.connect(state, settings) as airflow:
            if missing := metadata.await_dags(airflow, wanted, _DAG_SECONDS):
                known = f"Airflow does not know the DAG of {', '.join(missing)} after {_DAG_SECONDS} s."
                raise PermanentError(f"{known} `./mdp logs airflow-processor` shows why.")


def _settings(context: typer.Context) -> Settings:
    """Return the settings of the platform if there is one, which need not run, else those of the environment."""
    return settings_of(context, running=False) if state_of(context).exists() else load_settings()


def _wanted(settings: Settings, names: list[str] | None) -> list["Dataset"]:
    from operate.declare.check import read_all, read_one  # noqa: PLC0415

    return [read_one(settings, name) for name in names] if names else list(read_all(settings).values())


def _as_json(file: Path, verdict: "Verdict") -> dict[str, Any]:
    return {
        "file": str(file),
        "reasons": [verdict.reason.code] if verdict.reason else [],
        "message": verdict.reason.message if verdict.reason else None,
        "rows_good": verdict.rows_good,
        "rows_rejected": verdict.rows_rejected,
        "counts": verdict.counts,
        "drift": verdict.drift,
    }


def _print_verdict(file: Path, verdict: "Verdict") -> None:
    from minidata.contract import describe  # noqa: PLC0415

    if verdict.reason:
        say(f"{safe(file)} would be refused: {verdict.reason.message}")
    else:
        rejected = f", {verdict.rows_rejected:,} would be rejected" if verdict.rows_rejected else ""
        say(f"{safe(file)}: {verdict.rows_good:,} rows would be loaded{rejected}.")
    rows = [[e.line, e.column, e.code, e.value] for e in verdict.entries if e.line]
    if rows:
        print_table(["line", "column", "code", "value"], rows[:_SHOWN], numbers=("line",))
    for code, number in verdict.counts.items():
        say(f"{code} ({number:,}): {describe(code).fix}")
