"""`mdp up`, `down`, `destroy`, `status`, `logs`, `env`: the embedded platform itself."""

import os
import shlex
import signal
import sys
import time
from typing import Annotated
from urllib.parse import quote

import typer

from minidata.errors import NotRunningError, PermanentError
from minidata.settings import PROJECT, Settings, load_settings
from operate.cli.app import app, settings_of, state_of
from operate.cli.output import bytes_of, console, errors, print_json, print_table, safe
from operate.cli.steps import Steps
from operate.embedded.postgres import home as postgres_home
from operate.embedded.settings import read_secrets, secrets_file
from operate.embedded.start import start_platform
from operate.embedded.state import State, Store
from operate.embedded.status import services_status, status_elsewhere
from operate.embedded.stop import stop_platform
from operate.embedded.superset import service as superset


@app.command()
def up(
    context: typer.Context,
    bi: Annotated[bool, typer.Option("--bi/--no-bi", help="With dashboards in Superset.")] = True,
    simulator: Annotated[bool, typer.Option("--simulator/--no-simulator", help="With simulated uploads.")] = True,
    store: Annotated[
        Store | None,
        typer.Option(
            show_default=Store.SEAWEEDFS,
            help="Object store of a new platform, for good; minio is built once from its source, some minutes.",
        ),
    ] = None,
) -> None:
    """Set up what is missing, start everything in order, and print the addresses. Again: heal what is down.

    Example: ./mdp up --no-simulator
    """
    began = time.monotonic()
    os.umask(0o077)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)
    state = State.open(context.obj)
    try:
        with Steps() as steps:
            start_platform(state, steps, simulator=simulator, bi=bi, store=store)
    except KeyboardInterrupt:
        errors.print("What this `up` had started is stopped. `./mdp up` starts anew.")
        raise typer.Exit(130) from None
    console.print(f"[green]The platform is up[/green] after {time.monotonic() - began:.0f} s.")
    sentence = postgres_home.choose(state).sentence
    if sentence:
        console.print(sentence, soft_wrap=True)
    _print_addresses(state, settings_of(context))
    console.print("Try: ./mdp upload FILE.csv --wait, then ./mdp sql 'select * from channel_stats limit 5'")


def _interrupted(*_: object) -> None:
    errors.print("Interrupted: what this `up` has started is being stopped ...")
    raise KeyboardInterrupt


def _print_addresses(state: State, settings: Settings) -> None:
    rows: list[list[object]] = []
    if superset.belongs_to(state):
        login = f"none to look; to explore: user {superset.USER}, MDP_SUPERSET_PASSWORD in {secrets_file(state)}"
        rows.append(["Dashboards", superset.address(state), login])
    rows += [
        [
            "Airflow",
            f"http://127.0.0.1:{state.port('airflow')}",
            f"user admin, MDP_AIRFLOW_PASSWORD in {secrets_file(state)}",
        ],
        ["S3", settings.s3_endpoint, "keys: ./mdp env"],
        ["PostgreSQL", f"127.0.0.1:{settings.database_port}", "./mdp sql, or ./mdp env"],
    ]
    print_table(["service", "address", "log-in"], rows)


@app.command()
def down(context: typer.Context) -> None:
    """Stop everything, keep the data.

    Example: ./mdp down
    """
    state = state_of(context)
    if not state.exists():
        console.print(f"No platform was ever started in {state.folder}.", soft_wrap=True)
        return
    with Steps() as steps:
        ran = stop_platform(State.open(state.folder), steps)
    console.print("Stopped; the data is kept." if ran else "Nothing was running.")


@app.command()
def destroy(context: typer.Context, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Stop everything and remove all data of the platform; refuses a folder that is not one.

    Example: ./mdp --state /tmp/trial destroy
    """
    state = state_of(context)
    if not state.exists():
        raise PermanentError(f"{state.folder} holds no platform; nothing was removed.")
    if not yes:
        what = f"Remove all data of the platform in {state.folder}, and its passwords in {secrets_file(state)}?"
        typer.confirm(what, abort=True, err=True)
    state = State.open(state.folder)
    with Steps() as steps:
        stop_platform(state, steps)
    postgres_home.remove(state)
    left = state.remove()
    secrets_file(state).unlink(missing_ok=True)
    console.print(f"Removed. The packages stay in {PROJECT / '.mdp'}.", markup=False, soft_wrap=True)
    if left:
        console.print(f"Left alone in {state.folder}: {safe(', '.join(left))}.", markup=False, soft_wrap=True)


@app.command()
def status(
    context: typer.Context, json_: Annotated[bool, typer.Option("--json", help="For a script.")] = False
) -> None:
    """Show the services, the files by state, the freshness, and the time from upload to row.

    Of a platform that is not embedded, reached by `MDP_*` settings, all but the services.

    Exit code 0 if all is well, 1 if something is not, 3 if the platform is not running.

    Example: ./mdp status --json
    """
    state = state_of(context)
    elsewhere = not state.exists() and load_settings().loader_password is not None
    found = status_elsewhere(load_settings()) if elsewhere else services_status(state)
    if json_:
        print_json(found)
    else:
        rows: list[list[object]] = [
            [s["name"], s["state"], s["pid"], s["address"], bytes_of(s["memory_bytes"])] for s in found["services"]
        ]
        if rows:
            print_table(["service", "state", "pid", "address", "memory"], rows, numbers=("pid", "memory"))
            console.print()
        pipeline = found["pipeline"]
        times = pipeline["upload_to_row_seconds"]
        files = ", ".join(f"{count} {name}" for name, count in pipeline["files"].items())
        nothing = "none yet" if found["running"] else "nobody answers while it is down; what it has is kept"
        console.print(f"files: {files or nothing}")
        if times["n"]:
            console.print(f"upload → row: p50 {times['p50']:.1f} s, p95 {times['p95']:.1f} s over {times['n']} files")
        if pipeline["newest_row_age_seconds"] is not None:
            console.print(f"newest row: {pipeline['newest_row_age_seconds']:.0f} s old")
    if not found["running"]:
        raise NotRunningError("The platform is not running. Start it with `./mdp up`.")
    if not found["healthy"]:
        raise PermanentError("Not all is well. `./mdp up` heals what is down; `./mdp logs NAME` tells why.")


@app.command()
def logs(
    context: typer.Context,
    service: Annotated[str | None, typer.Argument(help="Without it, all of them.")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="So many last lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Print the last lines of the services' logs.

    Example: ./mdp logs airflow-scheduler --follow
    """
    state = state_of(context)
    if not state.exists():
        raise NotRunningError(f"There is no platform in {state.folder}. Start one with `./mdp up`.")
    folder = state.logs
    known = {path.stem: path for path in sorted(folder.glob("*.log"))}
    if service is not None and service not in known:
        there_are = ", ".join(known) or "none yet"
        raise typer.BadParameter(f"there is no log of {service}. There are: {there_are}.", param_hint="SERVICE")
    chosen = {service: known[service]} if service else known
    ends = {}
    for name, path in chosen.items():
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - lines * 400))
            tail = stream.read().decode(errors="replace").splitlines()[-lines:]
            ends[name] = stream.tell()
        _print_lines(name if len(chosen) > 1 else None, tail)
    while follow:
        time.sleep(0.3)
        for name, path in chosen.items():
            if path.stat().st_size < ends[name]:
                ends[name] = 0  # rotated
            with path.open("rb") as stream:
                stream.seek(ends[name])
                _print_lines(name if len(chosen) > 1 else None, stream.read().decode(errors="replace").splitlines())
                ends[name] = stream.tell()


def _print_lines(name: str | None, lines: list[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{name}: {line}\n" if name else f"{line}\n")
    sys.stdout.flush()


@app.command()
def env(context: typer.Context) -> None:
    """Print the addresses and credentials as exports for a shell.

    Example: eval "$(./mdp env)"; psql "$MDP_DATABASE_URL"
    """
    settings = settings_of(context, running=False)
    state = state_of(context)
    password = quote(settings.secret("bi_password"), safe="")
    url = (
        f"postgresql://mdp_bi:{password}@{settings.database_host}:{settings.database_port}"
        f"/{settings.database_name}?sslmode={settings.database_tls}"
    )
    key, secret = settings.secret("s3_access_key_id"), settings.secret("s3_secret_access_key")
    values = {
        "MDP_DATABASE_URL": url,
        "MDP_S3_ENDPOINT": settings.s3_endpoint,
        "MDP_S3_REGION": settings.s3_region,
        "MDP_S3_ACCESS_KEY_ID": key,
        "MDP_S3_SECRET_ACCESS_KEY": secret,
        "MDP_GENERATOR_ACCESS_KEY_ID": settings.secret("generator_access_key_id"),
        "MDP_GENERATOR_SECRET_ACCESS_KEY": settings.secret("generator_secret_access_key"),
        "AWS_ENDPOINT_URL": settings.s3_endpoint,
        "AWS_REGION": settings.s3_region,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
    }
    if state.exists():
        values |= {
            "MDP_AIRFLOW_URL": f"http://127.0.0.1:{state.port('airflow')}",
            "MDP_AIRFLOW_USER": "admin",
            "MDP_AIRFLOW_PASSWORD": read_secrets(state)["MDP_AIRFLOW_PASSWORD"],
        }
        if superset.belongs_to(state):
            values |= {
                "MDP_SUPERSET_URL": superset.address(state),
                "MDP_SUPERSET_USER": superset.USER,
                "MDP_SUPERSET_PASSWORD": read_secrets(state)["MDP_SUPERSET_PASSWORD"],
            }
    for name, value in values.items():
        sys.stdout.write(f"export {name}={_quoted(value)}\n")


def _quoted(value: str) -> str:
    """Quote for a shell, always in single quotes: scripts read the lines."""
    return shlex.quote(value) if "'" in value else f"'{value}'"
