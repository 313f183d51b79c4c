"""The metrics for Prometheus, read by Prometheus' own parser, on a real PostgreSQL."""

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from operate.page.metrics import create_metrics
from tests.integration.conftest import DATASET, Pipeline
from tests.integration.test_review import BAD, GOOD, arrive


def gauges(pipeline: Pipeline) -> dict[str, dict[tuple[str, ...], float]]:
    """Return the value of each gauge by its labels."""
    with TestClient(create_metrics()) as client:
        answer = client.get("/", auth=("mdp_bi", pipeline.settings.secret("bi_password")))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = list(text_string_to_metric_families(answer.text))
    assert all(family.type == "gauge" and family.documentation.endswith(".") for family in families)
    return {
        family.name: {tuple(sample.labels.values()): sample.value for sample in family.samples} for family in families
    }


def test_the_gauges_are_those_of_the_ledger(pipeline: Pipeline) -> None:
    empty = gauges(pipeline)
    assert empty["mdp_seconds_since_load"] == {}, "what is not known is no 0"
    assert empty["mdp_files_waiting"] == {(): 0}
    arrive(pipeline, "bad.csv", BAD)
    arrive(pipeline, "good.csv", GOOD)
    pipeline.put("later.csv", GOOD + GOOD)
    pipeline.look()
    found = gauges(pipeline)
    assert found["mdp_files_waiting"] == found["mdp_files_quarantined"] == {(): 1}
    assert found["mdp_recent_files"] == {(DATASET,): 1}
    assert found["mdp_recent_rows"] == {(DATASET,): GOOD.count(b"\n") - 1}
    seconds = found["mdp_recent_upload_to_row_seconds"]
    assert 0 <= seconds[DATASET, "0.5"] <= seconds[DATASET, "0.95"]
    assert found["mdp_seconds_since_load"][()] >= 0


@pytest.mark.parametrize("who", [None, ("mdp_bi", ""), ("mdp_bi", "wrong"), ("mdp_bi", "a\0b"), ("mdp_loader", "own")])
def test_nobody_reads_them_without_the_password_of_bi(pipeline: Pipeline, who: tuple[str, str] | None) -> None:
    if who == ("mdp_loader", "own"):
        who = ("mdp_loader", pipeline.settings.secret("loader_password"))
    with TestClient(create_metrics(), raise_server_exceptions=False) as client:
        answer = client.get("/", auth=who) if who else client.get("/")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert "mdp_files" not in answer.text
