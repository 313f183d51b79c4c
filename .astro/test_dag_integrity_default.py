"""What `astro dev parse` runs, in Astro's image: every file in dags/ can be imported.

Astro skips the command without a word if this file is missing. Nothing is mocked: a DAG of ours needs no variable,
connection or service to be read, and would fail here if it did.
"""

# ruff: noqa: D103, INP001, S101  a test, by the name that Astro wants
import os

from airflow.dag_processing.dagbag import DagBag
from airflow.utils.db import initdb

initdb()
BAG = DagBag(os.path.join(os.environ["AIRFLOW_HOME"], "dags"))  # noqa: PTH118


def test_every_file_can_be_imported() -> None:
    assert BAG.import_errors == {}
    assert BAG.dags
