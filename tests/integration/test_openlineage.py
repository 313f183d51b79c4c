"""What a step tells OpenLineage, as its own client writes it, on a real ledger."""

import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.serde import Serde

from etl.openlineage import lineage
from etl.step import run_step
from minidata import ledger
from minidata.ledger import RunOutcome
from minidata.retention import EVENTS, prune_logs, set_aside
from operate.embedded.airflow.service import _openlineage
from operate.embedded.settings import embedded_settings
from operate.embedded.state import State
from tests.integration.conftest import Pipeline
from tests.integration.test_review import BAD, GOOD, ONE_REJECT


def told(pipeline: Pipeline, step: str, outcome: RunOutcome) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    inputs, outputs = lineage(step, pipeline.dataset, pipeline.settings, outcome)
    return [json.loads(Serde.to_json(one)) for one in inputs], [json.loads(Serde.to_json(one)) for one in outputs]


def test_a_run_tells_its_counts_and_its_verdicts(pipeline: Pipeline) -> None:
    for key, content in (("good.csv", GOOD), ("bad.csv", BAD), ("one.csv", ONE_REJECT)):
        pipeline.put(key, content)
    pipeline.look()
    batch = pipeline.claim()
    assert batch is not None
    [(run,)] = pipeline.execute("select run from mdp.batches where batch_id = %s", batch)
    run_step("validate", batch)
    outcome = ledger.run_outcome(pipeline.connection, pipeline.dataset.name, run)
    assert (outcome.refused_files, outcome.rejected_rows) == ({"missing_column": 1}, {"not_an_integer": 1})
    [[read], written] = told(pipeline, "validate", outcome)
    assert (read["namespace"], read["name"], written) == ("s3://raw", "youtube_stats", [])
    metrics = read["inputFacets"]["dataQualityMetrics"]
    good = outcome.steps["validate"]["rows"]
    assert (metrics["rowCount"], metrics["fileCount"]) == (good + 1, 3)
    assertions = read["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert {(a["assertion"], a["severity"], a["actual"]) for a in assertions} == {
        ("missing_column", "error", "1"),
        ("not_an_integer", "warn", "1"),
    }
    for step in ("transform", "load", "archive"):
        run_step(step, batch)
    outcome = ledger.run_outcome(pipeline.connection, pipeline.dataset.name, run)
    _, tables = told(pipeline, "load", outcome)
    rows = {table["name"]: table["outputFacets"]["outputStatistics"]["rowCount"] for table in tables}
    assert rows == {f"warehouse.youtube_stats.{t}": outcome.steps["load"][t] for t in pipeline.dataset.tables}
    _, places = told(pipeline, "archive", outcome)
    files = {place["namespace"]: place["outputFacets"]["outputStatistics"]["fileCount"] for place in places}
    assert files == {"s3://archive": 2, "s3://quarantine": 1}


def test_a_step_that_has_not_ended_tells_names_alone(pipeline: Pipeline) -> None:
    outcome = ledger.run_outcome(pipeline.connection, pipeline.dataset.name, "no such run")
    [[read], tables] = told(pipeline, "load", outcome)
    assert read["inputFacets"] == {}
    assert all(table["outputFacets"] == {} for table in tables)


def test_the_file_of_events_is_written_and_does_not_grow_for_ever(servers: State, tmp_path: Path) -> None:
    state = State(tmp_path)
    events = tmp_path / "airflow" / "logs" / EVENTS
    events.parent.mkdir(parents=True)
    settings = embedded_settings(servers).model_copy(update={"openlineage": "file"})
    client = OpenLineageClient(config={"transport": json.loads(_openlineage(settings, state)["transport"])})
    set_aside(events)  # there is none yet
    client.emit(event("first"))
    set_aside(events)
    client.emit(event("second"))
    assert json.loads(events.read_text())["job"]["name"] == "second"
    [old] = {*events.parent.iterdir()} - {events}
    assert json.loads(old.read_text())["job"]["name"] == "first"
    os.utime(old, (0, 0))
    assert prune_logs(events.parent, 3) == 1
    assert [*events.parent.iterdir()] == [events]


def event(job: str) -> RunEvent:
    run, time = Run(str(uuid4())), "2026-11-27T12:00:00Z"
    return RunEvent(eventTime=time, producer="mdp", run=run, job=Job("mdp", job), eventType=RunState.START)
