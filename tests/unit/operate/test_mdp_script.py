"""The script `./mdp`: it makes the environment once, and says what is missing where it cannot."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from minidata.settings import PROJECT

NEEDED = (
    "sh",
    "env",
    "dirname",
    "readlink",
    "cksum",
    "cut",
    "mkdir",
    "rm",
    "mv",
    "sleep",
    "touch",
    "cat",
    "awk",
    "sed",
)
OLD_PYTHON = 'case "$1" in -V) echo Python 3.9.18 ;; *) exit 1 ;; esac'
# An installer that works: its environment's Python tells what it was called with.
UV = """case "$1" in
    --version) ;;
    venv) for folder; do :; done; mkdir -p "$folder/bin"; printf '#!/bin/sh\\necho "$@"\\n' >"$folder/bin/python" ;;
    pip) chmod +x "$4/../python" 2>/dev/null; echo "$UV_CACHE_DIR" >"$(dirname "$0")/cache"; {pip} ;;
esac"""


@dataclass(frozen=True)
class Checkout:
    """A copy of the script and the locks, on a machine that has nothing but the programs named."""

    root: Path

    @property
    def programs(self) -> Path:
        return self.root / "programs"

    @property
    def tools(self) -> list[str]:
        return sorted(path.name for path in (self.root / ".mdp").iterdir())

    def install(self, name: str, body: str) -> None:
        (self.programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (self.programs / name).chmod(0o755)

    def environment(self, **more: str) -> dict[str, str]:
        return {"PATH": str(self.programs), "HOME": str(self.root / "home"), **more}

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["./mdp", *arguments],
            cwd=self.root,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "ein ‚Klon‘")
    made.programs.mkdir(parents=True)
    shutil.copy(PROJECT / "mdp", made.root)
    shutil.copytree(PROJECT / "locks", made.root / "locks")
    (made.root / "docs").mkdir()
    shutil.copy(PROJECT / "docs" / "commands.md", made.root / "docs")
    for name in (*NEEDED, "chmod"):
        found = shutil.which(name)
        assert found, name
        (made.programs / name).symlink_to(found)
    return made


def uv(pip: str = ":") -> str:
    return UV.replace("{pip}", pip).replace('"$4/../python"', '"$(dirname "$4")/python"').replace("$4", "$5")


def test_an_old_python_is_named_with_what_is_needed(checkout: Checkout) -> None:
    checkout.install("python3", OLD_PYTHON)
    result = checkout.run("up")
    assert result.returncode == 1
    assert "Python 3.11 to 3.13 is needed" in result.stderr
    assert "3.9.18" in result.stderr
    assert "Install" in result.stderr
    assert checkout.tools == []


def test_no_python_at_all_is_named_too(checkout: Checkout) -> None:
    result = checkout.run("up")
    assert result.returncode == 1
    assert "Python 3.11 to 3.13 is needed" in result.stderr


def test_a_newer_python_beside_an_old_one_is_found(checkout: Checkout) -> None:
    checkout.install("python3", OLD_PYTHON)
    checkout.install("python3.12", f"exec '{sys.executable}' \"$@\"")
    checkout.install("uv", uv())
    assert checkout.run("up").returncode == 0


def test_without_a_network_it_says_so_and_leaves_nothing(checkout: Checkout) -> None:
    checkout.install("python3", f"exec '{sys.executable}' \"$@\"")
    result = checkout.run("up", PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0", PIP_CONFIG_FILE=os.devnull)
    assert result.returncode == 1
    assert "18 MB to download" in result.stderr
    assert "Is there a network" in result.stderr
    assert checkout.tools == []


def test_packages_that_cannot_be_had_leave_nothing(checkout: Checkout) -> None:
    checkout.install("python3", f"exec '{sys.executable}' \"$@\"")
    checkout.install("uv", uv("echo no route to the index >&2; exit 2"))
    result = checkout.run("up")
    assert result.returncode == 1
    assert "no route to the index" in result.stderr
    assert "Nothing was changed; run the command again." in result.stderr
    assert checkout.tools == []


def test_it_says_what_it_downloads_makes_the_environment_once_and_runs_the_command_in_it(checkout: Checkout) -> None:
    checkout.install("python3", f"exec '{sys.executable}' \"$@\"")
    checkout.install("uv", uv("echo a long list of packages"))
    leftover = checkout.root / ".mdp" / f"env-1.building.{dead()}"
    leftover.mkdir(parents=True)
    first = checkout.run("status", "--json")
    assert (first.returncode, first.stdout) == (0, "-P -m operate.cli status --json\n")
    assert "230 MB to download, 830 MB on disk, once" in first.stderr
    assert "a long list" not in first.stderr
    assert len(checkout.tools) == 1
    again = checkout.run("status")
    assert (again.returncode, again.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("dev check", "dev"),
        ("--state S test -k x", "dev"),
        ("--state=S dev check", "dev"),
        ("--state test status", "embedded"),
        ("--state=S up", "embedded"),
        ("sql test", "embedded"),
        ("test -k help", "dev"),
    ],
)
def test_tests_and_maintenance_have_their_packages_whichever_platform_is_meant(
    checkout: Checkout, words: str, kind: str
) -> None:
    checkout.install("python3", f"exec '{sys.executable}' \"$@\"")
    checkout.install("uv", uv('echo "$@" >"$(dirname "$0")/heard"'))
    result = checkout.run(*words.split())
    assert (result.returncode, result.stdout) == (0, f"-P -m operate.cli {words}".rstrip() + "\n")
    assert f"locks/{kind}.txt" in (checkout.programs / "heard").read_text()


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("--help", "Usage: ./mdp [OPTIONS] COMMAND"),
        ("", "Usage: ./mdp [OPTIONS] COMMAND"),
        ("dev check --help", "Usage: ./mdp dev check "),
        ("--state test quarantine ls -h", "Usage: ./mdp quarantine ls "),
        ("help test", "Usage: ./mdp test "),
        ("nonsense --help", "Usage: ./mdp [OPTIONS] COMMAND"),
    ],
)
def test_help_installs_nothing(checkout: Checkout, words: str, shown: str) -> None:
    result = checkout.run(*words.split())
    assert (result.returncode, result.stderr, checkout.tools) == (0, "", [])
    assert result.stdout.count("Usage: ") == 1
    assert shown in result.stdout
    assert "##" not in result.stdout


def test_help_for_developers_comes_from_the_environment_of_users(checkout: Checkout) -> None:
    checkout.install("python3", f"exec '{sys.executable}' \"$@\"")
    checkout.install("uv", uv())
    checkout.run("status")
    assert checkout.run("dev", "--help").stdout == "-P -m operate.cli dev --help\n"
    assert len(checkout.tools) == 1


def dead() -> int:
    """Return the id of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.mark.parametrize("home", ["/proc/nobody", None])
def test_without_a_home_that_can_be_written_the_cache_is_our_own(checkout: Checkout, home: str | None) -> None:
    checkout.install("python3", f"exec '{sys.executable}' \"$@\"")
    checkout.install("uv", uv())
    environment = checkout.environment() | ({"HOME": home} if home else {})
    if not home:
        del environment["HOME"]
    subprocess.run(["./mdp", "up"], cwd=checkout.root, env=environment, check=True, capture_output=True)
    assert (checkout.programs / "cache").read_text() == f"{checkout.root}/.mdp/cache\n"


def test_what_misleads_a_python_or_pip_is_not_passed_on(checkout: Checkout) -> None:
    checkout.install("python3", f"exec '{sys.executable}' \"$@\"")
    checkout.install("uv", uv('echo "$PYTHONHOME$PYTHONPATH$PIP_TARGET$VIRTUAL_ENV" >"$(dirname "$0")/heard"'))
    checkout.run("up", PYTHONPATH="/false", PYTHONHOME="/false", PIP_TARGET="/false", VIRTUAL_ENV="/false")
    assert (checkout.programs / "heard").read_text() == "\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_half_way_it_leaves_nothing_half_made(checkout: Checkout, number: signal.Signals) -> None:
    checkout.install("python3", f"exec '{sys.executable}' \"$@\"")
    checkout.install("uv", uv('touch "$(dirname "$0")/busy"; sleep 60'))
    process = subprocess.Popen(
        ["./mdp", "up"],
        cwd=checkout.root,
        env=checkout.environment(),
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,  # a job in the background ignores it
    )
    while not (checkout.programs / "busy").exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, number)  # as a terminal does
    _, said = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert checkout.tools == []
    assert number != signal.SIGINT or b"nothing was changed" in said


def test_a_root_that_cannot_be_written_is_named(checkout: Checkout) -> None:
    (checkout.root / ".mdp").write_text("")
    result = checkout.run("up")
    assert result.returncode == 1
    assert "is " in result.stderr
    assert "writable?" in result.stderr
