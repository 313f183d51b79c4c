"""One DAG for each declaration in datasets/: an upload wakes it, and it takes snapshots from raw to the tables."""

from pathlib import Path

from airflow.sdk import DAG, Asset, AssetWatcher, task
from airflow.sdk.exceptions import AirflowSkipException

from minidata.dataset import Dataset, sound_datasets
from minidata.events.trigger import SnapshotTrigger
from minidata.settings import load_settings

JOURNEY = Path(__file__).with_name("journey.md").read_text(encoding="utf-8")


def release(context) -> None:
    """Release the files of a run whose worker was killed, before their lease runs out."""
    from etl.step import release_unfinished

    release_unfinished(context["run_id"])


def run(step: str, batch: int) -> dict[str, int]:
    """Run one step of a batch and return its counts."""
    from etl.step import run_step

    return run_step(step, batch)


def pipeline(dataset: Dataset) -> None:
    """Make the DAG of a dataset."""
    name = dataset.name
    uploads = AssetWatcher(name=f"{name}_uploads", trigger=SnapshotTrigger(dataset=name))
    raw = Asset(name=f"raw/{name}", uri=f"s3://raw/{name}/", watchers=[uploads])
    quarantine = Asset(name=f"quarantine/{name}", uri=f"s3://quarantine/files/{name}/")
    tables = [Asset(name=f"mart/{made}", uri=f"postgres://warehouse/mart/{name}/{made}") for made in dataset.tables]

    with DAG(
        name, schedule=[raw], max_active_runs=load_settings().parallel_batches, catchup=False,
        is_paused_upon_creation=False, default_args={"retries": 0}, on_failure_callback=release, tags=["pipeline"],
        doc_md=JOURNEY.format(**dataset.model_dump()),
    ):  # fmt: skip

        @task
        def extract(run_id=None) -> int:
            """Claim the snapshots that wait."""
            from etl.extract import extract

            if (batch := extract(name, run_id)) is None:
                raise AirflowSkipException("Nothing waits.")
            return batch

        @task.short_circuit(ignore_downstream_trigger_rules=False, inlets=[raw], outlets=[quarantine])
        def validate(batch: int) -> int | None:
            """Split good rows from rejected ones; without a valid file, skip to archive."""
            return batch if run("validate", batch)["valid"] else None

        @task
        def transform(batch: int) -> int:
            """Turn rows into rollups."""
            run("transform", batch)
            return batch

        @task(outlets=tables)
        def load(batch: int, outlet_events=None) -> None:
            """Merge the rollups into the tables, exactly once; the events of the tables carry the counts."""
            counts = run("load", batch)
            for table in tables:
                outlet_events[table].extra = counts

        @task(outlets=[Asset(f"archive/{name}", f"s3://archive/{name}/")], trigger_rule="none_failed_min_one_success")
        def archive(batch: int) -> None:
            """Move the files out of raw."""
            run("archive", batch)

        load(transform(validate(batch := extract()))) >> archive(batch)


for declared in sound_datasets(load_settings().datasets_folder).values():
    pipeline(declared)
