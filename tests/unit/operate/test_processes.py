"""Processes of a platform are found by their marker, and ended for certain."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from minidata.errors import PermanentError
from operate.embedded import processes

STUBBORN = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
Start = Callable[[Path, str], subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    started = []

    def run(state: Path, service: str) -> subprocess.Popen[bytes]:
        marked = processes.marked(state, service)
        process = subprocess.Popen([sys.executable, "-c", STUBBORN], env=marked, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline()  # from here on its environment is its own and SIGINT ignored
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def test_only_the_marked_ones_are_found(tmp_path: Path, start: Start) -> None:
    mine = start(tmp_path, "relay")
    sibling = start(tmp_path, "postgres")
    start(tmp_path / "other", "relay")
    start(Path(f"{tmp_path}:x"), "relay")
    assert [p.pid for p in processes.find(tmp_path, "relay")] == [mine.pid]
    assert {p.pid for p in processes.find(tmp_path)} == {mine.pid, sibling.pid}


def test_one_that_ignores_the_polite_signal_is_killed(tmp_path: Path, start: Start) -> None:
    stubborn = start(tmp_path, "relay")
    other = start(tmp_path, "postgres")
    processes.end(processes.find(tmp_path, "relay"), seconds=0.2)
    assert not psutil.pid_exists(stubborn.pid)
    assert psutil.pid_exists(other.pid)


def test_ending_what_has_ended_is_fine(tmp_path: Path, start: Start) -> None:
    process = start(tmp_path, "relay")
    found = processes.find(tmp_path, "relay")
    process.kill()
    process.wait()
    processes.end(found)
    assert processes.find(tmp_path, "relay") == []


def test_what_runs_in_the_background_gives_way() -> None:
    command = processes.in_background([sys.executable, "-c", "import os; print(os.nice(0))"])
    nice = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert nice == min(os.nice(0) + 10, 19)


def run(code: str, **options: Any) -> str:
    return processes.run([sys.executable, "-c", code], "It failed; try again.", {}, Path("/"), **options)


def test_a_program_gives_its_lines_while_it_runs_and_all_of_them_at_its_end() -> None:
    heard: list[str] = []
    assert run("import sys; print(1, flush=True); sys.stderr.write('two\\n')", heard=heard.append) == "1\ntwo"
    assert heard == ["1", "two"]


def test_a_program_that_fails_is_told_with_its_last_lines() -> None:
    with pytest.raises(
        PermanentError, match=r"(?s)It failed; try again\. python.* ended with 3:\n.*\nline 29$"
    ) as raised:
        run("[print('line', n) for n in range(30)]; raise SystemExit(3)")
    assert "line 10\n" in str(raised.value)
    assert "line 9\n" not in str(raised.value)


def test_a_program_that_does_not_exist_is_told() -> None:
    with pytest.raises(PermanentError, match=r"It failed; try again\. /nowhere/program: "):
        processes.run(["/nowhere/program"], "It failed; try again.", {}, Path("/"))


CHILD = "import subprocess, sys; c = subprocess.Popen(['sleep', '600']); print(c.pid, flush=True); c.wait()"


@pytest.mark.parametrize("ending", ["time", "listener"])
def test_a_program_that_is_ended_takes_its_children_along(ending: str) -> None:
    children: list[int] = []

    def heard(line: str) -> None:
        children.append(int(line))
        if ending == "listener":
            raise KeyboardInterrupt

    with pytest.raises((PermanentError, KeyboardInterrupt)):
        run(CHILD, heard=heard, seconds=2 if ending == "time" else None)
    deadline = time.monotonic() + 10
    while psutil.pid_exists(children[0]) and psutil.Process(children[0]).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)
