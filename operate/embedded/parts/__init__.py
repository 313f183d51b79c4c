"""The parts of a start, each a group of services; `operate.embedded.start` puts them in order."""

from dataclasses import dataclass

from minidata.settings import Settings
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
