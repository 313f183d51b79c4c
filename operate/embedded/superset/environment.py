"""The environment that Superset runs in: its own, for its pins and ours contradict each other."""

import os
import shutil
import subprocess
import sys
import venv
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import psutil

from minidata.errors import PermanentError
from minidata.settings import PROJECT
from operate.embedded.preflight import require_space
from operate.embedded.processes import in_background

LOCK = PROJECT / "locks" / "superset.txt"
BUILD_LOCK = PROJECT / "locks" / "superset.build.txt"
TOOLS = PROJECT / ".mdp"
SIZE = "230 MB to download, 700 MB on disk"
_SPACE = 10**9  # bytes
Report = Callable[[str], None]


def folder() -> Path:
    """Return where the environment of the present lock belongs, whether it is there or not."""
    checksum = 0
    for file in (LOCK, BUILD_LOCK):
        checksum = zlib.crc32(file.read_bytes(), checksum)
    return TOOLS / f"superset-{checksum}"


def python() -> Path:
    """Return the environment's Python.

    Raises:
        PermanentError: if the environment is not there.
    """
    program = folder() / "bin" / "python"
    if not program.exists():
        raise PermanentError(f"Superset is not installed in {folder()}. `./mdp up` installs it.")
    return program


def create(report: Report, marked: Mapping[str, str] = MappingProxyType({})) -> Path:
    """Make the environment unless it is there: beside its place, then moved there at one stroke.

    Args:
        report: told what is being done, in a few words; it may raise to end the work.
        marked: variables by which the installer's processes are found.

    Returns:
        Its folder.

    Raises:
        PermanentError: if it cannot be made, with the installer's last words.
    """
    target = folder()
    if (target / "bin" / "python").exists():
        return target
    TOOLS.mkdir(mode=0o700, exist_ok=True)
    _remove_leftovers()
    require_space(TOOLS, _SPACE, "Superset's packages take", "Free some, or go without dashboards: `./mdp up --no-bi`.")
    building = target.with_name(f"{target.name}.building.{os.getpid()}")
    try:
        uv = _uv(report, marked)
        report(f"installs Superset: {SIZE}, once")
        _run([uv, "venv", "--quiet", "--relocatable", "--python", sys.executable, str(building)], report, marked)
        program = str(building / "bin" / "python")
        # `sync` installs exactly the lock. The few source packages are built with pinned tools as well.
        # Byte code is left to the first run: it imports a third of the modules, and writes theirs for good.
        install = [uv, "pip", "sync", "--python", program, "--require-hashes", "-b", str(BUILD_LOCK), str(LOCK)]
        _run(install, report, marked)
        if not target.exists():  # whoever comes second finds the work done
            building.rename(target)
    except OSError as error:
        raise PermanentError(
            f"Superset cannot be installed in {TOOLS}: {error}. Is there space, and may you write there?"
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target


def _remove_leftovers() -> None:
    for path in TOOLS.glob("superset-*.building.*"):
        if not psutil.pid_exists(int(path.suffix.removeprefix("."))):
            shutil.rmtree(path, ignore_errors=True)


def _uv(report: Report, marked: Mapping[str, str]) -> str:
    """Return the installer: the one on the PATH, the one that ./mdp has installed, or one installed now."""
    own = TOOLS / "uv" / "bin" / "uv"
    for candidate in (shutil.which("uv"), str(own)):
        if candidate and _works(candidate):
            return candidate
    report("installs uv, the package installer")
    venv.create(own.parent.parent, with_pip=True, clear=True)
    pip = [str(own.with_name("python")), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    _run([*pip, "--require-hashes", "-r", str(PROJECT / "locks" / "uv.txt")], report, marked)
    return str(own)


def _works(uv: str) -> bool:
    try:
        return subprocess.run([uv, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _run(command: list[str], report: Report, marked: Mapping[str, str]) -> None:
    """Run the installer, passing on what it says; it sees the caller's proxies, certificates and index."""
    said = []
    with subprocess.Popen(
        in_background(command),
        env={**_environment(), **marked},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in _lines(process):
            said.append(line)
            if line.startswith(("Downloading", "Building", "Prepared", "Installed")):
                report(line[0].lower() + line[1:])
    if process.returncode:
        raise PermanentError(
            "Superset's packages could not be installed; nothing was changed. Is there a network, and does pip "
            "reach its index? `./mdp up --no-bi` goes without. The installer said:\n" + "\n".join(said[-15:])
        )


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    for line in process.stdout or ():
        if line.strip():
            yield line.strip()


def _environment() -> dict[str, str]:
    """Return our environment without what misleads a Python; whoever has an index for pip has it for uv."""
    hidden = {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    if not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(environment):
        index = environment.get("PIP_INDEX_URL") or _pip_index()
        if index:
            environment["UV_DEFAULT_INDEX"] = index
    if "UV_CACHE_DIR" not in environment and not _can_make(Path("~/.cache/uv").expanduser()):
        environment["UV_CACHE_DIR"] = str(TOOLS / "cache")
    return environment


def _pip_index() -> str:
    command = ["python3", "-m", "pip", "config", "get", "global.index-url"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def _can_make(path: Path) -> bool:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(path, os.W_OK)
