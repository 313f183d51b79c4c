"""What the start of each service needs: the platform, its settings, its supervisor."""

from collections.abc import Callable
from dataclasses import dataclass

from minidata.warehouse.__main__ import Administration
from operate.embedded.hanging import processes_of, suspended
from operate.embedded.service import Report, Service
from operate.embedded.state import State
from operate.embedded.supervisor import Supervisor

_PROBE_SECONDS = 300


@dataclass(frozen=True)
class StartupContext:
    """One start: the platform, its settings, and the means to start its services.

    Attributes:
        state: the platform's folder.
        settings: how to reach its servers.
        secrets: the `MDP_*` variables of its file of secrets.
        supervisor: runs the services.
        report: told what is being done.
    """

    state: State
    settings: Administration
    secrets: dict[str, str]
    supervisor: Supervisor
    report: Report

    def run(self, service: Service, doing: str = "starting") -> None:
        """Start a service, or restart one that is suspended or has changed settings, and report what is being done."""
        if self.supervisor.start(service.name):
            self.report(service.title, doing)
            return
        if suspended(processes_of(self.state, service.name)):
            self._restart(service, "restarting: it was suspended")
            return
        pid = self.supervisor.pid(service.name)
        if service.restart_on_change and pid and service.differs(pid, self.state, self.settings):
            self._restart(service, "restarting with changed settings")
        else:
            self.report(service.title, "checking")

    def _restart(self, service: Service, doing: str) -> None:
        self.report(service.title, doing)
        self.supervisor.stop(service.name)
        self.supervisor.start(service.name)

    def wait(self, service: Service, probe: Callable[[], object]) -> None:
        """Wait until a service works: the probe raises TransientError until then."""
        self.supervisor.wait(service.name, probe, _PROBE_SECONDS)

    def step(self, service: Service) -> Callable[[str], None]:
        """Return a report of the steps of one service; it raises TransientError once the start was given up."""

        def say(doing: str) -> None:
            self.supervisor.go_on()
            self.report(service.title, doing)

        return say
