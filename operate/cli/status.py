"""`mdp status` and `mdp logs`: what runs, and what it says."""

import sys
import time
from typing import Annotated, Any

import typer

from minidata.errors import NotRunningError, PermanentError
from minidata.settings import load_settings
from operate.cli.app import app, no_platform, settings_of, state_of
from operate.cli.options import Json
from operate.cli.output import bytes_of, print_json, print_table, safe, say
from operate.embedded.status import services_status, status_elsewhere

_LINE_BYTES = 400  # a generous line of a log
_POLL_SECONDS = 0.3
_RUNS = 50  # of which --latency tells


@app.command()
def status(
    context: typer.Context,
    latency: Annotated[
        bool, typer.Option("--latency", help="Show instead where the time from upload to row went.")
    ] = False,
    json_: Json = False,
) -> None:
    """Show the services, the files by state, the age of the newest row, the time from upload to row, and problems.

    Each problem names the command that helps. For a remote platform (`MDP_*` settings), everything except the services.

    Exit codes: 0 success; 1 there is a problem, such as a service that is down or hangs, a paused or failing DAG,
    files that wait too long, failed or are in quarantine, a full disk; 3 the platform is not running. In the JSON,
    `healthy` is true if the only problem is files in quarantine. What cannot be known is null, and a problem.

    With `--latency`: the p50 and p95 of each stage in the last 50 runs that loaded rows, and the newest run.

    Example: ./mdp status --json, or ./mdp status --latency
    """
    if latency:
        _print_latency(context, json_=json_)
        return
    state = state_of(context)
    elsewhere = not state.exists() and load_settings().loader_password is not None
    found = status_elsewhere(load_settings()) if elsewhere else services_status(state)
    if json_:
        print_json(found)
    else:
        _print_status(found)
    if not found["running"]:
        raise NotRunningError("The platform is not running. Start it with `./mdp up`.")
    if found["problems"]:
        raise PermanentError(_told(found["problems"]))


def _print_latency(context: typer.Context, *, json_: bool) -> None:
    from minidata.warehouse.connection import connect  # noqa: PLC0415
    from operate.embedded.airflow import latency, metadata  # noqa: PLC0415

    settings = settings_of(context)
    state = state_of(context)
    if not state.exists():
        raise PermanentError("--latency reads the tables of the platform's own Airflow, and this one is elsewhere.")
    with connect(settings, "loader") as warehouse, metadata.connect(state, settings) as airflow:
        found = latency.latency(airflow, warehouse, _RUNS)
    if json_:
        print_json(found)
        return
    if not found["runs"]:
        raise PermanentError("No run has loaded rows yet. Upload a file with `./mdp upload FILE --wait`.")
    last = found["runs"][0]
    rows = [
        [stage, f"{times['p50']:.2f}", f"{times['p95']:.2f}", f"{last['stages'][stage]:.2f}", latency.STAGES[stage]]
        for stage, times in found["stages"].items()
    ]
    total = found["total"]
    rows.append(["total", f"{total['p50']:.2f}", f"{total['p95']:.2f}", f"{last['total']:.2f}", "upload to commit"])
    print_table(["stage", "p50", "p95", "last", "seconds in which"], rows, numbers=("p50", "p95", "last"))
    say(f"{len(found['runs'])} runs; the last one is {last['run']} with {last['files']:,} files.")


def _told(problems: list[dict[str, str]]) -> str:
    number = "There is 1 problem" if len(problems) == 1 else f"There are {len(problems)} problems"
    return "\n".join([f"{number}:", *(f"  {safe(p['message'])} {p['fix']}" for p in problems)])


def _print_status(found: dict[str, Any]) -> None:
    if found["services"]:
        rows = [[s["name"], s["state"], s["pid"], s["address"], bytes_of(s["memory_bytes"])] for s in found["services"]]
        print_table(["service", "state", "pid", "address", "memory"], rows, numbers=("pid", "memory"))
        say("")
    pipeline = found["pipeline"]
    times = pipeline["upload_to_row_seconds"]
    states = pipeline["files"]
    counts = "unknown" if states is None else ", ".join(f"{count} {name}" for name, count in states.items())
    say(f"files: {counts or 'none yet'}{'' if found['running'] else ' while the platform is down'}")
    if pipeline["open"] and (rejects := pipeline["open"]["rejects"]):
        files = "file" if rejects == 1 else "files"
        say(f"{rejects:,} {files} loaded with rejected rows: `./mdp quarantine ls` lists them.")
    if times["n"]:
        say(f"upload → row: p50 {times['p50']:.1f} s, p95 {times['p95']:.1f} s over {times['n']} files")
    if pipeline["newest_row_age_seconds"] is not None:
        say(f"newest upload in the tables: {pipeline['newest_row_age_seconds']:.0f} s old")


@app.command()
def logs(
    context: typer.Context,
    service: Annotated[str | None, typer.Argument(help="Service whose log to print; all of them by default.")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="Number of lines to print.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Print new lines until Ctrl-C.")] = False,
) -> None:
    """Print the last lines of the services' logs.

    Example: ./mdp logs airflow-scheduler --follow
    """
    state = state_of(context)
    if not state.exists():
        raise no_platform(state)
    known = {path.stem: path for path in sorted(state.logs.glob("*.log"))}
    if service is not None and service not in known:
        names = ", ".join(known) or "none yet"
        raise typer.BadParameter(f"there is no log named {service}. Logs: {names}.", param_hint="SERVICE")
    chosen = {service: known[service]} if service else known
    ends = {name: max(0, path.stat().st_size - lines * _LINE_BYTES) for name, path in chosen.items()}
    most: int | None = lines
    while True:
        for name, path in chosen.items():
            if path.stat().st_size < ends[name]:
                ends[name] = 0  # rotated
            with path.open("rb") as stream:
                stream.seek(ends[name])
                new = stream.read().decode(errors="replace").splitlines()
                ends[name] = stream.tell()
            for line in new[-most:] if most else new:
                sys.stdout.write(f"{name}: {line}\n" if len(chosen) > 1 else f"{line}\n")
        sys.stdout.flush()
        if not follow:
            return
        most = None
        time.sleep(_POLL_SECONDS)
