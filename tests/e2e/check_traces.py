"""Traces, metrics and lineage as their servers get them from a real platform, and the page for Prometheus.

It takes two minutes.
"""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from dotenv import dotenv_values
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families

from tests.corpus.case import snapshot
from tests.e2e.conftest import Platform, started

STEPS = ["validate", "transform", "load", "archive"]


@dataclass
class Collector:
    """What arrived by OTLP over HTTP, and as OpenLineage's events."""

    server: ThreadingHTTPServer
    spans: list[Span] = field(default_factory=list)
    metrics: set[str] = field(default_factory=set)
    lineage: list[dict[str, Any]] = field(default_factory=list)

    def take(self, path: str, body: bytes) -> None:
        """Take a request of an exporter, as the protocol defines it."""
        if path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                names = values(resource.resource.attributes)
                assert names["service.name"] == "mini-data-platform"
                self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        elif path == "/v1/metrics":
            for resource_ in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                self.metrics |= {metric.name for scope in resource_.scope_metrics for metric in scope.metrics}
        elif path == "/api/v1/lineage":
            self.lineage.append(json.loads(body))


def values(attributes: Any) -> dict[str, Any]:
    pairs: list[KeyValue] = list(attributes)
    return {pair.key: getattr(pair.value, str(pair.value.WhichOneof("value"))) for pair in pairs}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.take(self.path, gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Collector(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


@pytest.fixture(scope="module")
def observed(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with pytest.MonkeyPatch.context() as patch:
        address = f"http://127.0.0.1:{collector.server.server_port}"
        patch.setenv("MDP_OTEL_ENDPOINT", address)
        patch.setenv("MDP_OPENLINEAGE", address)
        with started(Platform(tmp_path_factory.mktemp("observed") / "state")) as running:
            yield running


def eventually(true: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_a_step_is_a_span_in_the_trace_of_its_run(observed: Platform, collector: Collector) -> None:
    observed.load({"traced.csv": snapshot("traced", 3), "broken.csv": b"a,b\n1,2\n"})

    def ours() -> dict[str, list[Span]]:
        """Return our spans of each step."""
        named = {step: [span for span in collector.spans if span.name == step] for step in STEPS}
        return {step: [s for s in spans if "mdp.batch" in values(s.attributes)] for step, spans in named.items()}

    def in_tasks() -> bool:
        """Whether each step's span is in that of its task, and the first and the last step are of the same runs."""
        names = {span.span_id: span.name for span in collector.spans}
        placed = all(names.get(s.parent_span_id) == f"worker.{step}" for step, spans in ours().items() for s in spans)
        first, last = ({span.trace_id for span in ours()[step]} for step in ("validate", "archive"))
        return placed and first == last

    eventually(lambda: len(file_events(ours()["validate"])) == 2 and all(ours().values()) and in_tasks())
    events = file_events(ours()["validate"])
    assert (events["traced.csv"]["mdp.verdict"], events["traced.csv"]["mdp.rows_good"]) == ("valid", 3)
    assert events["broken.csv"]["mdp.verdict"] == "missing_column"
    assert {values(span.attributes)["mdp.dataset"] for spans in ours().values() for span in spans} == {"youtube_stats"}


def file_events(spans: list[Span]) -> dict[str, dict[str, Any]]:
    found = [values(event.attributes) for span in spans for event in span.events if event.name == "file"]
    return {event["mdp.key"]: event for event in found}


def test_lineage_names_what_a_run_reads_and_writes_with_counts_and_verdicts(
    observed: Platform, collector: Collector
) -> None:
    observed.load({"origin.csv": snapshot("origin", 4), "refused.csv": b"c,d\n1,2\n"})

    def ended(step: str) -> list[dict[str, Any]]:
        named = [event for event in collector.lineage if event["job"]["name"] == f"youtube_stats.{step}"]
        return [event for event in named if event["eventType"] == "COMPLETE"]

    def verdicts() -> set[str]:
        facets = [read["inputFacets"] for event in ended("validate") for read in event["inputs"]]
        return {a["assertion"] for found in facets for a in found["dataQualityAssertions"]["assertions"]}

    eventually(lambda: "missing_column" in verdicts() and bool(ended("load")) and bool(ended("archive")))
    loads = [written for event in ended("load") for written in event["outputs"]]
    tables = {written["name"]: written["outputFacets"]["outputStatistics"]["rowCount"] for written in loads}
    assert tables["warehouse.youtube_stats.video_metrics"] > 0
    assert {written["namespace"].partition(":")[0] for written in loads} == {"postgres"}
    places = {(w["namespace"], w["name"]) for event in ended("archive") for w in event["outputs"]}
    assert places == {("s3://archive", "youtube_stats"), ("s3://quarantine", "youtube_stats")}
    assert {(r["namespace"], r["name"]) for event in collector.lineage for r in event.get("inputs", [])} == {
        ("s3://raw", "youtube_stats")
    }


def test_the_collector_gets_metrics_of_airflow(observed: Platform, collector: Collector) -> None:
    eventually(lambda: any(name.startswith("airflow.") for name in collector.metrics))


def test_the_page_of_metrics_is_for_prometheus_alone(observed: Platform) -> None:
    observed.load({"gauge.csv": snapshot("gauge")})
    address = f"{observed.mdp('open', 'airflow').stdout.split()[0]}/metrics/"
    assert httpx.get(address).status_code == 401
    password = dotenv_values(observed.state / ".env")["MDP_BI_PASSWORD"]
    answer = httpx.get(address, auth=("mdp_bi", str(password)))
    assert answer.status_code == 200
    found = {family.name: family.samples for family in text_string_to_metric_families(answer.text)}
    assert found["mdp_files_waiting"][0].value == 0
    assert found["mdp_recent_files"][0].value >= 1


def test_files_are_loaded_while_the_collector_is_away(observed: Platform, collector: Collector) -> None:
    collector.server.shutdown()
    collector.server.server_close()
    observed.load({"unobserved.csv": snapshot("unobserved")})
    observed.assert_tables_as_the_oracle_says()
