"""The steps of the pipeline, one file each, and what they share. Nothing here knows Airflow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minidata.dataset import Dataset
from minidata.settings import Settings, load_settings
from minidata.staging import Staging
from minidata.store import ObjectStore
from minidata.warehouse.connection import Connection

Counts = dict[str, int]


@dataclass(frozen=True)
class Workplace:
    """What work on the files of a batch needs, in whatever process it runs.

    Pickled, it leaves its secrets behind: the process that reads it has its own.

    Attributes:
        dataset: the declaration of the files.
        datasets: all declared ones, by name.
        settings: the limits and the names of the buckets.
        store: the buckets.
        staging: the batch's folder for Parquet.
    """

    dataset: Dataset
    datasets: Mapping[str, Dataset]
    settings: Settings
    store: ObjectStore
    staging: Staging

    def __reduce__(self) -> tuple[Any, ...]:
        return open_workplace, (self.dataset, self.datasets, self.settings.without_secrets(), self.staging.token)


def open_workplace(dataset: Dataset, datasets: Mapping[str, Dataset], settings: Settings, token: str) -> Workplace:
    """Return a workplace in this process, with this process's key to the store.

    Raises:
        PermanentError: if it has none.
    """
    own = load_settings()
    store = ObjectStore(settings, own.secret("s3_access_key_id"), own.secret("s3_secret_access_key"))
    return Workplace(dataset, datasets, settings, store, Staging(store, settings.staging_bucket, token))


@dataclass(frozen=True)
class BatchContext(Workplace):
    """A claimed batch and what a step needs to work on it.

    Attributes:
        batch_id: its id in the ledger.
        connection: to the warehouse, as `mdp_loader`.
    """

    batch_id: int
    connection: Connection
