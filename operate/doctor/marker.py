"""The marker: a file that travels from the store to a tile, and leaves no trace.

Its name ends in no known type, so the pipeline registers, claims, checks and moves it as any upload, and puts it into
quarantine instead of the tables. Afterwards its object and its row in the ledger are removed.
"""

import time
from collections.abc import Callable
from contextlib import closing

import psycopg
from psycopg import sql

from minidata import ledger
from minidata.dataset import Dataset
from minidata.errors import PermanentError, TransientError
from minidata.settings import Settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import connect, conninfo
from operate.doctor.report import Hop

_CONTENT = b"A marker of `./mdp doctor`. It may be deleted.\n"
_POLL_SECONDS = 0.02


class Marker:
    """One marker on its way through the pipeline of a dataset.

    Args:
        settings: of the platform.
        dataset: whose pipeline is tried.
        tile: asks a dashboard how many files of a key it shows; None if there is no dashboard.
        patience: seconds to wait for each hop.
    """

    def __init__(
        self, settings: Settings, dataset: Dataset, tile: Callable[[str], int] | None, patience: float = 60
    ) -> None:
        self.key = ledger.marker_key(dataset.prefix)
        self._settings, self._dataset, self._tile, self._patience = settings, dataset, tile, patience
        self._store = ObjectStore(settings)
        self._version = ""
        self._woken = psycopg.connect(conninfo(settings, "loader"), autocommit=True)
        self._woken.execute(f"listen {ledger.CHANNEL}")
        self._ledger = connect(settings, "loader")

    def close(self) -> None:
        """Remove what the marker left, and what an interrupted doctor left; close the connections."""
        self._woken.close()
        self._ledger.close()
        if self._version:  # it may never have left raw
            self._store.delete_version(self._settings.raw_bucket, self.key, self._version)
        with closing(connect(self._settings, "owner")) as owner:
            for place in ledger.remove_markers(owner):
                self._store.delete_prefix(self._settings.quarantine_bucket, place)

    def hops(self) -> list[Hop]:
        """Return the hops in their order, with what helps where one fails."""
        logs = "`./mdp logs {}` shows more."
        hops: list[Hop] = [
            ("store", self._put, "`./mdp up` starts the object store; " + logs.format("object-store")),
            ("event", self._event, "`./mdp up` starts the relay; " + logs.format("relay")),
            ("trigger", self._registered, "`./mdp up` starts the triggerer; " + logs.format("airflow-triggerer")),
            ("dag", self._claimed, "`./mdp up` unpauses the DAG; " + logs.format("airflow-scheduler")),
            ("ledger", self._judged, "`./mdp open airflow` shows the log of the task that failed."),
            ("table", self._tables, "`./mdp up` creates what is missing, and gives back rights."),
            ("view", self._view, "`./mdp up` creates what is missing, and gives back rights."),
        ]
        if self._tile:
            hops.append(("tile", self._shown, "`./mdp dashboards apply` draws it; " + logs.format("superset")))
        return hops

    def _put(self) -> str:
        content = _CONTENT + self.key.encode()
        self._version = self._store.write(self._settings.raw_bucket, self.key, content)
        return f"{self._settings.raw_bucket}/{self.key}"

    def _event(self) -> str:
        for _ in self._woken.notifies(timeout=self._patience, stop_after=1):
            return "the database was told"
        raise TransientError(f"No event of the upload came within {self._patience:.0f} s; only listings find it.")

    def _registered(self) -> str:
        self._await("registered", "The trigger has not entered the file into the ledger")
        return "entered into the ledger"

    def _claimed(self) -> str:
        self._await("claimed", f"No run of the DAG {self._dataset.name} has taken the file")
        return f"a run of {self._dataset.name} took it"

    def _judged(self) -> str:
        self._await("quarantined", "The file is not judged and moved")
        return "checked, and moved to quarantine as intended"

    def _tables(self) -> str:
        with self._ledger.transaction(force_rollback=True):
            for table in self._dataset.tables:
                name = sql.Identifier(self._dataset.name, table)
                self._ledger.execute(sql.SQL("insert into {0} select * from {0} limit 0").format(name))
        return f"{len(self._dataset.tables)} tables take rows"

    def _view(self) -> str:
        with closing(connect(self._settings, "bi")) as reader:
            for table in self._dataset.tables:
                reader.execute(sql.SQL("select from mart.{} limit 1").format(sql.Identifier(table)))
            found = reader.execute("select state from mart.file_arrivals where key = %s", [self.key]).fetchone()
        if found is None:
            raise PermanentError("mart.file_arrivals does not show the file.")
        return f"mart.file_arrivals shows it as {found[0]}"

    def _shown(self) -> str:
        assert self._tile is not None  # noqa: S101  the hop exists only with a tile
        if self._tile(self.key) != 1:
            raise PermanentError("The health dashboard does not show the file.")
        return "the health dashboard shows it"

    def _await(self, step: ledger.Step, failure: str) -> None:
        deadline = time.monotonic() + self._patience
        while not ledger.has_passed(self._ledger, self.key, self._version, step):
            if time.monotonic() > deadline:
                raise TransientError(f"{failure} within {self._patience:.0f} s.")
            time.sleep(_POLL_SECONDS)
