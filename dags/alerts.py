"""Tells people, once a minute, what has happened: files in quarantine, failed files, nothing loaded, stale tables."""

from airflow.sdk import DAG, task

from minidata.settings import load_settings

with DAG(
    "alerts",
    schedule="* * * * *" if load_settings().alerts else None,
    max_active_runs=1,
    catchup=False,
    is_paused_upon_creation=False,
    default_args={"retries": 0},
    tags=["platform"],
    doc_md="Sends what is new to the address in MDP_ALERTS. An alert that cannot be sent is tried again.",
):

    @task
    def tell() -> None:
        """Send each new event."""
        from minidata.notifier import tell

        tell(load_settings())

    tell()
