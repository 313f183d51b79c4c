"""The simulator as a service: it uploads invented snapshots."""

import sys

from minidata import ledger
from minidata.errors import TransientError
from minidata.settings import Settings
from minidata.warehouse.connection import connect
from operate.embedded.service import PYTHON, Launch, Service
from operate.embedded.settings import as_environment
from operate.embedded.startup_context import StartupContext
from operate.embedded.state import State

_SECRETS = ("generator_access_key_id", "generator_secret_access_key")  # it may put into raw, and no more


def start(start: StartupContext) -> None:
    """Start the simulator, and wait until the first of its rows is in the tables."""
    start.run(SERVICE, "uploading its history")

    def rows() -> None:
        with connect(start.settings, "loader") as connection:
            if not ledger.any_rows_loaded(connection):
                raise TransientError("No row has been loaded yet.")

    start.wait(SERVICE, rows)
    start.report(SERVICE.title, None)


def _launch(state: State, settings: Settings) -> Launch:
    return Launch(
        argv=[sys.executable, "-m", "simulator", "--state", str(state.folder / "simulator.json")],
        environment=PYTHON | as_environment(settings, _SECRETS),
    )


SERVICE = Service("simulator", "Simulator", _launch, restart_on_change=True, stop_seconds=5)
