"""The supervisor's configuration."""

import os
import re
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from minidata.errors import PermanentError
from minidata.settings import PROJECT
from operate.embedded.service import Service
from operate.embedded.state import State

_LOG_BYTES = 10 * 2**20


def configuration(state: State, socket: Path, services: Iterable[Service]) -> str:
    """Write supervisor's configuration. It holds no secret: each launcher reads its own.

    Raises:
        PermanentError: if a path cannot be written in such a file.
    """
    sections = [
        f"[unix_http_server]\nfile={_escaped(socket)}\nchmod=0600",
        f"[supervisord]\nlogfile={_escaped(state.logs / 'supervisord.log')}\nlogfile_maxbytes={_LOG_BYTES}\n"
        f"logfile_backups=2\npidfile={_escaped(socket.with_name('supervisord.pid'))}\numask=077\n"
        f"childlogdir={_escaped(state.logs)}\nidentifier=mdp" + ("\nuser=root" if os.geteuid() == 0 else ""),
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for service in services:
        launcher = [sys.executable, "-m", "operate.embedded.launcher", service.name, "--state", str(state.folder)]
        sections.append(
            f"[program:{service.name}]\ncommand={_escaped(shlex.join(launcher))}\ndirectory={_escaped(PROJECT)}\n"
            f"autostart=false\nautorestart=true\nstartsecs=1\nstartretries=5\nstopsignal={service.stop_signal}\n"
            f"stopwaitsecs={service.stop_seconds}\nstopasgroup={str(service.stop_group).lower()}\nkillasgroup=true\n"
            # supervisor expands this one value twice
            f"redirect_stderr=true\nstdout_logfile={_escaped(_escaped(state.logs / f'{service.name}.log'))}\n"
            f"stdout_logfile_maxbytes={_LOG_BYTES}\nstdout_logfile_backups=2"
        )
    return "\n\n".join(sections) + "\n"


def _escaped(value: Path | str) -> str:
    """Escape a value: `%` begins an expansion; what begins a comment cannot be escaped at all."""
    text = str(value)
    if re.search(r"\s[;#]|[\r\n]|%\(here\)s", text):
        raise PermanentError(
            f"The path in `{text}` holds a line break, or a blank before `;` or `#`, which the supervisor's "
            "configuration cannot express. Move the folder, or choose another with --state."
        )
    return text.replace("%", "%%")
