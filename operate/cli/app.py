"""The application and what all its commands share: which platform is meant."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from minidata.errors import NotRunningError
from minidata.settings import PROJECT, Settings, load_settings
from operate.cli.output import errors
from operate.embedded.settings import embedded_settings
from operate.embedded.state import State
from operate.embedded.supervisor import Supervisor

DEFAULT_STATE = PROJECT / ".mdp"

_ORDER = (
    "up", "status", "open", "generate", "upload", "wait", "files", "quarantine", "replay", "sql", "checksum",
    "dashboards", "logs", "env", "down", "destroy", "test", "dev",
)  # fmt: skip


class _Commands(TyperGroup):
    """Lists the commands in the order in which they are met, new ones at the end; and ends them well."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=lambda name: (*_ORDER, name).index(name))

    def invoke(self, ctx: Any) -> Any:
        """Run a command. Typer would call a reader who had enough a failure, and end Ctrl-C without a word."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python's own flush at the end
            raise typer.Exit(0) from None
        except KeyboardInterrupt:
            errors.print("Stopped by Ctrl-C.")
            raise typer.Exit(130) from None
        return result


app = typer.Typer(
    name="mdp",
    cls=_Commands,
    help="Files turned into dashboards, without running a data centre.",
    epilog='Tab completion: eval "$(./mdp --show-completion)"',
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def choose(
    context: typer.Context,
    state: Annotated[
        Path,
        typer.Option(
            envvar="MDP_STATE",
            show_default=".mdp",
            help="Folder of the platform; another folder, another platform.",
        ),
    ] = DEFAULT_STATE,
) -> None:
    """Files turned into dashboards, without running a data centre.

    Example: ./mdp up, then ./mdp upload snapshot.csv --wait, then ./mdp sql "select count(*) from video_metrics"
    """
    context.obj = state.expanduser().resolve()
    if State(context.obj).exists() or context.invoked_subcommand == "up":
        # Libraries would heed these; but an embedded platform is described by its own files alone.
        for name in [name for name in os.environ if name.startswith(("PG", "AWS_"))]:
            del os.environ[name]


def state_of(context: typer.Context) -> State:
    """Return the platform that the command is about."""
    return State(context.obj)


def settings_of(context: typer.Context, *, running: bool = True) -> Settings:
    """Return how to reach the platform: the embedded one if there is one, else what the `MDP_*` variables say.

    Args:
        context: of the command.
        running: whether the command needs the platform to run.

    Raises:
        NotRunningError: if it does not.
    """
    state = state_of(context)
    if state.exists():
        if running and not Supervisor(state).running():
            raise NotRunningError(f"The platform in {state.folder} is not running. Start it with `./mdp up`.")
        return embedded_settings(state)
    settings = load_settings()
    if settings.loader_password is None:
        raise NotRunningError(f"There is no platform in {state.folder}. Start one with `./mdp up`.")
    return settings
