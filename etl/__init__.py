"""The steps of the pipeline, one file each, and what they share. Nothing here knows Airflow."""

from dataclasses import dataclass

from minidata.dataset import Dataset
from minidata.settings import Settings
from minidata.staging import Staging
from minidata.store import ObjectStore
from minidata.warehouse.connection import Connection

Counts = dict[str, int]


@dataclass(frozen=True)
class BatchContext:
    """A claimed batch and what a step needs to work on it.

    Attributes:
        batch_id: its id in the ledger.
        dataset: the declaration of its files.
        connection: to the warehouse, as `mdp_loader`.
        store: the buckets.
        staging: its folder for Parquet.
        settings: the limits and the names of the buckets.
    """

    batch_id: int
    dataset: Dataset
    connection: Connection
    store: ObjectStore
    staging: Staging
    settings: Settings
