"""`mdp alerts`: who is told of what went wrong."""

import sys

import typer

from minidata.errors import PermanentError
from minidata.settings import PROJECT
from operate.cli.app import app, settings_of, state_of
from operate.cli.output import say
from operate.embedded import processes
from operate.embedded.airflow.service import environment

alerts = typer.Typer(no_args_is_help=True)
app.add_typer(alerts, name="alerts")


@alerts.callback()
def described() -> None:
    """Alerts tell people of files in quarantine, failed files, stale tables, and when nothing is loaded.

    Each event is told once, within two minutes, to the address in MDP_ALERTS.

    Example: MDP_ALERTS='mailto:me@example.org?server=smtp://mail.example.org:587' ./mdp up
    """


@alerts.command()
def test(context: typer.Context) -> None:
    """Send a test alert in the way that Airflow sends alerts.

    Example: ./mdp alerts test
    """
    settings, state = settings_of(context), state_of(context)
    if settings.alerts is None:
        raise PermanentError("MDP_ALERTS is not set, so no alert is sent. docs/settings.md describes its values.")
    if not state.exists():
        raise PermanentError("This platform is not run by mdp: run `python -m minidata.notifier` where Airflow runs.")
    processes.run(
        [sys.executable, "-m", "minidata.notifier"],
        "The test alert was not sent.",
        processes.clean_environment(state.home) | {"PYTHONPATH": str(PROJECT)} | environment(state, settings),
        PROJECT,
        seconds=120,
    )
    say("A test alert was sent to the address in MDP_ALERTS.")
