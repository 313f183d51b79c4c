"""One DAG for each declaration in datasets/: from an uploaded snapshot to the tables, woken by the upload."""

from airflow.sdk import DAG, Asset, AssetWatcher, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from minidata.dataset import Dataset, read_datasets
from minidata.events.trigger import SnapshotTrigger
from minidata.settings import load_settings


def give_back(context) -> None:
    """Free the files of a run whose worker was killed, before their lease runs out."""
    from etl.release import release_killed

    release_killed(context["run_id"])


def run(step: str, batch: int) -> int:
    """Run one step of the batch, and hand the batch on."""
    from etl.step import run_step

    run_step(step, batch)
    return batch


def pipeline(dataset: Dataset) -> None:
    """Make the DAG of a dataset; its trigger wakes it, and nothing else of it knows the others."""
    name = dataset.name
    uploads = AssetWatcher(name=f"{name}_uploads", trigger=SnapshotTrigger(dataset=name))
    raw = Asset(name=f"{name}_raw", uri=f"s3://raw/{name}/", watchers=[uploads])
    quarantine = Asset(name=f"{name}_quarantine", uri=f"s3://quarantine/files/{name}/")
    tables = [Asset(name=f"{name}.{made}", uri=f"postgres://warehouse/mart/{name}/{made}") for made in dataset.tables]

    with DAG(
        name,
        schedule=[raw],
        max_active_runs=2,
        catchup=False,
        is_paused_upon_creation=False,
        on_failure_callback=give_back,
        tags=["pipeline"],
        doc_md=f"{dataset.title}: from an uploaded snapshot to the tables, woken by the upload.",
    ):

        @task(retries=0)
        def extract() -> int:
            """Claim the snapshots that wait."""
            from etl.extract import extract

            batch = extract(name, get_current_context()["run_id"])
            if batch is None:
                raise AirflowSkipException("Nothing waits.")
            return batch

        @task(retries=0, inlets=[raw], outlets=[quarantine])
        def validate(batch: int) -> int:
            """Part good rows from bad ones, and good files from bad ones."""
            return run("validate", batch)

        @task(retries=0)
        def transform(batch: int) -> int:
            """Turn rows into rollups."""
            return run("transform", batch)

        @task(retries=0, outlets=tables)
        def load(batch: int) -> int:
            """Merge the rollups into the tables, exactly once."""
            return run("load", batch)

        @task(retries=0, outlets=[Asset(name=f"{name}_archive", uri=f"s3://archive/{name}/")])
        def archive(batch: int) -> int:
            """Move what is done out of raw."""
            return run("archive", batch)

        archive(load(transform(validate(extract()))))


for declared in read_datasets(load_settings().datasets_folder).values():
    pipeline(declared)
