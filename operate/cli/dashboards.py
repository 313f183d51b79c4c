"""`mdp dashboards`: the definitions in `dashboards/`, compared with what a tool shows, and drawn there."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bi.model import Dashboard
from bi.plan import Plan
from minidata.errors import NotRunningError, PermanentError
from minidata.settings import Settings, load_settings
from operate.cli.app import app, settings_of, state_of
from operate.cli.output import console, errors, print_json, safe
from operate.embedded.settings import embedded_settings
from operate.embedded.superset.service import belongs_to

dashboards_app = typer.Typer(help="The dashboards, as code.", no_args_is_help=True)
app.add_typer(dashboards_app, name="dashboards")


class Tool(StrEnum):
    """What can draw dashboards."""

    SUPERSET = "superset"
    METABASE = "metabase"


Wanted = Annotated[
    Tool | None,
    typer.Option("--target", help="Where; without it the platform's Superset, else the Metabase of MDP_METABASE_URL."),
]
Folder = Annotated[
    Path | None,
    typer.Option("--from", file_okay=False, exists=True, show_default="dashboards/", help="Of the definitions."),
]
Json = Annotated[bool, typer.Option("--json", help="For a script.")]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Work:
    """Definitions that are in order, and the tool that they are for.

    Attributes:
        place: which tool, and where it is.
        plan: says what an apply would do.
        apply: does it, and tells what it is about to change.
        addresses: where each dashboard can be opened, by name.
    """

    place: str
    plan: Callable[[], Plan]
    apply: Callable[[Progress], Plan]
    addresses: Callable[[], dict[str, str]]


@dashboards_app.command()
def plan(context: typer.Context, target: Wanted = None, folder: Folder = None, json_: Json = False) -> None:
    """Say what an apply would change; nothing is changed.

    Example: ./mdp dashboards plan
    """
    work = _work(context, target, folder)
    found = work.plan()
    if json_:
        print_json(found.as_lists())
        return
    _print(found)
    if found.empty:
        console.print(f"{work.place} shows what is defined; there is nothing to do.", markup=False, soft_wrap=True)
    else:
        console.print("`./mdp dashboards apply` does that.")


@dashboards_app.command()
def apply(context: typer.Context, target: Wanted = None, folder: Folder = None, json_: Json = False) -> None:
    """Make the tool show what is defined; what people made there by hand stays.

    Example: ./mdp dashboards apply
    """
    work = _work(context, target, folder)
    done = work.apply(lambda name: None if json_ else errors.print(f"{name} ...", markup=False, soft_wrap=True))
    if json_:
        print_json(done.as_lists())
        return
    _print(done)
    console.print(f"{work.place} shows what is defined:", markup=False, soft_wrap=True)
    for name, address in work.addresses().items():
        console.print(f"  {name}: {address}", markup=False, soft_wrap=True)


@dashboards_app.command()
def check(context: typer.Context, target: Wanted = None, folder: Folder = None, json_: Json = False) -> None:
    """Check the definitions, then whether the tool shows them.

    Where there is no tool yet, the definitions alone are checked. Exit code 0 if all is as defined, 1 if not, 3 if the
    platform is not running.

    Example: ./mdp dashboards check
    """
    if target is None and _default(context) is None:
        number = len(_definitions(folder))
        if json_:
            print_json(Plan().as_lists())
        else:
            console.print(f"The {number} dashboards are in order. Nothing is there yet that could show them.")
        return
    work = _work(context, target, folder)
    found = work.plan()
    if json_:
        print_json(found.as_lists())
    else:
        _print(found)
    if not found.empty:
        raise PermanentError(f"{work.place} does not show what is defined. `./mdp dashboards apply` mends that.")
    if not json_:
        console.print(f"{work.place} shows what is defined.", markup=False, soft_wrap=True)


def _print(plan: Plan) -> None:
    for what, names in plan.as_lists().items():
        if what != "unchanged":
            for name in names:
                by_hand = "  (was changed by hand)" if name in plan.drift else ""
                console.print(f"{what:>6}  {safe(name)}{by_hand}", markup=False, soft_wrap=True)


def _definitions(folder: Path | None) -> list[Dashboard]:
    from bi.definition import FOLDER, read_dashboards  # noqa: PLC0415

    return read_dashboards(folder or FOLDER)


def _default(context: typer.Context) -> Tool | None:
    """Return the tool that is meant if none is named."""
    state = state_of(context)
    if state.exists() and belongs_to(state):
        return Tool.SUPERSET
    return Tool.METABASE if _settings(context).metabase_url else None


def _work(context: typer.Context, wanted: Tool | None, folder: Path | None) -> Work:
    """Read the definitions and find the tool.

    Raises:
        PermanentError: if a definition is wrong, with file and line; or if a setting is missing.
        NotRunningError: if there is no tool, or it does not run.
    """
    dashboards = _definitions(folder)
    tool = wanted or _default(context)
    if tool is Tool.SUPERSET:
        return _superset(context, dashboards)
    if tool is Tool.METABASE:
        return _metabase(_settings(context), dashboards)
    raise NotRunningError(
        f"Nothing is there to draw dashboards in: {state_of(context).folder} holds no platform with Superset "
        "(`./mdp up` starts one), and MDP_METABASE_URL is not set."
    )


def _superset(context: typer.Context, dashboards: list[Dashboard]) -> Work:
    from bi import superset  # noqa: PLC0415
    from operate.embedded.superset.dashboards import target  # noqa: PLC0415

    settings, state = settings_of(context), state_of(context)
    if not (state.exists() and belongs_to(state)):
        raise NotRunningError(f"The platform in {state.folder} has no Superset. `./mdp up` starts it.")
    where = target(state, settings)
    return Work(
        place=f"Superset at {where.url}",
        plan=lambda: superset.plan(where, dashboards),
        apply=lambda _: superset.apply(where, dashboards),
        addresses=lambda: {d.name: f"{where.url}/superset/dashboard/{d.name}/" for d in dashboards},
    )


def _metabase(settings: Settings, dashboards: list[Dashboard]) -> Work:
    from bi import metabase  # noqa: PLC0415
    from bi.target import Target, Warehouse  # noqa: PLC0415

    if not settings.metabase_url:
        raise PermanentError(
            "MDP_METABASE_URL is not set: the address of the Metabase to draw the dashboards in, such as "
            "http://127.0.0.1:3000. Set it, with MDP_METABASE_EMAIL and MDP_METABASE_PASSWORD of an administrator."
        )
    where = Target(
        url=settings.metabase_url,
        user=settings.metabase_email,
        password=settings.secret("metabase_password"),
        warehouse=Warehouse.of(settings),
    )
    return Work(
        place=f"Metabase at {where.url}",
        plan=lambda: metabase.plan(where, dashboards),
        apply=lambda progress: metabase.apply(where, dashboards, progress),
        addresses=lambda: metabase.addresses(where, dashboards),
    )


def _settings(context: typer.Context) -> Settings:
    """Return the settings: the platform's own if there is one, save that a Metabase may be named at any time."""
    given = load_settings()
    state = state_of(context)
    if not state.exists():
        return given
    chosen = {name: getattr(given, name) for name in given.model_fields_set if name.startswith("metabase_")}
    return embedded_settings(state).model_copy(update=chosen)
