"""The values for Kubernetes: secrets by name, nothing of the chart's that everybody knows. CI renders the chart."""

from copy import deepcopy
from typing import Any

import pytest
import yaml

from tests.deploy.check_helm import PIPELINE, faults
from tests.deploy.compose_model import PROJECT, merged

HELM = PROJECT / "deploy" / "helm"
EXECUTORS = pytest.mark.parametrize("executor", ["celery", "kubernetes"])


def values(*names: str) -> dict[str, Any]:
    together: dict[str, Any] = {}
    for name in names:
        together = merged(together, yaml.safe_load((HELM / f"{name}.yaml").read_text(encoding="utf-8")))
    return together


@EXECUTORS
def test_the_executor_is_chosen_and_everything_else_stays(executor: str) -> None:
    chosen = values("values", f"values-{executor}")
    assert chosen["executor"].lower() == f"{executor}executor"
    assert chosen["config"]["core"]["dags_folder"] == "/usr/local/airflow/dags"
    assert chosen["airflowVersion"] in (PROJECT / "deploy/Dockerfile").read_text(encoding="utf-8")


def test_servers_of_the_charts_own_are_off() -> None:
    common = values("values")
    for name in ("postgresql", "redis", "statsd", "createUserJob"):
        assert common[name] == {"enabled": False}


@EXECUTORS
def test_secrets_are_named_and_never_written(executor: str) -> None:
    chosen = values("values", f"values-{executor}")
    assert {entry["envName"] for entry in chosen["secret"]} == PIPELINE
    for name in ("fernetKeySecretName", "apiSecretKeySecretName", "jwtSecretName"):
        assert chosen[name]
    assert not {"fernetKey", "apiSecretKey", "jwtSecret"} & set(chosen)
    assert {name for name in chosen["data"] if not name.endswith("SecretName")} == set()
    if executor == "celery":
        assert {"brokerUrlSecretName", "resultBackendSecretName"} <= set(chosen["data"])


def test_the_database_elsewhere_proves_who_it_is() -> None:
    given = {entry["name"]: entry["value"] for entry in values("values")["env"]}
    assert given["MDP_DATABASE_TLS"] == "verify-full"
    assert given["MDP_S3_ENDPOINT"].startswith("https://")


def test_the_warehouse_job_reads_secrets_from_files_and_runs_as_nobody() -> None:
    job = yaml.safe_load((HELM / "warehouse-job.yaml").read_text(encoding="utf-8"))
    pod = job["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    [container] = pod["containers"]
    assert container["command"][:3] == ["python", "-m", "minidata.warehouse"]
    assert not [e["name"] for e in container["env"] if "PASSWORD" in e["name"]]
    assert container["volumeMounts"][0]["mountPath"] in [e["value"] for e in container["env"]]


GOOD: list[dict[str, Any]] = [
    {
        "kind": "Deployment",
        "metadata": {"name": "scheduler"},
        "spec": {
            "template": {
                "spec": {
                    "containers": [
                        {
                            "name": "scheduler",
                            "image": "example/airflow@sha256:" + "a" * 64,
                            "env": [{"name": name, "valueFrom": {"secretKeyRef": {}}} for name in sorted(PIPELINE)],
                        }
                    ]
                }
            }
        },
    },
    {"kind": "ConfigMap", "metadata": {"name": "config"}, "data": {}},
]


def test_a_good_release_has_no_faults() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda c: c.update(image="example/airflow:latest"), "another one tomorrow"),
        (lambda c: c["env"].pop(), "lacks a secret"),
        (lambda c: c["env"][0].update(value="x"), "has a value"),
    ],
)
def test_a_planted_fault_is_seen(change: Any, word: str) -> None:
    bad = deepcopy(GOOD)
    change(bad[0]["spec"]["template"]["spec"]["containers"][0])
    [fault] = faults(bad)
    assert word in fault


@pytest.mark.parametrize(
    "more", [{"kind": "Secret"}, {"kind": "Ingress"}, {"kind": "Service", "spec": {"type": "LoadBalancer"}}]
)
def test_an_object_that_should_not_be_is_seen(more: dict[str, Any]) -> None:
    assert len(faults([*GOOD, {"metadata": {"name": "x"}, **more}])) == 1


def test_an_empty_rendering_is_no_success() -> None:
    assert faults([{"kind": "ConfigMap", "metadata": {"name": "config"}}])
