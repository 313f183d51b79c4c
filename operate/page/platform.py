"""The platform behind the page, for one request."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends, HTTPException, Path

from minidata import ledger
from minidata.dataset import Dataset, sound_datasets
from minidata.errors import PermanentError
from minidata.ledger import File
from minidata.settings import Settings, load_settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import Connection, connect
from operate.page.person import Person


@dataclass(frozen=True)
class Platform:
    """Settings, store and ledger, as the pipeline reaches them."""

    settings: Settings
    store: ObjectStore
    connection: Connection

    @property
    def datasets(self) -> dict[str, Dataset]:
        """The declared datasets, by name, but for those whose declaration is wrong."""
        return sound_datasets(self.settings.datasets_folder)

    def dataset_of(self, file: File) -> Dataset:
        """Return the dataset of a file.

        Raises:
            PermanentError: if it is not declared any more.
        """
        if file.dataset not in self.datasets:
            raise PermanentError(f"The dataset {file.dataset} of {file.key} is not declared any more.")
        return self.datasets[file.dataset]

    def file(self, file_id: int, person: Person, method: Literal["GET", "POST"] = "GET") -> File:
        """Return a row of the ledger.

        Raises:
            HTTPException: 404 if there is none that the person may read, 403 if they may not change it.
        """
        found = ledger.find_files(self.connection, file_id=file_id)
        if not found or not person.may("GET", found[0].dataset):
            raise HTTPException(404, "The ledger has no such file.")
        if not person.may(method, found[0].dataset):
            raise HTTPException(403, f"You may read the files of {found[0].dataset}, and not change them.")
        return found[0]


def _platform() -> Iterator[Platform]:
    settings = load_settings()
    with connect(settings, "loader") as connection:
        yield Platform(settings, ObjectStore(settings), connection)


PlatformDep = Annotated[Platform, Depends(_platform)]
FileId = Annotated[int, Path(ge=1, le=2**63 - 1)]
