"""YouTube statistics: from an uploaded snapshot to the tables, woken by the upload."""

from airflow.sdk import DAG, Asset, AssetWatcher, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from minidata.events.trigger import SnapshotTrigger

DATASET = "youtube_stats"
TABLES = ("video_metrics", "channel_metrics", "videos", "channels", "channel_stats")

raw = Asset(
    name=f"{DATASET}_raw",
    uri=f"s3://raw/{DATASET}/",
    watchers=[AssetWatcher(name=f"{DATASET}_uploads", trigger=SnapshotTrigger(dataset=DATASET))],
)
quarantine = Asset(name=f"{DATASET}_quarantine", uri=f"s3://quarantine/files/{DATASET}/")
archived = Asset(name=f"{DATASET}_archive", uri=f"s3://archive/{DATASET}/")
tables = [Asset(name=f"{DATASET}.{table}", uri=f"postgres://warehouse/mart/{DATASET}/{table}") for table in TABLES]


def give_back(context) -> None:
    """Free the files of a run whose worker was killed, before their lease runs out."""
    from etl.release import release_killed

    release_killed(context["run_id"])


with DAG(
    DATASET,
    schedule=[raw],
    max_active_runs=2,
    catchup=False,
    is_paused_upon_creation=False,
    on_failure_callback=give_back,
    tags=["pipeline"],
    doc_md=__doc__,
):

    @task(retries=0)
    def extract() -> int:
        """Claim the snapshots that wait."""
        from etl.extract import extract

        batch = extract(DATASET, get_current_context()["run_id"])
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

    @task(retries=0, outlets=[archived])
    def archive(batch: int) -> int:
        """Move what is done out of raw."""
        return run("archive", batch)

    def run(step: str, batch: int) -> int:
        """Run one step of the batch, and hand the batch on."""
        from etl.step import run_step

        run_step(step, batch)
        return batch

    archive(load(transform(validate(extract()))))
