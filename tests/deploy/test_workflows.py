"""The workflows: nothing that can change under us, no more rights than needed, no deploy that nobody asked for."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.compose_model import PROJECT

FILES = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
EACH = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


def jobs(file: Path) -> dict[str, dict[str, Any]]:
    return dict(yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"])


def steps(file: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(file).values() for step in job.get("steps", [])]


@EACH
def test_actions_are_pinned_and_say_which_version_that_is(file: Path) -> None:
    uses = re.findall(r"uses: (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert uses
    for use in uses:
        assert use.startswith("./") or re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v[\d.]+", use), use


@EACH
def test_rights_are_given_job_by_job_and_credentials_are_not_kept(file: Path) -> None:
    assert yaml.safe_load(file.read_text(encoding="utf-8"))["permissions"] in ({}, {"contents": "read"})
    for step in steps(file):
        if "actions/checkout@" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False
        assert "${{" not in step.get("run", ""), "what a stranger can name must come through the environment"


@EACH
def test_every_job_ends(file: Path) -> None:
    assert all("uses" in job or job["timeout-minutes"] <= 40 for job in jobs(file).values())


def test_a_deploy_waits_for_ci_for_a_variable_and_for_a_person() -> None:
    deploys = jobs(PROJECT / ".github/workflows/deploy.yml")
    for name in ("astro", "kubernetes"):
        assert "ci" in deploys[name]["needs"]
        assert re.search(r"vars\.\w+ != ''", deploys[name]["if"])
        assert deploys[name]["environment"]
    assert "ci" in deploys["images"]["needs"]


def test_dags_alone_make_no_image() -> None:
    text = (PROJECT / ".github/workflows/deploy.yml").read_text(encoding="utf-8")
    [pattern] = re.findall(r"grep -qvE '(.+?)'", text)
    assert all(re.search(pattern, file) for file in ("dags/a.py", "docs/a.md", "README.md", "tests/unit/a.py"))
    assert not any(re.search(pattern, file) for file in ("etl/load.py", "requirements.txt", "deploy/dags.txt", "mdp"))
    assert "deploy-type: infer" in text


def test_everything_that_ci_promises_is_there() -> None:
    names = set(jobs(PROJECT / ".github/workflows/ci.yml"))
    wanted = {
        "lint",
        "audit",
        "unit",
        "integration",
        "minio",
        "e2e-embedded",
        "e2e-compose",
        "e2e-astro",
        "image",
        "helm",
    }
    assert wanted <= names


def test_every_dockerfile_and_compose_file_is_looked_after() -> None:
    config = yaml.safe_load((PROJECT / ".github/dependabot.yml").read_text(encoding="utf-8"))
    cared = {e["package-ecosystem"]: e.get("directories", [e.get("directory")]) for e in config["updates"]}
    dockerfiles = {f"/{f.parent.relative_to(PROJECT)}".replace("/.", "/") for f in PROJECT.glob("*Dockerfile")}
    dockerfiles |= {"/deploy", "/simulator"}
    assert dockerfiles <= set(cared["docker"])
    assert {"/", "/deploy"} <= set(cared["docker-compose"])
    assert cared["github-actions"] == ["/"]
