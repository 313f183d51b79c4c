"""Reads accepted files again: from the archive or, while their move is outstanding, from `raw`."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC

import polars as pl

from minidata.contract import Limits
from minidata.contract.cells import rule_of
from minidata.contract.validate import validate
from minidata.dataset import ARRIVED_AT, Dataset
from minidata.errors import ObjectGoneError, PermanentError, TransientError
from minidata.ledger.contents import Content, contents, record_ranges
from minidata.rollup import RangeBuilder
from minidata.settings import Settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import Connection

_MOVE_SECONDS = 30.0  # how long a file may be gone from `raw` before the ledger tells its place in the archive


class Archive:
    """The accepted files of a platform.

    Args:
        store: with the pipeline's key.
        settings: names of the buckets.
        connection: to the warehouse, as `mdp_loader`, to learn where a moved file is; not in a transaction that
            keeps what it has seen.
    """

    def __init__(self, store: ObjectStore, settings: Settings, connection: Connection) -> None:
        self._store = store
        self._settings = settings
        self._connection = connection

    @staticmethod
    def no_rows(dataset: Dataset) -> pl.DataFrame:
        """Return a frame with `dataset.row_columns` and no row."""
        return pl.DataFrame(schema={name: rule_of(column).dtype for name, column in dataset.row_columns.items()})

    def read(self, content: Content, dataset: Dataset, good: Callable[[pl.DataFrame], None]) -> int:
        """Check a file by the current rules, as a load would, and return its number of good rows.

        Args:
            content: the file.
            dataset: whose rules hold.
            good: takes frames with `dataset.row_columns`; what it took is void if an error is raised.

        Raises:
            PermanentError: if the file is missing, was changed, or cannot be a file of the dataset any more.
        """
        ranges = RangeBuilder(dataset.columns)

        def add(frame: pl.DataFrame) -> None:
            ranges.add(frame)
            if dataset.by_arrival:
                arrived = content.arrived_at.astimezone(UTC).replace(tzinfo=None)
                frame = frame.with_columns(pl.lit(arrived).cast(pl.Datetime("us")).alias(ARRIVED_AT))
            good(frame.select(list(dataset.row_columns)))

        verdict = validate(
            self._bytes(content),
            key=content.key,
            stored_size=content.size,
            arrived_at=content.arrived_at,
            dataset=dataset,
            # The share of rejected rows and the size were judged when the file was loaded.
            limits=Limits(max_file_bytes=2**62, max_rejected_share=1, slice_bytes=self._settings.slice_bytes),
            good=add,
            rejects=lambda _: None,
        )
        if verdict.sha256 != content.sha256:
            raise PermanentError(
                f"{self._place(content)} is not the file that was loaded as {content.key}: its content has changed. "
                "Nothing was changed in the tables. Restore the object, or upload the same file again."
            )
        if verdict.reason is not None:
            raise PermanentError(
                f"{self._place(content)}, loaded as {content.key}, is no valid file by the current rules: "
                f"{verdict.reason.message} Nothing was changed in the tables. Change the rules of "
                f"{dataset.name} so that they accept it."
            )
        if content.ranges is None:
            record_ranges(self._connection, content.file_id, ranges.finish())
        return verdict.rows_good

    def _place(self, content: Content) -> str:
        if content.archive_key is None:
            return f"{self._settings.raw_bucket}/{content.key}"
        return f"{self._settings.archive_bucket}/{content.archive_key}"

    def _bytes(self, content: Content) -> Iterator[bytes]:
        end = time.monotonic() + _MOVE_SECONDS
        while content.archive_key is None:
            chunks = self._store.read(self._settings.raw_bucket, content.key, content.version)
            try:
                first = next(chunks, b"")
            except ObjectGoneError:
                if time.monotonic() > end:
                    raise TransientError(f"{content.key} is neither in raw nor in the archive yet. Retry.") from None
                time.sleep(0.1)
                (content,) = contents(self._connection, [content.file_id])
                continue
            yield first
            yield from chunks
            return
        try:
            yield from self._store.read(self._settings.archive_bucket, content.archive_key)
        except ObjectGoneError as error:
            raise PermanentError(
                f"{self._place(content)}, loaded as {content.key}, is missing. Nothing was changed in the tables. "
                "Restore the object, or upload the same file again."
            ) from error
