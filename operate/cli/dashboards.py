"""`mdp dashboards`: compare the definitions with the dashboards in Superset or Metabase, and apply them."""

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
from operate.cli.options import Json
from operate.cli.output import print_json, safe, say
from operate.embedded.settings import embedded_settings
from operate.embedded.superset.service import belongs_to

dashboards_app = typer.Typer(no_args_is_help=True)
app.add_typer(dashboards_app, name="dashboards")


class Tool(StrEnum):
    """Tools that dashboards are applied to."""

    SUPERSET = "superset"
    METABASE = "metabase"


Wanted = Annotated[
    Tool | None,
    typer.Option("--target", help="By default the platform's Superset, else the Metabase at MDP_METABASE_URL."),
]
Folder = Annotated[
    Path | None,
    typer.Option("--from", file_okay=False, exists=True, show_default="all of them", help="Folder of definitions."),
]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Backend:
    """The tool that valid definitions are compared with and applied to.

    Attributes:
        name: the tool and its address.
        plan: returns what an apply would do.
        apply: does it, and reports each step.
        addresses: address of each dashboard, by its name.
    """

    name: str
    plan: Callable[[], Plan]
    apply: Callable[[Progress], Plan]
    addresses: Callable[[], dict[str, str]]


@dashboards_app.callback()
def dashboards() -> None:
    """Keep the dashboards equal to their definitions, which are files.

    Example: ./mdp dashboards plan, then ./mdp dashboards apply
    """


@dashboards_app.command()
def plan(context: typer.Context, target: Wanted = None, folder: Folder = None, json_: Json = False) -> None:
    """Show what `apply` would change; nothing is changed.

    Example: ./mdp dashboards plan
    """
    tool = backend(context, target, folder)
    found = tool.plan()
    if json_:
        print_json(found.as_lists())
        return
    _print(found)
    if found.empty:
        say(f"{tool.name} matches the definitions; there is nothing to do.")
    else:
        say("`./mdp dashboards apply` makes these changes.")


@dashboards_app.command()
def apply(context: typer.Context, target: Wanted = None, folder: Folder = None, json_: Json = False) -> None:
    """Create, update and delete dashboards as defined; it never touches charts made by hand.

    Example: ./mdp dashboards apply
    """
    tool = backend(context, target, folder)
    done = tool.apply(lambda name: None if json_ else say(f"{name} ...", err=True))
    if json_:
        print_json(done.as_lists())
        return
    _print(done)
    say(f"{tool.name} matches the definitions:")
    for name, address in tool.addresses().items():
        say(f"  {name}: {address}")


@dashboards_app.command()
def check(context: typer.Context, target: Wanted = None, folder: Folder = None, json_: Json = False) -> None:
    """Check the definitions, then whether the tool matches them.

    Without a tool only the definitions are checked. Exit codes: 0 everything matches, 1 it does not,
    3 the platform is not running.

    Example: ./mdp dashboards check
    """
    if target is None and _default(context) is None:
        number = len(_definitions(_settings(context), folder))
        if json_:
            print_json(Plan().as_lists())
        else:
            words = "1 definition" if number == 1 else f"{number} definitions"
            say(f"{words} valid. Not compared: no Superset or Metabase is set up.")
        return
    tool = backend(context, target, folder)
    found = tool.plan()
    if json_:
        print_json(found.as_lists())
    else:
        _print(found)
    if not found.empty:
        raise PermanentError(f"{tool.name} does not match the definitions. Run `./mdp dashboards apply`.")
    if not json_:
        say(f"{tool.name} matches the definitions.")


def _print(plan: Plan) -> None:
    for what, names in plan.as_lists().items():
        if what != "unchanged":
            for name in names:
                by_hand = "  (was changed by hand)" if name in plan.by_hand else ""
                say(f"{what:>6}  {safe(name)}{by_hand}")


def _definitions(settings: Settings, folder: Path | None) -> list[Dashboard]:
    from bi.definition import read_dashboards  # noqa: PLC0415

    return read_dashboards(folder, settings.datasets_folder)


def _default(context: typer.Context) -> Tool | None:
    """Return the tool to use if none is named."""
    state = state_of(context)
    if state.exists() and belongs_to(state):
        return Tool.SUPERSET
    return Tool.METABASE if _settings(context).metabase_url else None


def backend(context: typer.Context, wanted: Tool | None = None, folder: Path | None = None) -> Backend:
    """Read the definitions and find the tool.

    Raises:
        PermanentError: if a definition is wrong, with file and line; or if a setting is missing.
        NotRunningError: if there is no tool, or it is not running.
    """
    chosen = wanted or _default(context)
    if chosen is Tool.SUPERSET:
        return _superset(context, folder)
    if chosen is Tool.METABASE:
        return _metabase(_settings(context), folder)
    raise NotRunningError(
        f"There is no tool to show dashboards: {state_of(context).folder} has no platform with Superset "
        "(`./mdp up` starts one), and MDP_METABASE_URL is not set."
    )


def _superset(context: typer.Context, folder: Path | None) -> Backend:
    from bi import superset  # noqa: PLC0415
    from minidata.warehouse.catalogue import read_catalogue  # noqa: PLC0415
    from operate.embedded.superset.service import target  # noqa: PLC0415

    settings, state = settings_of(context), state_of(context)
    if not (state.exists() and belongs_to(state)):
        raise NotRunningError(f"The platform in {state.folder} has no Superset. `./mdp up` starts it.")
    dashboards, views = _definitions(settings, folder), read_catalogue(settings.datasets_folder)
    where = target(state, settings)
    return Backend(
        name=f"Superset at {where.url}",
        plan=lambda: superset.plan(where, dashboards, views),
        apply=lambda _: superset.apply(where, dashboards, views),
        addresses=lambda: {d.name: f"{where.url}/superset/dashboard/{d.name}/" for d in dashboards},
    )


def _metabase(settings: Settings, folder: Path | None) -> Backend:
    from bi import metabase  # noqa: PLC0415
    from bi.target import Target, Warehouse  # noqa: PLC0415

    if not settings.metabase_url:
        raise PermanentError(
            "MDP_METABASE_URL is not set. Set it to the address of the Metabase, such as http://127.0.0.1:3000, "
            "and set MDP_METABASE_EMAIL and MDP_METABASE_PASSWORD to those of an administrator."
        )
    dashboards = _definitions(settings, folder)
    where = Target(
        url=settings.metabase_url,
        user=settings.metabase_email,
        password=settings.secret("metabase_password"),
        warehouse=Warehouse.of(settings),
    )
    return Backend(
        name=f"Metabase at {where.url}",
        plan=lambda: metabase.plan(where, dashboards),
        apply=lambda progress: metabase.apply(where, dashboards, progress),
        addresses=lambda: metabase.addresses(where, dashboards),
    )


def _settings(context: typer.Context) -> Settings:
    """Return the platform's settings if there is one, with the Metabase that the environment names."""
    given = load_settings()
    state = state_of(context)
    if not state.exists():
        return given
    chosen = {name: getattr(given, name) for name in given.model_fields_set if name.startswith("metabase_")}
    return embedded_settings(state).model_copy(update=chosen)
