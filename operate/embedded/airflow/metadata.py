"""Airflow's own tables, read directly: they answer when the API server hangs. Airflow's version is pinned."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing

from minidata.settings import Settings
from minidata.warehouse.connection import Connection, connect_app
from operate.embedded.settings import read_secrets
from operate.embedded.state import State
from operate.problems import Problem

_POLL_SECONDS = 0.5
_HEARTBEAT_SECONDS = 30  # a component's heart beats every 5 s
_JOBS = {
    "SchedulerJob": "airflow-scheduler",
    "DagProcessorJob": "airflow-processor",
    "TriggererJob": "airflow-triggerer",
}


def connect(state: State, settings: Settings) -> "closing[Connection]":
    """Open a connection to Airflow's database, for a `with` block.

    Raises:
        PlatformError: if the server does not answer, or the platform has no password for it.
    """
    return closing(connect_app(settings, "airflow", read_secrets(state)["MDP_AIRFLOW_DATABASE_PASSWORD"]))


def unpause(airflow: Connection, dags: Sequence[str]) -> list[str]:
    """Unpause DAGs, and return the ids of those that were paused."""
    with airflow.transaction():
        rows = airflow.execute(
            "update dag set is_paused = false where dag_id = any(%s) and is_paused returning dag_id", [list(dags)]
        ).fetchall()
    return sorted(dag for (dag,) in rows)


def await_dags(airflow: Connection, dags: Sequence[str], seconds: float) -> list[str]:
    """Let Airflow read the files of known DAGs at once, and wait until it knows some DAGs.

    Returns:
        Ids of those that it does not know after this time.
    """
    with airflow.transaction():
        airflow.execute(
            "insert into dag_priority_parsing_request (id, bundle_name, relative_fileloc) "
            "select distinct md5(bundle_name || relative_fileloc), bundle_name, relative_fileloc from dag "
            "where relative_fileloc is not null on conflict do nothing"
        )
    end = time.monotonic() + seconds
    while missing := sorted(set(dags) - _known(airflow).keys()):
        if time.monotonic() > end:
            break
        time.sleep(_POLL_SECONDS)
    return missing


def problems(airflow: Connection, dags: Sequence[str], *, waiting: bool) -> Iterator[Problem]:
    """Yield what Airflow's tables show to be wrong.

    Args:
        airflow: to its database.
        dags: ids that must exist and run.
        waiting: whether files wait; failed runs without them are history.
    """
    yield from _silent_components(airflow)
    for file, trace in airflow.execute("select filename, stacktrace from import_error order by filename"):
        last = str(trace).strip().splitlines()[-1] if trace else "no details"
        yield Problem("dag_broken", file, f"{file} cannot be imported: {last}", "Fix the file; Airflow reads it again.")
    known = _known(airflow)
    for dag in dags:
        if dag not in known:
            fix = "`./mdp logs airflow-processor` shows why."
            yield Problem("dag_missing", dag, f"Airflow has no DAG {dag}.", fix)
        elif known[dag]:
            message = f"The DAG {dag} is paused: its files wait in raw."
            yield Problem("dag_paused", dag, message, "`./mdp up` unpauses it.")
        elif waiting and _failing(airflow, dag):
            message = f"The last two runs of the DAG {dag} failed, and files wait."
            yield Problem("dag_failing", dag, message, "`./mdp open airflow` shows the log of the failed task.")


def _known(airflow: Connection) -> dict[str, bool]:
    """Return whether each DAG is paused."""
    return dict(airflow.execute("select dag_id, is_paused from dag where not is_stale").fetchall())


def _failing(airflow: Connection, dag: str) -> bool:
    states = airflow.execute(
        "select state from dag_run where dag_id = %s and end_date is not null order by end_date desc limit 2", [dag]
    ).fetchall()
    return [state for (state,) in states] == ["failed", "failed"]


def _silent_components(airflow: Connection) -> Iterator[Problem]:
    rows: dict[str, float] = dict(
        airflow.execute(
            "select job_type, extract(epoch from clock_timestamp() - max(latest_heartbeat))::float8 from job "
            "where job_type = any(%s) and state = 'running' group by job_type",
            [list(_JOBS)],
        ).fetchall()
    )
    for job, service in _JOBS.items():
        seconds = rows.get(job)
        if seconds is None or seconds > _HEARTBEAT_SECONDS:
            since = "has no heartbeat" if seconds is None else f"had its last heartbeat {seconds:.0f} s ago"
            fix = f"`./mdp doctor --fix` restarts it; `./mdp logs {service}` shows more."
            yield Problem("service_silent", service, f"{service} {since}.", fix)
