"""A local executor that imports before it forks: a task then starts in hundredths of a second, not in one.

The workers are forked from the scheduler, and every task from a worker, so none of them imports these modules again.
Modules are only imported, never used: Polars hangs in a child if its threads have run before.
"""

import importlib
import os

from airflow.executors.local_executor import LocalExecutor

from minidata import store
from minidata.settings import load_settings
from operate.embedded.airflow.pace import Pace

MODULES = (
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.sdk._shared.secrets_masker",
    "airflow.sdk.definitions.asset",
    "airflow.providers.standard.decorators.python",
    "airflow.providers.standard.decorators.short_circuit",
    "airflow.providers.standard.operators.python",
    "airflow.dag_processing.bundles.local",
    "airflow.dag_processing.bundles.manager",
    "airflow.dag_processing.dagbag",
    "minidata.events.trigger",
    "etl.archive",
    "etl.extract",
    "etl.load",
    "etl.step",
    "etl.transform",
    "etl.validate",
    "boto3.session",
    "boto3.s3.transfer",
    "boto3.s3.inject",
    "botocore.config",
    "botocore.exceptions",
    "botocore.handlers",
    "urllib3.connectionpool",
    "polars",
    "psycopg",
)


LINEAGE = ("airflow.providers.openlineage.plugins.listener", "etl.openlineage")


class PreloadingExecutor(LocalExecutor):
    """Airflow's LocalExecutor, with the pipeline's modules loaded before the first fork."""

    def start(self) -> None:
        """Import and read what every task needs, then start the workers."""
        lineage = () if load_settings().openlineage == "off" else LINEAGE
        for module in (*MODULES, *lineage):
            importlib.import_module(module)
        store.preload()
        super().start()
        self._pace = Pace(load_settings())  # its connection is the scheduler's own, so made after the forks

    def sync(self) -> None:
        """Take the results of tasks, then wait: Airflow calls this once in each loop of the scheduler."""
        super().sync()
        self._pace.rest(frozenset(self.running))

    def _check_workers(self) -> None:
        """End the scheduler if a worker was killed; it is restarted, and takes up what was running.

        A worker that waits for a task holds the lock of the queue: if it dies, no other gets a task again.
        """
        if all(worker.is_alive() for worker in self.workers.values()):
            super()._check_workers()
        else:
            self.log.error("A worker of the executor was killed. The scheduler ends and is restarted.")
            os._exit(1)  # an orderly end would wait for the workers
