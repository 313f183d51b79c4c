"""The DAGs: all can be read with nothing around them, and none changes unseen."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.dags.graph import PROJECT, SNAPSHOT, graph, load

FILES = sorted((PROJECT / "dags").glob("*.py"))


@pytest.fixture(scope="module")
def bag() -> Any:
    return load()


def test_every_file_can_be_read_without_settings_or_servers(bag: Any) -> None:
    assert bag.import_errors == {}
    assert {Path(dag.fileloc).name for dag in bag.dags.values()} == {file.name for file in FILES}


def test_nothing_changed_unseen(bag: Any) -> None:
    """If the change is meant: `python tests/dags/graph.py`, and commit the difference."""
    assert graph(bag) == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


OTHER = """
name: other
title: Something else
prefix: things/other
columns: {thing: {type: text, max_length: 9}, note: {type: text, max_length: 9}, seen: {type: timestamp}}
rollups:
  things: {description: One row per thing, keys: {thing: thing}, latest: {by: seen, into: last_seen, columns: [note]}}
"""


def test_a_second_declaration_has_all_of_its_own_and_changes_nothing_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from minidata.settings import load_settings

    folder = Path(shutil.copytree(PROJECT / "datasets", tmp_path / "datasets"))
    (folder / "other").mkdir()
    (folder / "other" / "dataset.yaml").write_text(OTHER, encoding="utf-8")
    monkeypatch.setenv("MDP_DATASETS_FOLDER", str(folder))
    load_settings.cache_clear()
    try:
        bag = load()
        two = graph(bag)
    finally:
        load_settings.cache_clear()
    assert bag.import_errors == {}
    first = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    assert two["dags"].keys() == first["dags"].keys() | {"other"}
    assert {name: two["dags"][name] for name in first["dags"]} == first["dags"]
    assert two["assets"].items() >= first["assets"].items()
    other = two["dags"]["other"]
    assert other["schedule"] == ["raw/other"]
    assert other["tasks"].keys() == first["dags"]["youtube_stats"]["tasks"].keys()
    assert other["tasks"]["load"]["outlets"] == ["mart/things"]
    ((path, arguments),) = two["assets"]["raw/other"]["watchers"].values()
    assert (path.rpartition(".")[2], arguments) == ("SnapshotTrigger", {"dataset": "other"})


def test_a_dag_that_reads_itself_starts_by_itself(bag: Any) -> None:
    for dag in bag.dags.values():
        assert dag.is_paused_upon_creation is False, "assets of a paused DAG have no watchers"
        assert dag.catchup is False
        assert dag.doc_md


def test_airflow_never_retries_what_the_ledger_retries(bag: Any) -> None:
    assert {task.retries for dag in bag.dags.values() for task in dag.tasks} == {0}


def test_watchers_are_in_an_installed_package_and_can_be_made_again(bag: Any) -> None:
    from airflow.sdk._shared.module_loading import import_string

    kept = graph(bag)["assets"]
    watchers = [watcher for asset in kept.values() for watcher in asset["watchers"].values()]
    assert watchers
    for path, arguments in watchers:
        assert path.startswith("minidata."), "the triggerer loads neither DAG bundles nor, everywhere, plugins"
        again = import_string(path)(**json.loads(json.dumps(arguments)))
        assert tuple(again.serialize()) == (path, arguments)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_only_wires(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 80
    imported = {
        name
        for node in ast.parse(text).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
    }
    assert all(name.split(".")[0] in {"airflow", "datetime", "minidata", "pathlib"} for name in imported), imported


def test_reading_the_files_opens_no_client() -> None:
    """The DAG processor reads them again and again."""
    code = (
        "import sys; sys.path[:0] = sys.argv[1:2]; from tests.dags.graph import load; bag = load(); "
        "assert not bag.import_errors; print(sorted({'boto3', 'obstore', 'superset'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(PROJECT)], capture_output=True, text=True, check=True, cwd=PROJECT
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"
