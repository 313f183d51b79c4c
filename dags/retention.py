"""Deletes what is older than MDP_RETENTION_DAYS: Airflow's runs and logs, records of batches and alerts."""

from airflow.sdk import DAG, task

from minidata.settings import load_settings

with DAG(
    "retention",
    schedule="17 */6 * * *",
    max_active_runs=1,
    catchup=False,
    is_paused_upon_creation=False,
    default_args={"retries": 0},
    tags=["platform"],
    doc_md="Deletes old records of the platform's own work. Uploads, tables, archive and ledger of files stay.",
):

    @task
    def ledger() -> int:
        """Delete old batches and alerts."""
        from minidata.ledger import prune
        from minidata.warehouse.connection import connect

        settings = load_settings()
        with connect(settings, "loader") as connection:
            return prune(connection, settings.retention_days)

    @task
    def logs() -> int:
        """Delete old logs of tasks and of the DAG processor."""
        from pathlib import Path

        from airflow.configuration import conf

        from minidata.retention import EVENTS, prune_logs, set_aside

        folder = Path(conf.get("logging", "base_log_folder"))
        set_aside(folder / EVENTS)
        return prune_logs(folder, load_settings().retention_days)

    @task
    def airflow() -> None:
        """Delete old runs, events and other rows of Airflow's tables."""
        from minidata.retention import clean_airflow

        print(clean_airflow(load_settings().retention_days))  # noqa: T201  into the task's log

    ledger(), logs(), airflow()
