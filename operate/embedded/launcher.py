"""All services in the order of starting, and the launcher that becomes one of them.

The supervisor runs `python -m operate.embedded.launcher NAME --state DIR`. Secrets are read here, from the
platform's own files, so that neither the supervisor nor its configuration holds one.
"""

import argparse
import os
import sys
from pathlib import Path

from minidata.errors import PlatformError
from minidata.warehouse.__main__ import Administration
from operate.embedded import ports, processes, simulator, space
from operate.embedded.airflow import service as airflow
from operate.embedded.object_store import service as object_store
from operate.embedded.postgres import server as postgres
from operate.embedded.settings import embedded_settings
from operate.embedded.state import State
from operate.embedded.superset import service as superset

SERVICES = {
    service.name: service
    for service in (
        postgres.SERVICE,
        object_store.SERVICE,
        object_store.RELAY,
        *airflow.SERVICES,
        superset.SERVICE,
        simulator.SERVICE,
    )
}


def launch(name: str, state: State) -> None:
    """Become a service: this process goes on as its program.

    Raises:
        PlatformError: if it cannot be started.
        OSError: if its program cannot be run.
    """
    os.umask(0o077)
    service = SERVICES[name]
    started = service.launch(state, embedded_settings(state, Administration))
    processes.end(processes.find(state.folder, name, started.cwd if started.hides else None))
    if started.writes is not None:
        space.wait_for_space(started.writes)
    ports.require_free(started.ports)
    started.prepare()
    environment = service.environment(state, started)
    if started.user is not None:
        os.setgroups([])
        os.setgid(started.user.pw_gid)
        os.setuid(started.user.pw_uid)
    os.chdir(started.cwd)
    os.execve(started.argv[0], list(started.argv), environment)  # noqa: S606  no shell is wanted


def main() -> int:
    """Run the launcher."""
    parser = argparse.ArgumentParser(prog="python -m operate.embedded.launcher", description=__doc__)
    parser.add_argument("name", choices=sorted(SERVICES))
    parser.add_argument("--state", type=Path, required=True, help="folder of the platform")
    arguments = parser.parse_args()
    try:
        launch(arguments.name, State.open(arguments.state))
    except (PlatformError, OSError) as error:
        print(f"{arguments.name} cannot be started: {error}", file=sys.stderr)  # noqa: T201  into its log
    return 1


if __name__ == "__main__":
    sys.exit(main())
