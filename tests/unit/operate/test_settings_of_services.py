"""What the services of an embedded platform are told: their settings, the secrets that they need, and no others."""

import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from minidata.errors import PermanentError
from minidata.warehouse.__main__ import Administration
from operate.embedded import ports
from operate.embedded.airflow import service as airflow
from operate.embedded.launcher import SERVICES
from operate.embedded.settings import (
    as_environment,
    embedded_settings,
    make_secrets,
    read_secrets,
    secrets_file,
    settings_in_environment,
)
from operate.embedded.startup_context import StartupContext
from operate.embedded.state import State
from operate.embedded.supervisor import ServiceInfo, Supervisor

PIPELINE = {"MDP_LOADER_PASSWORD", "MDP_S3_ACCESS_KEY_ID", "MDP_S3_SECRET_ACCESS_KEY"}
GENERATOR = {"MDP_GENERATOR_ACCESS_KEY_ID", "MDP_GENERATOR_SECRET_ACCESS_KEY"}


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State.open(tmp_path / "state")
    make_secrets(made)
    ports.choose_ports(made, ["postgres", *ports.SEAWEED, "airflow"])
    return made


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("relay", {"MDP_LOADER_PASSWORD"}),
        ("simulator", GENERATOR),
        *((component.name, PIPELINE) for component in airflow.SERVICES),
    ],
)
def test_a_service_holds_the_secrets_that_it_needs_and_no_others(state: State, name: str, needed: set[str]) -> None:
    settings = embedded_settings(state, Administration)
    started = SERVICES[name].launch(state, settings).environment
    secrets = {variable: value for variable, value in read_secrets(state).items() if len(value) >= 20}
    of_settings = set(secrets) & set(as_environment(settings))
    assert of_settings > PIPELINE | GENERATOR
    assert {variable for variable in of_settings if secrets[variable] in started.values()} == needed
    assert started["MDP_RAW_BUCKET"] == "raw"


def test_a_wrong_value_is_told_as_one_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDP_BATCH_FILES", "x")
    with pytest.raises(PermanentError, match=r"(?s)fix them in the environment.*MDP_BATCH_FILES"):
        settings_in_environment()


def test_a_wrong_value_of_the_file_is_told_as_such(state: State) -> None:
    file = secrets_file(state)
    file.write_text(file.read_text() + "MDP_BATCH_FILES=x\n")
    with pytest.raises(PermanentError, match=rf"(?s)fix them in {file}:.*MDP_BATCH_FILES"):
        embedded_settings(state)


def test_what_is_set_in_the_file_of_secrets_stays_and_what_is_empty_or_lacking_is_filled(tmp_path: Path) -> None:
    state = State.open(tmp_path)
    file = secrets_file(state)
    file.write_text("MDP_BI_PASSWORD=mine\nMDP_OWNER_PASSWORD= \nMDP_BATCH_FILES=7")  # no line end
    make_secrets(state)
    first, secrets = file.read_bytes(), read_secrets(state)
    assert (secrets["MDP_BI_PASSWORD"], secrets["MDP_BATCH_FILES"]) == ("mine", "7")
    assert len(secrets["MDP_OWNER_PASSWORD"]) == len(secrets["MDP_ADMIN_PASSWORD"]) == 64
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    make_secrets(state)
    assert file.read_bytes() == first


class Running:
    """A supervisor whose services run already."""

    def __init__(self, *running: ServiceInfo) -> None:
        self.running = running
        self.asked: list[str] = []

    def start(self, name: str) -> bool:
        self.asked.append(f"start {name}")
        return False

    def stop(self, name: str) -> None:
        self.asked.append(f"stop {name}")

    def pid(self, name: str) -> int | None:
        return next((info.pid for info in self.running if info.name == name), None)


@contextmanager
def process(state: State, name: str, settings: Administration) -> Iterator[int]:
    """Run a process with the variables of a service; gives its id."""
    variables = SERVICES[name].environment(state, SERVICES[name].launch(state, settings))
    with subprocess.Popen([sys.executable, "-c", "input()"], env=variables, stdin=subprocess.PIPE) as child:
        try:
            yield child.pid
        finally:
            child.kill()


@pytest.mark.parametrize("name", ["relay", "simulator", *(component.name for component in airflow.SERVICES)])
@pytest.mark.parametrize("changed", [False, True])
def test_a_running_service_is_restarted_if_its_settings_have_changed(state: State, name: str, changed: bool) -> None:
    settings = embedded_settings(state, Administration)
    with process(state, name, settings) as pid:
        if changed:
            state.remember(settings={"MDP_RAW_BUCKET": "other"})
        supervisor, said = Running(ServiceInfo(name, "RUNNING", pid)), list[str | None]()
        now = embedded_settings(state, Administration)
        start = StartupContext(state, now, {}, cast("Supervisor", supervisor), lambda title, doing: said.append(doing))
        start.run(SERVICES[name])
    restart = [f"stop {name}", f"start {name}"]
    assert supervisor.asked == [f"start {name}", *(restart if changed else [])]
    assert said == ["restarting with changed settings" if changed else "checking"]
