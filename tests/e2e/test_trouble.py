"""Trouble told well: the platform works, or says why not and what to do next, and its exit code is not 0."""

import os
import resource
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from operate.embedded import processes
from operate.embedded.state import State
from tests.e2e.conftest import PROJECT

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
        """Run it, check that it fails without a traceback and starts nothing; return what it printed."""
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
    done = subprocess.run([PROJECT / "mdp", "--state", "/nowhere", "files"], check=False, capture_output=True)
    assert done.returncode == 3


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


def test_secrets_that_are_gone_are_not_made_again_for_an_old_database(command: Command) -> None:
    State.open(command.state).remember(ports={"postgres": 15999})
    said = command.fails("up")
    assert f"The secrets of this platform, {command.state}/.env, are gone" in said
    assert "from a backup" in said
    assert not (command.state / ".env").exists()


def test_a_wrong_setting_is_not_kept_and_the_environment_is_named(command: Command) -> None:
    wrong = Command(command.state, command.environment | {"MDP_BATCH_FILES": "x"})
    said = wrong.fails("up")
    assert "fix them in the environment" in said
    assert "MDP_BATCH_FILES" in said
    assert not (command.state / "platform.json").exists()


def test_a_folder_of_another_user_is_refused(command: Command) -> None:
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
    assert "--state" in said or "nothing was deleted" in said
    assert [path.name for path in command.state.iterdir()] == ["thesis.tex"]


def test_destroy_takes_only_what_is_the_platforms(command: Command) -> None:
    State.open(command.state).remember(services=[])
    (command.state / "thesis.tex").touch()
    (command.state / "objects" / "1.dat").touch()
    assert f"kept in {command.state}: thesis.tex" in command.works("destroy", "--yes")
    assert [path.name for path in command.state.iterdir()] == ["thesis.tex"]


def test_a_full_disk_is_named(command: Command) -> None:
    said = command.fails("up", files=0)
    assert "disk" in said or "--state" in said
    assert "File too large" in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["upload", __file__],
        ["wait"],
        ["files"],
        ["sql", "select 1"],
        ["generate"],
        ["open"],
        ["replay", "--all"],
        ["logs"],
    ],
)
def test_without_a_platform_a_command_says_how_to_start_one(command: Command, arguments: list[str]) -> None:
    assert f"`./mdp --state {command.state} up`" in command.fails(*arguments, code=3)


def test_a_word_that_is_none_is_named_with_those_that_are(command: Command) -> None:
    said = command.fails("files", "--in", "nonsense", code=2)
    assert "nonsense" in said
    assert "'quarantined'" in said
