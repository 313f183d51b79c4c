"""`mdp up`, `down`, `restart`, `destroy`: the platform without Docker, started and stopped."""

import os
import signal
import time
from typing import Annotated

import typer

from minidata.dataset import declared_datasets
from minidata.errors import PermanentError
from minidata.settings import PROJECT
from operate.cli.addresses import print_addresses
from operate.cli.app import app, settings_of, state_of
from operate.cli.output import say
from operate.cli.progress import Steps
from operate.embedded.postgres import home as postgres_home
from operate.embedded.settings import secrets_file
from operate.embedded.start import start_platform
from operate.embedded.state import State, Store
from operate.embedded.stop import stop_platform

Bi = Annotated[bool, typer.Option("--bi/--no-bi", help="Run Superset with the dashboards.")]
Simulator = Annotated[bool, typer.Option("--simulator/--no-simulator", help="Run the simulator, which uploads files.")]


@app.command()
def up(
    context: typer.Context,
    bi: Bi = True,
    simulator: Simulator = True,
    store: Annotated[
        Store | None,
        typer.Option(
            show_default=Store.SEAWEEDFS,
            help="Object store of a new platform; it cannot be changed later. MinIO is built from source once, which "
            "takes some minutes.",
        ),
    ] = None,
) -> None:
    """Install what is missing, start all services, and print their addresses.

    On a running platform it restarts what is down and applies changed settings.

    Example: ./mdp up --no-simulator
    """
    began = time.monotonic()
    os.umask(0o077)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)
    state = State.open(context.obj)
    try:
        with Steps() as steps:
            start_platform(state, steps, simulator=simulator, bi=bi, store=store)
    except KeyboardInterrupt:
        say("The services that this command had started are stopped. `./mdp up` starts them again.", err=True)
        raise typer.Exit(130) from None
    say(f"The platform is up after {time.monotonic() - began:.0f} s.")
    if sentence := postgres_home.choose(state).sentence:
        say(sentence)
    settings = settings_of(context)
    print_addresses(state, settings)
    table = list(declared_datasets(settings)[settings.default_dataset].tables)[-1]
    say(f"Try: ./mdp upload FILE.csv --wait, then ./mdp sql 'select * from {table} limit 5'")  # noqa: S608  text


def _interrupted(*_: object) -> None:
    say("Interrupted: stopping the services that this command has started ...", err=True)
    raise KeyboardInterrupt


@app.command()
def down(context: typer.Context) -> None:
    """Stop all services and keep the data.

    Example: ./mdp down
    """
    state = state_of(context)
    if not state.exists():
        say(f"There is no platform in {state.folder}; nothing was stopped.")
        return
    with Steps() as steps:
        ran = stop_platform(State.open(state.folder), steps)
    say("Stopped; the data is kept." if ran else "Nothing was running.")


@app.command()
def restart(context: typer.Context, bi: Bi = True, simulator: Simulator = True) -> None:
    """Stop all services, then start them again: `down`, then `up`.

    Example: ./mdp restart
    """
    down(context)
    up(context, bi=bi, simulator=simulator)


@app.command()
def destroy(context: typer.Context, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Stop all services and delete all data of the platform; a folder without a platform is refused.

    Example: ./mdp destroy --state /tmp/trial
    """
    state = state_of(context)
    if not state.exists():
        raise PermanentError(f"There is no platform in {state.folder}; nothing was deleted.")
    if not yes:
        what = f"Delete all data of the platform in {state.folder}, and its passwords in {secrets_file(state)}?"
        typer.confirm(what, abort=True, err=True)
    state = State.open(state.folder)
    with Steps() as steps:
        stop_platform(state, steps)
    postgres_home.remove(state)
    left = state.remove()
    secrets_file(state).unlink(missing_ok=True)
    say(f"Deleted. The installed packages stay in {PROJECT / '.mdp'}.")
    if left:
        say(f"Not part of the platform, and kept in {state.folder}: {', '.join(left)}.")
