"""Trouble told well: the platform works, or says why not and what to do next, and its exit code is not 0."""

import json
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from operate.embedded import processes
from operate.embedded.ports import listens_on
from operate.embedded.state import State
from tests.e2e.conftest import PROJECT, Platform
from tests.e2e.test_from_upload_to_table import snapshot

STRANGER = 4711  # a user id without a name


@dataclass(frozen=True)
class Command:
    """`./mdp` for a platform of its own, in an environment of the test's making."""

    state: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": os.environ["PATH"], "HOME": "/tmp"})
    shell: str = ""

    def argv(self, *arguments: str) -> list[str]:
        return [
            "sh",
            "-c",
            f'{self.shell} exec "$0" "$@"',
            str(PROJECT / "mdp"),
            "--state",
            str(self.state),
            *arguments,
        ]

    def run(self, *arguments: str, files: int | None = None) -> subprocess.CompletedProcess[str]:
        """Run it to its end; files may not grow beyond so many bytes."""

        def limit() -> None:
            if files is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (files, files))

        return subprocess.run(
            self.argv(*arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            preexec_fn=limit,
        )

    def fails(self, *arguments: str, code: int = 1, files: int | None = None) -> str:
        """Run it, see that it fails without a traceback and starts nothing; return what it said."""
        result = self.run(*arguments, files=files)
        assert result.returncode == code, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        assert processes.find(self.state.resolve()) == []
        return result.stderr

    def works(self, *arguments: str) -> str:
        result = self.run(*arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    """The packages come from wherever this machine gets them; the troubles below begin after that."""
    subprocess.run([PROJECT / "mdp", "--help"], check=True, capture_output=True)


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path / "state")


# Each of these ends before anything is started.


def test_a_port_that_is_taken_is_named_with_its_owner(command: Command) -> None:
    state = State.open(command.state)
    command.state.joinpath(".env").touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        state.remember(ports={"postgres": port})
        said = command.fails("up")
    assert f"Port {port} on 127.0.0.1" in said
    assert f"pid {os.getpid()}" in said
    assert "Stop that program" in said


def test_a_second_up_at_once_is_turned_away(command: Command) -> None:
    with State.open(command.state).exclusive():
        said = command.fails("up")
    assert "Another `mdp` command" in said
    assert "Wait for it to end" in said


@pytest.mark.parametrize("verb", ["up", "down", "status", "destroy"])
def test_the_state_of_another_version_is_left_alone(command: Command, verb: str) -> None:
    command.state.mkdir()
    (command.state / "platform.json").write_text('{"layout": 99, "novelty": true}')
    said = command.fails(verb, *["--yes"] * (verb == "destroy"))
    assert "another version of this program (layout 99" in said
    assert "--state" in said
    assert [path.name for path in command.state.iterdir()] == ["platform.json"]


@pytest.mark.parametrize("kind", ["folder", "latin-1"])
def test_secrets_that_cannot_be_read_are_named(command: Command, kind: str) -> None:
    secrets = command.state / ".env"
    if kind == "folder":
        secrets.mkdir(parents=True)
    else:
        command.state.mkdir()
        secrets.write_bytes("MDP_BI_PASSWORD=geheim_ä\n".encode("latin-1"))
    said = command.fails("up")
    assert f"The secrets in {secrets} cannot be read" in said
    assert "then try again" in said


def test_secrets_that_are_gone_are_not_made_anew_over_an_old_database(command: Command) -> None:
    State.open(command.state).remember(ports={"postgres": 15999})
    said = command.fails("up")
    assert f"The secrets of this platform, {command.state}/.env, are gone" in said
    assert "from a backup" in said
    assert not (command.state / ".env").exists()


def test_a_folder_of_somebody_else_is_refused(command: Command) -> None:
    command.state.mkdir()
    if os.geteuid() == 0:
        os.chown(command.state, STRANGER, STRANGER)
    else:
        command.state.chmod(0o500)
    try:
        assert "--state" in command.fails("up")
    finally:
        command.state.chmod(0o700)


@pytest.mark.parametrize("verb", ["up", "destroy"])
def test_a_folder_with_other_things_is_refused_and_left_alone(command: Command, verb: str) -> None:
    command.state.mkdir()
    (command.state / "thesis.tex").touch()
    said = command.fails(verb, *["--yes"] * (verb == "destroy"))
    assert "--state" in said or "nothing was removed" in said
    assert [path.name for path in command.state.iterdir()] == ["thesis.tex"]


def test_destroy_takes_only_what_is_the_platforms(command: Command) -> None:
    State.open(command.state).remember(services=[])
    (command.state / "thesis.tex").touch()
    (command.state / "objects" / "1.dat").touch()
    assert "Left alone" in command.works("destroy", "--yes")
    assert [path.name for path in command.state.iterdir()] == ["thesis.tex"]


def test_a_full_disk_is_named(command: Command) -> None:
    said = command.fails("up", files=0)
    assert "disk" in said or "--state" in said
    assert "File too large" in said


@pytest.mark.parametrize(
    "arguments",
    [["upload", __file__], ["wait"], ["files"], ["sql", "select 1"], ["generate"], ["open"], ["replay", "--all"]],
)
def test_without_a_platform_a_command_says_how_to_start_one(command: Command, arguments: list[str]) -> None:
    assert "./mdp up" in command.fails(*arguments, code=3)


def test_a_word_that_is_none_is_named_with_those_that_are(command: Command) -> None:
    said = command.fails("files", "--in", "nonsense", code=2)
    assert "nonsense" in said
    assert "'quarantined'" in said


# One platform meets all of these at once: it works.


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    folder = tmp_path_factory.mktemp("trouble")
    (folder / "polars.py").write_text("raise SystemExit('a false polars')")
    poison = {
        "PATH": os.environ["PATH"],  # and no HOME
        "PYTHONPATH": str(folder),
        "PYTHONHOME": "/nowhere",
        "PGHOST": "db.example.com",
        "PGHOSTADDR": "192.0.2.1",
        "PGSERVICE": "nowhere",
        "PGOPTIONS": "-c search_path=nowhere",
        "PGTZ": "Asia/Kathmandu",
        "AWS_PROFILE": "nobody",
        "AWS_ENDPOINT_URL": "http://192.0.2.1:9",
        "AWS_CA_BUNDLE": "/nowhere",
        "AIRFLOW_HOME": "/nowhere",
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////nowhere",
        "TZ": "Asia/Kathmandu",
        "LC_ALL": "tr_TR.UTF-8",
        **dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9"),
    }
    command = Command(folder / "state", poison, "umask 000; ulimit -n 256;")
    stale = State.open(command.state)
    leftover = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        env={processes.MARKER: processes.marker(stale.folder, "postgres")},
    )
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(stale.run / "supervisor.sock"))
    (stale.run / "supervisord.pid").write_text("1\n")
    try:
        _interrupt(command)
        assert leftover.wait(10) != 0
        command.works("up", "--no-bi", "--no-simulator")
        yield command
    finally:
        leftover.kill()
        command.run("down")
        command.run("destroy", "--yes")


def _interrupt(command: Command) -> None:
    """Press Ctrl-C while servers are starting: nothing is left running."""
    with subprocess.Popen(
        command.argv("up", "--no-bi", "--no-simulator"),
        env=command.environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    ) as up:
        assert up.stderr
        said = [next(line for line in up.stderr if line.startswith("PostgreSQL: starting"))]
        os.killpg(up.pid, signal.SIGINT)
        said += up.stderr
    assert up.returncode == 130, said
    assert any("is stopped" in line for line in said)
    assert processes.find(command.state) == []


def test_it_starts_after_ctrl_c_over_leftovers_in_a_hostile_environment_and_loads(
    troubled: Command, tmp_path: Path
) -> None:
    (tmp_path / "ışık.csv").write_bytes(snapshot(7, 50))
    elsewhere = Command(troubled.state, troubled.environment | {"LC_ALL": "C", "HOME": "/proc"}, troubled.shell)
    uploaded = json.loads(elsewhere.works("upload", str(tmp_path), "--wait", "--json"))
    assert [(file["key"], file["state"]) for file in uploaded] == [("ışık.csv", "archived")]
    assert "ışık.csv" in elsewhere.works("files")
    assert json.loads(troubled.works("status", "--json"))["healthy"]


def test_whatever_the_umask_nobody_else_can_read_a_file(troubled: Command) -> None:
    for path in (troubled.state, troubled.state / ".env", troubled.state / "platform.json"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    open_to_all = [p for p in troubled.state.rglob("*") if not p.is_symlink() and p.stat().st_mode & 0o002]
    assert [path for path in open_to_all if not stat.S_ISSOCK(path.stat().st_mode)] == []


def test_an_up_on_top_of_a_running_one_changes_nothing(troubled: Command) -> None:
    before = {service["name"]: service["pid"] for service in json.loads(troubled.works("status", "--json"))["services"]}
    troubled.works("up", "--no-bi", "--no-simulator")
    after = {service["name"]: service["pid"] for service in json.loads(troubled.works("status", "--json"))["services"]}
    assert before == after


def test_two_platforms_side_by_side_know_nothing_of_each_other(troubled: Command, platform: Platform) -> None:
    ours, theirs = State(troubled.state).platform.ports, State(platform.state).platform.ports
    assert set(ours) == set(theirs)
    taken = [{port for name, base in ports.items() for port in listens_on(name, base)} for ports in (ours, theirs)]
    assert taken[0].isdisjoint(taken[1])
    assert "ışık.csv" not in {file["key"] for file in platform.json("files")}


def test_down_and_destroy_leave_nothing_behind(troubled: Command) -> None:
    home = State(troubled.state).platform.postgres_home
    troubled.works("down")
    assert processes.find(troubled.state) == []
    assert not [s for s in psutil.net_connections("tcp") if s.status == psutil.CONN_LISTEN and _is_of(troubled, s)]
    assert "not running" in troubled.fails("files", code=3)
    troubled.works("destroy", "--yes")
    assert not troubled.state.exists()
    assert home is None or not home.exists()


def _is_of(command: Command, connection: object) -> bool:
    ports = State(command.state).platform.ports
    return getattr(connection, "laddr").port in {p for name, base in ports.items() for p in listens_on(name, base)}  # noqa: B009
