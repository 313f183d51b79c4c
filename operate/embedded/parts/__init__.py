"""The parts of a start, each a group of services; `operate.embedded.start` puts them in order."""

from dataclasses import dataclass

from minidata.settings import Settings
from operate.embedded import airflow
from operate.embedded.service import TITLES, differs
from operate.embedded.state import State
from operate.embedded.stop import Report
from operate.embedded.supervisor import Supervisor

PROBE_SECONDS = 300
_READ_SETTINGS = ("relay", "simulator", *airflow.COMPONENTS)


@dataclass(frozen=True)
class Start:
    """One start of a platform."""

    state: State
    settings: Settings
    secrets: dict[str, str]
    supervisor: Supervisor
    report: Report

    def run(self, name: str, doing: str = "starting") -> None:
        """Start a service, and tell what it is doing; one that runs already, with these settings, is only looked at."""
        if self.supervisor.start(name):
            self.report(TITLES[name], doing)
            return
        pid = next((info.pid for info in self.supervisor.info() if info.name == name), None)
        if name in _READ_SETTINGS and pid and differs(name, pid, self.state, self.settings):
            self.report(TITLES[name], "restarting, for its settings have changed")
            self.supervisor.stop(name)
            self.supervisor.start(name)
        else:
            self.report(TITLES[name], "checking")
