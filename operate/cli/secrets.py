"""`mdp secrets`: the passwords and keys of the platform."""

from typing import Annotated

import typer

from minidata.errors import PermanentError
from operate.cli.app import app, state_of
from operate.cli.output import say
from operate.cli.progress import Steps
from operate.embedded.rotation import rotate
from operate.embedded.settings import secrets_file
from operate.embedded.start import start_platform
from operate.embedded.state import State
from operate.embedded.stop import stop_platform

secrets = typer.Typer(no_args_is_help=True)
app.add_typer(secrets, name="secrets")


@secrets.callback()
def manage() -> None:
    """Replace the platform's passwords and keys.

    Example: ./mdp secrets rotate
    """


@secrets.command("rotate")
def rotate_secrets(
    context: typer.Context, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
) -> None:
    """Replace every password, key and certificate, and restart the platform if it runs. The data is kept.

    The old ones stop working, log-ins end, and uploads are refused for some seconds. Programs outside the platform get
    the new ones from `./mdp env`.

    Example: ./mdp secrets rotate --yes
    """
    state = state_of(context)
    if not state.exists():
        raise PermanentError(f"There is no platform in {state.folder}: its secrets are made by `./mdp up`.")
    if not yes:
        what = f"Replace every password and key of the platform in {state.folder} and restart it?"
        typer.confirm(what, abort=True, err=True)
    state = State.open(state.folder)
    services = state.platform.services
    with Steps() as steps:
        ran = stop_platform(state, steps)
        names = rotate(state)
        if ran:
            start_platform(state, steps, simulator="simulator" in services, bi="superset" in services)
    say(f"{len(names)} secrets in {secrets_file(state)} were replaced. `./mdp env` prints those that programs need.")
    if not ran:
        say("The platform is stopped; the database takes its new passwords at the next `./mdp up`.")
