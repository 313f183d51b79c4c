"""Planted faults on a real platform: `doctor` finds and names each, and the commands that it prints repair it.

It takes a quarter of an hour. With `-s` it prints each fault with what was said and how long the repair took.
"""

import json
import re
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

import psycopg
import pytest

from minidata.store import ObjectStore
from minidata.warehouse.connection import connect, conninfo
from operate.embedded import processes
from operate.embedded.airflow import metadata
from operate.embedded.settings import embedded_settings
from operate.embedded.state import State
from operate.embedded.supervisor import Supervisor
from tests.corpus.case import snapshot
from tests.e2e.conftest import Platform, started

COMMAND = re.compile(r"`\./mdp ([^`]*)`")
STALE_SECONDS = 900
PATIENCE_SECONDS = 60


@dataclass
class Machine:
    """The platform, what the faults need of it, and what must be undone whatever happens."""

    platform: Platform
    undo: ExitStack = field(default_factory=ExitStack)

    @property
    def state(self) -> State:
        return State(self.platform.state)

    def airflow(self, statement: str) -> None:
        with metadata.connect(self.state, embedded_settings(self.state)) as database, database.transaction():
            database.execute(statement.encode())

    def warehouse(self, statement: str) -> None:
        with connect(embedded_settings(self.state), "owner") as database:
            database.execute(statement.encode())

    def suspend(self, name: str) -> None:
        found = processes.find(self.state.folder, name, self.state.postgres / "data" if name == "postgres" else None)
        assert found
        for process in found:
            process.suspend()

    def put(self, key: str, content: bytes) -> None:
        settings = embedded_settings(self.state)
        ObjectStore(settings).write(settings.raw_bucket, key, content)


def pause(machine: Machine) -> None:
    machine.airflow("update dag set is_paused = true where dag_id = 'youtube_stats'")


def fail(machine: Machine) -> None:
    pause(machine)
    machine.put("fails.csv", snapshot("fails"))
    time.sleep(3)
    machine.warehouse("update mdp.files set state = 'failed' where key = 'fails.csv'")
    machine.airflow("update dag set is_paused = false where dag_id = 'youtube_stats'")


def refuse(machine: Machine) -> None:
    machine.put("refused.csv", b"a,b\n1,2\n")
    machine.platform.mdp("wait", "--timeout", "60")


def dismiss(machine: Machine) -> None:
    machine.platform.mdp("quarantine", "dismiss", "refused.csv", "--why", "planted")


def age(machine: Machine) -> None:
    machine.warehouse("update mdp.files set arrived_at = arrived_at - interval '1 day'")


def upload(machine: Machine) -> None:
    machine.platform.load({f"fresh-{time.time_ns()}.csv": snapshot(f"fresh-{time.time_ns()}")})


def use_connections(machine: Machine) -> None:
    address = conninfo(embedded_settings(machine.state), "loader")
    with suppress(psycopg.OperationalError):  # until the server refuses the next one
        while True:
            machine.undo.enter_context(psycopg.connect(address))


def close_some(machine: Machine) -> None:
    machine.undo.close()


def spoil_declaration(machine: Machine) -> None:
    file = machine.platform.datasets / "youtube_stats" / "dataset.yaml"
    good = file.read_text()
    file.write_text(good + "\nnonsense: [\n")
    machine.undo.callback(file.write_text, good)


def drop_view(machine: Machine) -> None:
    machine.warehouse("drop view mart.file_arrivals cascade")


def revoke(machine: Machine) -> None:
    machine.warehouse("revoke insert on youtube_stats.video_metrics from mdp_loader")


def blind(machine: Machine) -> None:
    machine.warehouse("revoke select on mart.video_metrics from mdp_bi")


def end_supervisor(machine: Machine) -> None:
    for process in processes.find(machine.state.folder):
        process.kill()


@dataclass(frozen=True)
class Fault:
    """What is planted, by which name it must be found, and what only a person can do before the printed commands."""

    plant: Callable[[Machine], None]
    named: str
    person: Callable[[Machine], None] = lambda _: None


def suspended(name: str) -> Fault:
    return Fault(lambda machine: machine.suspend(name), "service_hangs")


def stopped(name: str) -> Fault:
    return Fault(lambda machine: Supervisor(machine.state).stop(name), "service_down")


SERVICES = (
    *("postgres", "object-store", "relay"),
    *("airflow-api", "airflow-scheduler", "airflow-processor", "airflow-triggerer"),
)
FAULTS = {
    **{f"{name} is suspended": suspended(name) for name in SERVICES},
    **{f"{name} is stopped": stopped(name) for name in SERVICES},
    "the DAG is paused": Fault(pause, "dag_paused"),
    "a file has failed": Fault(fail, "files_failed"),
    "a file is refused": Fault(refuse, "files_quarantined", dismiss),
    "nothing new for a day": Fault(age, "stale", upload),
    "all connections are in use": Fault(use_connections, "connections_low", close_some),
    "a declaration is wrong": Fault(spoil_declaration, "declaration_broken", close_some),
    "a view is dropped": Fault(drop_view, "view"),
    "the loader may not insert": Fault(revoke, "table"),
    "readers may not read": Fault(blind, "view"),
    "every process is killed": Fault(end_supervisor, "not_running"),
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MDP_STALE_SECONDS", str(STALE_SECONDS))
        with started(Platform(tmp_path_factory.mktemp("faults") / "state")) as platform:
            yield Machine(platform)


def doctor(machine: Machine) -> dict[str, str]:
    """Return the fixes of what the doctor finds wrong, by code; of a hop, by the hop's name."""
    result = machine.platform.mdp("doctor", "--patience", "8", "--json", check=False)
    assert "Traceback" not in result.stderr
    found = [check for check in json.loads(result.stdout) if check["outcome"] == "failed"]
    assert result.returncode == (1 if found else 0)
    return {name: check["fix"] for check in found for name in (check["code"], check["name"].split(": ")[-1])}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_named_and_repaired_by_the_printed_commands(machine: Machine, name: str) -> None:
    fault = FAULTS[name]
    machine.platform.mdp("up", "--no-bi", "--no-simulator")  # whatever the fault before has left
    machine.platform.load({f"before-{time.time_ns()}.csv": snapshot(f"before-{time.time_ns()}")})
    with machine.undo:
        fault.plant(machine)
        status = machine.platform.mdp("status", "--json", check=False)
        if fault.named == "not_running":
            assert status.returncode == 3 or not json.loads(status.stdout)["running"]
            fix = "`./mdp up`"
        else:
            told = {problem["code"] for problem in json.loads(status.stdout)["problems"]}
            assert fault.named in told or fault.named in {"view", "table"}
            found = doctor(machine)
            assert fault.named in found, found
            fix = found[fault.named]
        fault.person(machine)
        begun = time.monotonic()
        for command in COMMAND.findall(fix):
            machine.platform.mdp(*shlex.split(command), check=False)
    machine.platform.mdp("wait", "--timeout", "90", "--strict")
    end = time.monotonic() + PATIENCE_SECONDS
    while (left := doctor(machine)) and time.monotonic() < end:  # a component that restarts is silent for a while
        time.sleep(2)
    assert left == {}
    assert json.loads(machine.platform.mdp("status", "--json").stdout)["healthy"]
    print(f"| {name} | {fault.named} | {fix} | {time.monotonic() - begun:.0f} s |")  # noqa: T201
