"""Checks what the chart makes of our values, in CI and wherever Helm and the chart are:

helm template mdp apache-airflow/airflow --version 1.22.0 -f … | python -m tests.deploy.check_helm
"""

import re
import sys
from collections.abc import Iterator
from typing import Any

import yaml

PIPELINE = {"MDP_LOADER_PASSWORD", "MDP_S3_ACCESS_KEY_ID", "MDP_S3_SECRET_ACCESS_KEY"}
WORKS = {"scheduler", "triggerer", "dag-processor", "worker", "base"}
NOT_OURS = ("registry.k8s.io/git-sync/",)
_SECRET = re.compile(r"PASS|SECRET|KEY|TOKEN|CONN|BROKER|RESULT_BACKEND")


def pods(documents: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every pod that the cluster will make, the template of tasks included."""
    for document in documents:
        name = f"{document['kind']}/{document['metadata']['name']}"
        spec = document.get("spec", {})
        if "jobTemplate" in spec:
            spec = spec["jobTemplate"]["spec"]
        if "template" in spec:
            yield name, spec["template"]["spec"]
        for file, text in (document.get("data") or {}).items():
            if file == "pod_template_file.yaml":
                yield f"{name}/{file}", yaml.safe_load(text)["spec"]


def faults(documents: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong."""
    found = []
    made = {f"{d['kind']}" for d in documents}
    if not {"Deployment", "ConfigMap"} <= made:
        found.append("the chart made next to nothing")
    for document in documents:
        name = f"{document['kind']}/{document['metadata']['name']}"
        if document["kind"] == "Secret":
            found.append(f"{name}: a secret that the chart makes has a value that everybody can read")
        if document["kind"] == "Service" and document["spec"].get("type", "ClusterIP") != "ClusterIP":
            found.append(f"{name}: can be reached from outside")
        if document["kind"] == "Ingress":
            found.append(f"{name}: can be reached from outside")
    for name, pod in pods(documents):
        task = name.endswith("pod_template_file.yaml")
        for container in [*pod["containers"], *(pod.get("initContainers") or [])]:
            where = f"{name}: {container['name']}"
            image = container["image"]
            if not task and "@sha256:" not in image and not image.startswith(NOT_OURS):
                found.append(f"{where}: the image {image} may be another one tomorrow")
            given = {e["name"]: e for e in container.get("env") or []}
            found += [
                f"{where}: {variable} has a value"
                for variable, entry in given.items()
                if _SECRET.search(variable) and not re.search(r"_(CMD|ROOTCERT)$", variable) and entry.get("value")
            ]
            if container["name"] in WORKS and {v for v in PIPELINE if "valueFrom" in given.get(v, {})} != PIPELINE:
                found.append(f"{where}: lacks a secret of the pipeline")
    return found


def main() -> int:
    """Check what comes in; return the exit code."""
    documents = [document for document in yaml.safe_load_all(sys.stdin) if document]
    found = faults(documents)
    print("\n".join(found) or f"{len(documents)} objects, {len(list(pods(documents)))} kinds of pods: nothing wrong.")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
