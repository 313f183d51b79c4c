"""Where the time from upload to row goes, run by run: the ledger's times and Airflow's own, put together."""

from collections.abc import Sequence
from datetime import datetime
from statistics import median, quantiles
from typing import Any, NamedTuple

from minidata import ledger
from minidata.ledger import RunTimes
from minidata.warehouse.connection import Connection

STAGES = {
    "event": "the store tells of the upload, and the trigger enters it in the ledger",
    "trigger": "Airflow takes the trigger's event",
    "scheduler": "Airflow makes the run, and finds out that a task is next",
    "start": "a queued task begins",
    "extract": "the task",
    "validate": "the task",
    "transform": "the task",
    "load": "the task, until its commit",
}
_TASKS = ("extract", "validate", "transform", "load")


class _Task(NamedTuple):
    queued: datetime
    began: datetime
    ended: datetime


def latency(airflow: Connection, warehouse: Connection, runs: int) -> dict[str, Any]:
    """Return how long the last runs took from upload to row, and where.

    Args:
        airflow: to Airflow's database.
        warehouse: as `mdp_loader`.
        runs: at most so many.

    Returns:
        `runs`: a list of `run`, `dataset`, `files`, `total` and `stages` (seconds by stage, which add up to `total`),
        the newest first; `total` and `stages`: `p50` and `p95`, of each stage. The store may tell its time in whole
        seconds: then `event` is up to a second too long.
    """
    known = {(times.dataset, times.run): times for times in ledger.run_times(warehouse, runs)}
    found: list[dict[str, Any]] = [
        {"run": run, "dataset": dataset, "files": known[dataset, run].files, "total": sum(stages.values())}
        | {"stages": stages}
        for (dataset, run), stages in _stages(airflow, known).items()
    ]
    return {
        "runs": found,
        "total": _percentiles([run["total"] for run in found]),
        "stages": {stage: _percentiles([run["stages"][stage] for run in found]) for stage in STAGES},
    }


def _stages(airflow: Connection, known: dict[tuple[str, str], RunTimes]) -> dict[tuple[str, str], dict[str, float]]:
    rows = airflow.execute(
        "select r.dag_id, r.run_id, r.queued_at, (select min(e.timestamp) from dagrun_asset_event d "
        "join asset_event e on e.id = d.event_id where d.dag_run_id = r.id), "
        "array_agg(array[t.queued_dttm, t.start_date, t.end_date] order by array_position(%s, t.task_id::text)) "
        "from unnest(%s::text[], %s::text[]) as k (dag_id, run_id) join dag_run r using (dag_id, run_id) "
        "join task_instance t using (dag_id, run_id) where t.task_id = any(%s) and t.end_date is not null "
        "group by r.id having count(*) = %s",
        [list(_TASKS), [dag for dag, _ in known], [run for _, run in known], list(_TASKS), len(_TASKS)],
    )
    told = {
        (dag, run): stages_of(known[dag, run], event, queued, [_Task(*task) for task in tasks])
        for dag, run, queued, event, tasks in rows
    }
    return {key: told[key] for key in known if key in told}


def stages_of(times: RunTimes, event: datetime | None, queued: datetime, tasks: Sequence[_Task]) -> dict[str, float]:
    """Return the seconds of each stage of a run, which add up to the time from its first upload to its commit."""
    event = min(max(event or queued, times.registered_at), queued)
    seconds = dict.fromkeys(STAGES, 0.0)
    seconds["event"] = (times.registered_at - times.arrived_at).total_seconds()
    seconds["trigger"] = (event - times.registered_at).total_seconds()
    before = event
    for name, task in zip(_TASKS, tasks, strict=True):
        ended = times.loaded_at if name == "load" else task.ended
        seconds["scheduler"] += (task.queued - before).total_seconds()
        seconds["start"] += (task.began - task.queued).total_seconds()
        seconds[name] = (ended - task.began).total_seconds()
        before = ended
    return seconds


def _percentiles(values: list[float]) -> dict[str, float | None]:
    if len(values) < 2:
        return {"p50": values[0] if values else None, "p95": values[0] if values else None}
    return {"p50": median(values), "p95": quantiles(values, n=20, method="inclusive")[-1]}
