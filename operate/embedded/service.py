"""The launcher of every service: it clears the way, builds an environment from nothing, and becomes the program.

Run by the supervisor as `python -m operate.embedded.service NAME --state DIR`. Secrets are read here, from the
platform's own files, so that neither the supervisor nor its configuration ever holds one.
"""

import argparse
import hashlib
import os
import pwd
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from minidata.errors import PlatformError
from minidata.settings import PROJECT, Settings
from operate.embedded import airflow, object_store, ports, postgres, processes
from operate.embedded.minio import server as minio
from operate.embedded.minio.build import program
from operate.embedded.secrets import read_secrets
from operate.embedded.settings import as_environment, embedded_settings, secrets_file
from operate.embedded.state import State, Store
from operate.embedded.stores import identities_of
from operate.embedded.superset import service as superset
from operate.embedded.supervisor_config import Program

# In the order of starting.
TITLES = {
    "postgres": "PostgreSQL",
    "object-store": "Object store (S3)",
    "relay": "Event relay",
    "airflow-api": "Airflow API and page",
    "airflow-scheduler": "Airflow scheduler",
    "airflow-processor": "Airflow DAG processor",
    "airflow-triggerer": "Airflow triggerer",
    superset.NAME: "Superset (dashboards)",
    "simulator": "Simulator",
}


def _nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True)
class Launch:
    """How a service is started.

    Attributes:
        argv: the program, by its full path, and its arguments.
        environment: variables beside the ones that every service has; nothing is inherited.
        cwd: the folder that it works in.
        user: the system user to become, if not our own.
        ports: its ports by service, which nobody else may hold.
        prepare: what to do once leftovers of an earlier run are gone, still as our own user.
    """

    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = PROJECT
    user: pwd.struct_passwd | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    prepare: Callable[[], None] = _nothing


FINGERPRINT = "MDP_LAUNCH"  # variable that tells what a service was started with
PYTHON = {"PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1", "PYTHONNOUSERSITE": "1", "PYTHONUTF8": "1"}
Builder = Callable[[State, Settings], Launch]


def _postgres(state: State, _: Settings) -> Launch:
    server = postgres.server(state)

    def prepare() -> None:
        postgres.clear_stale_pid(server)
        postgres.configure(server)

    return Launch(
        argv=server.command,
        cwd=server.data,
        user=server.home.user,
        ports={"postgres": server.port},
        prepare=prepare,
    )


def _object_store(state: State, settings: Settings) -> Launch:
    return {Store.SEAWEEDFS: _seaweedfs, Store.MINIO: _minio}[state.platform.store](state, settings)


def _minio(state: State, settings: Settings) -> Launch:
    secrets = read_secrets(secrets_file(state))
    inbox = minio.inbox_of(settings, secrets["MDP_EVENTS_PASSWORD"])
    return Launch(
        argv=minio.command(program(), state.objects, state.port("s3")),
        environment=minio.environment(identities_of(secrets).admin, inbox),
        cwd=state.objects,
        ports={"s3": state.port("s3")},
    )


def _seaweedfs(state: State, _: Settings) -> Launch:
    return Launch(
        argv=object_store.command(state),
        environment=object_store.ENVIRONMENT,
        cwd=state.weed,
        ports={service: state.port(service) for service in ports.SEAWEED},
        prepare=lambda: object_store.clear_sockets(state),
    )


def _relay(state: State, settings: Settings) -> Launch:
    tail = object_store.tail_command(state, settings.raw_bucket)
    return Launch(
        argv=[sys.executable, "-m", "minidata.events.relay", "--bucket", settings.raw_bucket, "--", *tail],
        environment=PYTHON | as_environment(settings, ("loader_password",)),
        cwd=state.weed,
    )


def _simulator(state: State, settings: Settings) -> Launch:
    own = ("generator_access_key_id", "generator_secret_access_key")  # it may put into raw, and no more
    return Launch(
        argv=[sys.executable, "-m", "simulator", "--state", str(state.folder / "simulator.json")],
        environment=PYTHON | as_environment(settings, own),
    )


def _airflow(component: str) -> Builder:
    def build(state: State, settings: Settings) -> Launch:
        taken = {"airflow": state.port("airflow")} if component == airflow.API else {}
        return Launch(
            argv=airflow.command(component),
            environment=PYTHON | airflow.environment(state, settings),
            cwd=state.airflow,
            ports=taken,
        )

    return build


def _superset(state: State, settings: Settings) -> Launch:
    return Launch(
        argv=superset.command(state),
        environment=superset.environment(state, settings),
        cwd=state.home,
        ports={superset.NAME: state.port(superset.NAME)},
    )


SERVICES: dict[str, Builder] = {
    "postgres": _postgres,
    "object-store": _object_store,
    "relay": _relay,
    "simulator": _simulator,
    **{component: _airflow(component) for component in airflow.COMPONENTS},
    superset.NAME: _superset,
}
PROGRAMS = (
    # INT is PostgreSQL's fast shutdown (TERM waits for clients), and means other things to its children.
    Program("postgres", stop_signal="INT", stop_seconds=20, stop_group=False),
    # It takes 16 s to stop politely, most of it a fixed wait; what it acknowledged is safe without that.
    Program("object-store", stop_seconds=3),
    Program("relay", stop_seconds=5),
    Program("simulator", stop_seconds=5),
    *(Program(component, stop_seconds=10) for component in airflow.COMPONENTS),
    Program(superset.NAME, stop_seconds=10),
)


def launch(name: str, state: State) -> None:
    """Become a service: this process goes on as its program.

    Raises:
        PlatformError: if it cannot be started.
        OSError: if its program cannot be run.
    """
    os.umask(0o077)
    started = SERVICES[name](state, embedded_settings(state))
    hidden = started.cwd if name == "postgres" else None  # its children overwrite their environment
    processes.end(processes.find(state.folder, name, hidden))
    ports.require_free(dict(started.ports))
    started.prepare()
    environment = environment_of(name, state, started)
    if started.user is not None:
        os.setgroups([])
        os.setgid(started.user.pw_gid)
        os.setuid(started.user.pw_uid)
    os.chdir(started.cwd)
    os.execve(started.argv[0], list(started.argv), environment)  # noqa: S606  no shell is wanted


def environment_of(name: str, state: State, started: Launch) -> dict[str, str]:
    """Return all variables that a service is started with."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(state.home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        **started.environment,
        processes.MARKER: processes.marker(state.folder, name),
        FINGERPRINT: _fingerprint(started),
    }


def differs(name: str, pid: int, state: State, settings: Settings) -> bool:
    """Tell whether a running service was started with other settings than it would be now."""
    try:
        had: dict[str, str] = psutil.Process(pid).environ()
    except psutil.NoSuchProcess:
        return False
    return had.get(FINGERPRINT) != _fingerprint(SERVICES[name](state, settings))


def _fingerprint(started: Launch) -> str:
    return hashlib.sha256(repr((list(started.argv), sorted(started.environment.items()))).encode()).hexdigest()


def main() -> int:
    """Run the launcher."""
    parser = argparse.ArgumentParser(prog="python -m operate.embedded.service", description=__doc__)
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
