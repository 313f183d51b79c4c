"""How the parts of a start go on, or end, together."""

import subprocess
import sys
import time
from pathlib import Path
from typing import cast

import pytest

from minidata.errors import PermanentError, TransientError
from minidata.warehouse.__main__ import Administration
from operate.embedded import processes
from operate.embedded.start import _side_by_side
from operate.embedded.startup_context import StartupContext
from operate.embedded.state import State
from operate.embedded.supervisor import Supervisor


@pytest.fixture
def start(tmp_path: Path) -> StartupContext:
    state = State.open(tmp_path / "state")
    return StartupContext(state, cast("Administration", None), {}, Supervisor(state), lambda title, doing: None)


def test_all_parts_are_run(start: StartupContext) -> None:
    done: list[int] = []
    with _side_by_side(start) as submit:
        for number in range(3):
            submit(done.append, number)
    assert sorted(done) == [0, 1, 2]
    start.supervisor.go_on()


@pytest.mark.parametrize("reason", [PermanentError("no disk"), KeyboardInterrupt()], ids=["failure", "Ctrl-C"])
def test_after_a_failure_the_programs_of_the_others_are_killed(start: StartupContext, reason: BaseException) -> None:
    endings: list[int] = []

    def install() -> None:
        # A program that begins only when the end has come already is ended as well.
        while not endings and not start.supervisor._given_up.is_set():
            time.sleep(0.01)
        program = [sys.executable, "-c", "import time; time.sleep(600)"]
        endings.append(
            subprocess.run(program, env=processes.marked(start.state.folder, processes.ONCE), check=False).returncode
        )

    def fail() -> None:
        with _side_by_side(start) as submit:
            submit(install)
            raise reason

    with pytest.raises(type(reason)):
        fail()
    assert endings == [-9]
    with pytest.raises(TransientError):
        start.supervisor.go_on()
