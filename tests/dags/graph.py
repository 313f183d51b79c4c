"""Every DAG, task and asset, as plain data: `python tests/dags/graph.py` rewrites graph.json."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
SNAPSHOT = Path(__file__).with_name("graph.json")


def load() -> Any:
    """Read the project's DAGs as Airflow's DAG processor does."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(PROJECT / "dags")


def graph(bag: Any) -> dict[str, Any]:
    """Return what a change of which should be seen by a person."""
    from airflow.sdk import Asset

    assets: dict[str, Asset] = {}

    def names(things: Any) -> list[str]:
        found: list[str] = []
        for thing in things:
            if isinstance(thing, Asset):
                assets[thing.name] = thing
                found.append(thing.name)
            else:  # all or any of several
                found += names(thing.objects)
        return sorted(found)

    def scheduled(dag: Any) -> list[str] | str:
        wanted = getattr(dag.timetable, "asset_condition", None)
        return names([wanted]) if wanted else str(dag.schedule)

    dags = {
        dag_id: {
            "schedule": scheduled(dag),
            "catchup": dag.catchup,
            "max_active_runs": dag.max_active_runs,
            "paused_at_first": dag.is_paused_upon_creation,
            "tags": sorted(dag.tags),
            "on_failure": bool(dag.on_failure_callback),
            "tasks": {
                task.task_id: {
                    "operator": type(task).__name__,
                    "after": sorted(task.upstream_task_ids),
                    "retries": task.retries,
                    "trigger_rule": task.trigger_rule.value,
                    "pool": task.pool,
                    "inlets": names(task.inlets),
                    "outlets": names(task.outlets),
                }
                for task in sorted(dag.tasks, key=lambda task: task.task_id)
            },
        }
        for dag_id, dag in sorted(bag.dags.items())
    }
    return {
        "dags": dags,
        "assets": {
            name: {
                "uri": asset.uri,
                "watchers": {w.name: [w.trigger.serialize()[0], w.trigger.serialize()[1]] for w in asset.watchers},
            }
            for name, asset in sorted(assets.items())
        },
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="airflow-") as home:
        os.environ.setdefault("AIRFLOW_HOME", home)
        SNAPSHOT.write_text(json.dumps(graph(load()), indent=2) + "\n", encoding="utf-8")
