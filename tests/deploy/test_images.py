"""The images: what goes in, who runs it, and that their requirements are the lock's."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType

import pytest

from tests.deploy.compose_model import PROJECT

OURS = ("simulator/Dockerfile", "deploy/operate.Dockerfile", "deploy/Dockerfile")


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("requirements", PROJECT / "deploy" / "requirements.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks itself up
    spec.loader.exec_module(module)
    return module


def froms(file: str) -> list[str]:
    return re.findall(r"^FROM (\S+)", (PROJECT / file).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("file", OURS)
def test_every_base_is_pinned_by_digest(file: str) -> None:
    assert froms(file)
    assert all(re.search(r":[\w.-]+@sha256:[0-9a-f]{64}$", image) for image in froms(file))


def test_astros_base_is_one_literal_build() -> None:
    """Its command line reads the tag, and understands no variable there."""
    [image] = froms("Dockerfile")
    assert re.fullmatch(r"astrocrpublic\.azurecr\.io/runtime:3\.3-\d+-python-3\.12", image)


def test_both_airflows_are_the_one_of_the_lock() -> None:
    [version] = re.findall(r"^apache-airflow==([\d.]+)", (PROJECT / "locks/embedded.txt").read_text(), re.MULTILINE)
    text = (PROJECT / "deploy/Dockerfile").read_text(encoding="utf-8")
    assert froms("deploy/Dockerfile")[0].startswith(f"docker.io/apache/airflow:{version}-python3.12@")
    assert f'"apache-airflow=={version}"' in text
    assert f"Airflow {version}" in (PROJECT / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", OURS[:2])
def test_nobody_runs_it(file: str) -> None:
    lines = (PROJECT / file).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001:10001"]
    assert not [line for line in lines if line.startswith(("ADD ", "COPY . "))]
    assert any(line.startswith("ENTRYPOINT [") for line in lines), "a shell would swallow SIGTERM"


def test_secrets_and_state_stay_outside() -> None:
    ignored = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {".env", ".env.*", ".mdp/", ".git/"} <= set(ignored)
    assert not [line for line in ignored if line.startswith("!")]


@pytest.mark.parametrize("file", OURS)
def test_everything_that_is_copied_is_there_and_goes_in(file: str) -> None:
    ignored = {line.rstrip("/") for line in (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()}
    for line in (PROJECT / file).read_text(encoding="utf-8").splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            *sources, _ = [word for word in line.split()[1:] if not word.startswith("--")]
            for source in sources:
                assert (PROJECT / source).exists(), source
                assert source.split("/")[0] not in ignored, source


def test_requirements_are_the_locks() -> None:
    """If not: `python deploy/requirements.py`."""
    module = script()
    direct = module.tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"]
    wanted = module.images(module.read_lock(module.LOCK.read_text(encoding="utf-8")), direct)
    assert {file for file, content in wanted.items() if file.read_text(encoding="utf-8") != content} == set()


def test_airflow_and_what_it_brings_are_not_pinned_over_the_image() -> None:
    names = {re.split(r"[<>=]", line)[0] for line in lines_of("requirements.txt")}
    assert names
    airflows = {name for name in names if name.startswith("apache-airflow")}
    assert airflows == {"apache-airflow-providers-apprise"}  # sends alerts; the image lacks it
    pinned = {line.split("==")[0] for line in lines_of("requirements.txt") if "==" in line}
    assert not pinned & {"pydantic", "sqlalchemy", "urllib3", "typing-extensions", "python-dateutil"}
    assert {"boto3", "numpy", "obstore", "polars", "psycopg", "psycopg-binary"} <= pinned


@pytest.mark.parametrize("name", ["generator", "operate"])
def test_images_of_our_own_are_installed_by_hash(name: str) -> None:
    text = (PROJECT / f"deploy/requirements/{name}.txt").read_text(encoding="utf-8")
    entries = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[2:]
    assert len(entries) >= 7
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"https?://|apache-airflow", text)


def lines_of(file: str) -> list[str]:
    return [line for line in (PROJECT / file).read_text().splitlines() if line and not line.startswith(("#", " "))]


# Optional imports of markdown-it, httpx and rich.
# Airflow looks for the settings of the lineage provider's plugin where there is one.
USED_IF_THERE = {"linkify-it-py", "click", "attrs", "apache-airflow-providers-openlineage"}
UPLOAD = """
import simulator.__main__
from minidata.settings import Settings
from simulator.snapshot import S3Uploader
S3Uploader(Settings(generator_access_key_id="key", generator_secret_access_key="secret"))
"""
SET_UP = "import minidata.warehouse.__main__, operate.s3.__main__"
COMMAND = """
import sys
sys.argv = ["mdp", "--help"]
from operate.cli.__main__ import main
try:
    main()
except SystemExit as end:
    assert not end.code
"""
# Every step is imported too: a DAG file does that only when a task runs.
DAG = """
import runpy
runpy.run_path("dags/datasets.py")
import etl.archive, etl.extract, etl.load, etl.transform, etl.validate, minidata.events.trigger
from minidata.store import ObjectStore
from minidata.settings import Settings
ObjectStore(Settings(), "key", "secret")
"""
# It gets as far as asking a server that is not there: by then everything is imported.
DASHBOARDS = """
import os, sys
os.environ |= {"MDP_METABASE_URL": "http://127.0.0.1:1", "MDP_METABASE_PASSWORD": "x", "MDP_BI_PASSWORD": "x"}
sys.argv = ["mdp", "--state", "/nowhere", "dashboards", "check", "--target", "metabase"]
from operate.cli.__main__ import main
assert main() == 1
"""


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("generator", UPLOAD),
        ("operate", SET_UP),
        ("operate", COMMAND),
        ("operate", DASHBOARDS),
        ("airflow", COMMAND),
        ("airflow", DAG),
    ],
)
def test_what_an_image_runs_needs_only_what_it_has(name: str, code: str, tmp_path: Path) -> None:
    """Every package that is imported on the way is in the image's requirements."""
    code += "\nimport sys, json; print(json.dumps([getattr(m, '__file__', None) for m in sys.modules.values()]))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(PROJECT), "PATH": "/usr/bin:/bin", "AIRFLOW_HOME": str(tmp_path)},
    )  # fmt: skip
    owners = distributions_by_file()
    wanted = {owners[file] for file in json.loads(done.stdout.splitlines()[-1]) if file in owners}
    assert len(wanted) > 3
    listed = packages_of(name)
    assert wanted - listed <= USED_IF_THERE


@cache
def distributions_by_file() -> dict[str, str]:
    """Return which installed distribution brought each file: a package such as `airflow` belongs to many."""
    return {
        os.path.normpath(str(found.locate_file(file))): found.name.lower().replace("_", "-")
        for found in distributions()
        for file in found.files or []
    }


def packages_of(image: str) -> set[str]:
    """What an image has; in that of Airflow, whatever Airflow itself needs is there as well."""
    file = "requirements.txt" if image == "airflow" else f"deploy/requirements/{image}.txt"
    listed = {re.split(r"[<>=; ]", line)[0] for line in lines_of(file)}
    if image == "airflow":
        module = script()
        lock = module.read_lock(module.LOCK.read_text(encoding="utf-8"))
        listed |= {package.name for package in module.needed_by(module.AIRFLOW, lock)}
    return listed


def test_the_generator_has_the_modules_that_it_imports() -> None:
    """Its image holds three modules of minidata; importing any other there would fail."""
    code = "import sys, simulator.__main__; print(*[n for n in sys.modules if n.startswith('minidata')])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, env={"PYTHONPATH": str(PROJECT), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    imported = set(done.stdout.split())
    line = next(
        line for line in (PROJECT / "simulator/Dockerfile").read_text().splitlines() if line.startswith("COPY minidata")
    )
    copied = {Path(word).stem for word in line.split() if word.endswith(".py")}
    assert {name.split(".")[-1] for name in imported - {"minidata"}} == copied - {"__init__"}
