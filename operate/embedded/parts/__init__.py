"""The parts of a start, each a group of services; `operate.embedded.start` puts them in order."""

from dataclasses import dataclass

from minidata.settings import Settings
from operate.embedded.service import TITLES
from operate.embedded.state import State
from operate.embedded.stop import Report
from operate.embedded.supervisor import Supervisor

PROBE_SECONDS = 300


@dataclass(frozen=True)
class Start:
    """One start of a platform."""

    state: State
    settings: Settings
    secrets: dict[str, str]
    supervisor: Supervisor
    report: Report

    def run(self, name: str, doing: str = "starting") -> None:
        """Start a service, and tell what it is doing; one that runs already is only looked at."""
        self.report(TITLES[name], doing if self.supervisor.start(name) else "checking")
