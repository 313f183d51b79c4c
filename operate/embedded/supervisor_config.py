"""The supervisor's configuration."""

import os
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from minidata.errors import PermanentError
from minidata.settings import PROJECT
from operate.embedded.state import State

_LOG_BYTES = 10 * 2**20


@dataclass(frozen=True)
class Program:
    """A service under supervision; its name is also that of its launcher in `operate.embedded.service`.

    Attributes:
        name: of the service.
        stop_signal: the polite signal, without SIG.
        stop_seconds: how long it may take to stop before it is killed.
        stop_group: whether its children get the polite signal as well.
        start_retries: how often a start is tried again before the service counts as failed.
    """

    name: str
    stop_signal: str = "TERM"
    stop_seconds: int = 10
    stop_group: bool = True
    start_retries: int = 5


def configuration(state: State, socket: Path, programs: Sequence[Program]) -> str:
    """Write supervisor's configuration; it holds no secret, for each launcher reads its own.

    Raises:
        PermanentError: if a path cannot be written in such a file.
    """
    sections = [
        f"[unix_http_server]\nfile={_path(socket)}\nchmod=0600",
        f"[supervisord]\nlogfile={_path(state.logs / 'supervisord.log')}\nlogfile_maxbytes={_LOG_BYTES}\n"
        f"logfile_backups=2\npidfile={_path(socket.with_name('supervisord.pid'))}\numask=077\n"
        f"childlogdir={_path(state.logs)}\nidentifier=mdp" + ("\nuser=root" if os.geteuid() == 0 else ""),
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for program in programs:
        launcher = [
            sys.executable,
            "-m",
            "operate.embedded.service",
            program.name,
            "--state",
            str(state.folder),
        ]
        sections.append(
            f"[program:{program.name}]\ncommand={_escaped(shlex.join(launcher))}\ndirectory={_path(PROJECT)}\n"
            f"autostart=false\nautorestart=true\nstartsecs=1\nstartretries={program.start_retries}\n"
            f"stopsignal={program.stop_signal}\nstopwaitsecs={program.stop_seconds}\n"
            f"stopasgroup={str(program.stop_group).lower()}\nkillasgroup=true\nredirect_stderr=true\n"
            # supervisor expands this one value twice
            f"stdout_logfile={_escaped(_path(state.logs / f'{program.name}.log'))}\n"
            f"stdout_logfile_maxbytes={_LOG_BYTES}\nstdout_logfile_backups=2"
        )
    return "\n\n".join(sections) + "\n"


def _path(path: Path) -> str:
    return _escaped(str(path))


def _escaped(text: str) -> str:
    """Escape text for a value: `%` begins an expansion; a comment, once begun, cannot be escaped at all."""
    if re.search(r"\s[;#]|[\r\n]|%\(here\)s", text):
        raise PermanentError(
            f"The path in `{text}` holds a line break, or a blank before `;` or `#`, which the supervisor's "
            "configuration cannot express. Move the folder, or choose another with --state."
        )
    return text.replace("%", "%%")
