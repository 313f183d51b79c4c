"""`mdp doctor`: what is wrong, and the fix."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from minidata.errors import PermanentError
from minidata.settings import load_settings
from operate.cli.app import app, settings_of, state_of
from operate.cli.options import Json
from operate.cli.output import print_json, safe, say
from operate.cli.progress import Steps
from operate.doctor.checks import before_start, running
from operate.doctor.report import Check
from operate.embedded.simulator import SERVICE as SIMULATOR
from operate.embedded.start import start_platform
from operate.embedded.state import State
from operate.embedded.superset.service import belongs_to
from operate.embedded.supervisor import Supervisor

_MARKS = {"ok": "ok", "failed": "FAILED", "skipped": "skipped"}
# What a start heals without a decision of a person.
_HEALED = {
    "service_down", "service_hangs", "service_silent", "dag_paused", "trigger_missing", "trigger_silent",
    "relay_missing", "relay_silent", "unknown",
}  # fmt: skip
_HANGING = {"service_hangs", "service_silent", "trigger_silent", "relay_silent"}
_OF_PART = {"trigger": "airflow-triggerer", "relay": "relay"}


@app.command()
def doctor(
    context: typer.Context,
    fix: Annotated[bool, typer.Option("--fix", help="Restart what is down or hangs, and unpause the DAGs.")] = False,
    patience: Annotated[float, typer.Option(min=1, help="Seconds that the marker may take for each hop.")] = 60,
    json_: Json = False,
) -> None:
    """Check every part of the platform, with a figure and the fix for each.

    Before the start it checks the machine. While the platform runs, it sends a marker file from the store to a tile:
    store, event, trigger, DAG, ledger, table, view, tile. The marker ends in quarantine by design, so that no table
    changes; then its file and its row in the ledger are removed.

    Exit codes: 0 all checks are fine, 1 one has failed.

    Example: ./mdp doctor --fix
    """
    state = state_of(context)
    found = list(_shown(_checks(context, state, patience), json_=json_))
    if fix and any(check.code in _HEALED for check in found):
        with Steps() as steps:
            simulator = SIMULATOR.name in state.platform.services
            for name in _hanging(found):  # the start that follows starts them again
                Supervisor(state).stop(name)
            start_platform(state, steps, simulator=simulator, bi=belongs_to(state))
        found = list(_shown(_checks(context, state, patience), json_=json_))
    if json_:
        print_json([asdict(check) for check in found])
    wrong = sum(check.outcome == "failed" for check in found)
    if wrong:
        raise PermanentError("1 check has failed." if wrong == 1 else f"{wrong} checks have failed.")
    if not json_:
        say("All checks are fine.")


def _checks(context: typer.Context, state: State, patience: float) -> Iterator[Check]:
    if state.exists() and Supervisor(state).running():
        return running(settings_of(context), state, patience)
    if not state.exists() and load_settings().loader_password is not None:
        return running(load_settings(), None, patience)
    return before_start(state)


def _hanging(found: list[Check]) -> list[str]:
    """Return the services that run and do nothing."""
    services = {
        check.name if check.code.startswith("service") else _OF_PART[check.name]
        for check in found
        if check.code in _HANGING
    }
    return sorted(services)


def _shown(checks: Iterator[Check], *, json_: bool) -> Iterator[Check]:
    for check in checks:
        if not json_:
            say(f"{_MARKS[check.outcome]:>7}  {safe(check.name)}: {safe(check.figure)}")
            if check.fix:
                say(f"         {check.fix}")
        yield check
