"""The application: its commands, each imported when it is used, and the platform that they are about."""

import os
import shlex
import socket
import sys
import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from operate.cli.output import Hints, say

if TYPE_CHECKING:
    from minidata.settings import Settings
    from operate.embedded.state import State

_PROJECT = Path(__file__).resolve().parents[2]

# The modules of each command, in the order of the help page.
_PANELS = {
    "Run the platform": {
        "up": "lifecycle", "down": "lifecycle", "restart": "lifecycle", "destroy": "lifecycle",
        "status": "status", "doctor": "doctor", "logs": "status", "open": "addresses", "env": "addresses",
        "alerts": "alerts", "secrets": "secrets", "backup": "backup", "restore": "backup",
    },
    "Load files": {
        "upload": "objects", "wait": "objects", "files": "files exclude",
        "quarantine": "quarantine show fix replay", "replay": "replay",
        "generate": "generate",
    },
    "Use the tables": {
        "sql": "tables", "checksum": "tables", "rebuild": "rebuild", "lineage": "lineage",
        "dashboards": "dashboards", "dataset": "dataset",
    },
    "Develop": {"test": "maintain", "dev": "maintain"},
}  # fmt: skip
_MODULES = {name: module for panel in _PANELS.values() for name, module in panel.items()}
_ALIASES = {"start": "up", "stop": "down", "ps": "status", "ls": "files"}
# Words that people try, and the command that they may mean. Nothing that removes data has an alias.
_MEANT = {
    "delete": "destroy", "remove": "destroy", "rm": "destroy", "import": "upload", "load": "upload", "put": "upload",
    "query": "sql", "psql": "sql", "list": "files", "log": "logs", "retry": "replay", "config": "env",
}  # fmt: skip


class Chosen:
    """The platform of this command, for code that has no context.

    Attributes:
        folder: of the platform; None before the command line is read.
    """

    folder: Path | None = None


class _Commands(TyperGroup):
    """Imports a command when it is used, knows aliases, and takes `--state` in any position."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*_MODULES, *(name for name in super().list_commands(ctx) if name not in _MODULES)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        name = _ALIASES.get(cmd_name, cmd_name)
        modules = [f"operate.cli.{module}" for module in _MODULES.get(name, "").split()]
        if modules and (name not in self.commands or not sys.modules.keys() >= set(modules)):
            for module in modules:
                import_module(module)
            self.commands = typer.main.get_group(app).commands
        command = super().get_command(ctx, name)
        for panel, names in _PANELS.items():
            if name in names:
                command.rich_help_panel = panel  # type: ignore[union-attr]
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command; for an unknown word, name the command that it is closest to."""
        word = args[0]
        if not word.startswith("-") and self.get_command(ctx, word) is None:
            close = get_close_matches(word, [*_MODULES, *_ALIASES, *_MEANT], n=1)
            name = next((_MEANT.get(w, _ALIASES.get(w, w)) for w in [word, *close] if w in _MEANT or w in close), None)
            advice = f"Did you mean `./mdp {name}`?" if name else "`./mdp --help` lists all commands."
            ctx.fail(f"There is no command '{word}'. {advice}")
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _arranged(args))

    def invoke(self, ctx: Any) -> Any:
        """Run a command. A reader who closes the pipe is no failure; Ctrl-C ends with a message and code 130."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for Python's own flush at exit
            raise typer.Exit(0) from None
        except KeyboardInterrupt:
            say("Stopped by Ctrl-C.", err=True)
            raise typer.Exit(130) from None
        return result


def _arranged(args: Sequence[str]) -> list[str]:
    """Move `--state DIR` to the front; read `help NAME` as `NAME --help`, and `version` as `--version`."""
    state: list[str] = []
    rest: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == "--state":
            state = [word, *islice(words, 1)]
        elif word.startswith("--state="):
            state = [word]
        else:
            rest.append(word)
    if rest[:1] == ["help"]:
        rest = [*rest[1:], "--help"]
    elif rest[:1] == ["version"]:
        rest = ["--version"]
    return [*state, *rest]


app = typer.Typer(
    name="mdp",
    cls=_Commands,
    epilog='`./mdp help NAME` explains a command. Tab completion: eval "$(./mdp --show-completion)"',
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def version() -> str:
    """Return the version of the project."""
    return str(tomllib.loads((_PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"mdp {version()}")
        raise typer.Exit


@app.callback()
def choose(
    context: typer.Context,
    state: Annotated[
        Path,
        typer.Option(
            envvar="MDP_STATE",
            show_default=".mdp",
            help="Folder of the platform, in any position. Each folder holds a separate platform.",
        ),
    ] = _PROJECT / ".mdp",
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version and exit.")
    ] = False,
) -> None:
    """Turns CSV files into tables and dashboards, on one machine.

    Example: ./mdp up, then ./mdp upload FILE.csv --wait, then ./mdp open
    """
    typed = getattr(context.get_parameter_source("state"), "name", "") == "COMMANDLINE"
    Chosen.folder = state.expanduser().resolve()
    Hints.option = f" --state {shlex.quote(str(state))}" if typed else ""
    context.obj = Chosen.folder
    if (context.obj / "platform.json").exists() or context.invoked_subcommand in {"up", "start", "restore"}:
        # An embedded platform is described by its own files alone; libraries would read these variables.
        for name in [name for name in os.environ if name.startswith(("PG", "AWS_"))]:
            del os.environ[name]


def state_of(context: typer.Context) -> "State":
    """Return the platform that the command is about."""
    from operate.embedded.state import State  # noqa: PLC0415  imports pydantic, which `--help` does not need

    return State(context.obj)


def settings_of(context: typer.Context, *, running: bool = True) -> "Settings":
    """Return how to reach the platform: the embedded one if there is one, else the one that `MDP_*` variables name.

    Args:
        context: of the command.
        running: whether the command needs a running platform.

    Raises:
        NotRunningError: if there is no platform, or it must run and does not.
    """
    from minidata.errors import NotRunningError  # noqa: PLC0415
    from minidata.settings import load_settings  # noqa: PLC0415
    from operate.embedded.settings import embedded_settings  # noqa: PLC0415

    state = state_of(context)
    if state.exists():
        if running and not _listens(state.run / "supervisor.sock"):
            raise NotRunningError(f"The platform in {state.folder} is not running. Start it with `./mdp up`.")
        return embedded_settings(state)
    settings = load_settings()
    if settings.loader_password is None:
        raise no_platform(state)
    return settings


def no_platform(state: "State") -> Exception:
    """Return the error for a folder without a platform."""
    from minidata.errors import NotRunningError  # noqa: PLC0415
    from minidata.ledger import FileState  # noqa: PLC0415

    name = state.folder.name
    if name in set(FileState):
        return NotRunningError(
            f"There is no platform in {state.folder}: --state names a platform's folder. "
            f"To list files by state, use --status {name}."
        )
    return NotRunningError(f"There is no platform in {state.folder}. Start one with `./mdp up`.")


def _listens(path: Path) -> bool:
    """Tell whether a process listens on a unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0
