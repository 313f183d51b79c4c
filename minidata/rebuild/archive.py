"""Reads accepted files again: from the archive or, while their move is outstanding, from `raw`."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC

import polars as pl

from minidata.contract import Limits, Verdict
from minidata.contract.cells import rule_of
from minidata.contract.together import SmallFile, certainly_good, grouped
from minidata.contract.validate import validate
from minidata.dataset import ARRIVED_AT, FILE, Dataset
from minidata.errors import ObjectGoneError, PermanentError, TransientError
from minidata.ledger.contents import Content, contents, record_ranges
from minidata.rollup import RangeBuilder, Ranges
from minidata.settings import Settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import Connection

Progress = Callable[[int, int], None]
"""Takes the number of files that are done, and of all."""

_READS_AT_ONCE = 8
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

    def read(
        self,
        files: Sequence[Content],
        dataset: Dataset,
        good: Callable[[pl.DataFrame], None],
        progress: Progress = lambda _, __: None,
    ) -> Iterator[tuple[Content, int]]:
        """Check files by the current rules, as a load would.

        Args:
            files: of the dataset, in the order of their arrival.
            dataset: whose rules hold.
            good: takes frames with `dataset.row_columns` and `dataset.FILE`; what it took is void if an error is
                raised.
            progress: takes the number of files that are read, and of all.

        Yields:
            Each file and its number of good rows, once `good` has taken them.

        Raises:
            PermanentError: if a file is missing, was changed, or cannot be a file of the dataset any more.
        """
        limits = Limits(
            # The share of rejected rows and the size were judged when the file was loaded.
            max_file_bytes=2**62,
            max_rejected_share=1,
            slice_bytes=self._settings.slice_bytes,
        )
        done = 0
        with ThreadPoolExecutor(_READS_AT_ONCE) as pool:
            for group in grouped(files, self._settings.slice_bytes):
                progress(done, len(files))
                content: list[Iterable[bytes]] = [self._bytes(file) for file in group]
                verdicts: dict[int, Verdict] = {}
                if len(group) > 1:
                    content = [[data] for data in pool.map(self._whole, group)]
                    verdicts = self._read_together(group, content, dataset, limits, good)
                for file, chunks in zip(group, content, strict=True):
                    verdict = verdicts.get(file.file_id) or self._read_alone(file, chunks, dataset, limits, good)
                    yield file, verdict.rows_good
                done += len(group)
        progress(done, len(files))

    def _read_together(
        self,
        files: Sequence[Content],
        content: Iterable[Iterable[bytes]],
        dataset: Dataset,
        limits: Limits,
        good: Callable[[pl.DataFrame], None],
    ) -> dict[int, Verdict]:
        """Read the files in which each row is certainly good; returns their verdicts by id."""
        small = [
            SmallFile(file.file_id, file.key, b"".join(chunks), file.arrived_at)
            for file, chunks in zip(files, content, strict=True)
        ]
        verdicts, rows = certainly_good(small, dataset, limits)
        of = {file.file_id: file for file in files}
        for file_id, verdict in verdicts.items():
            self._require_same(of[file_id], verdict)
        if rows is not None:
            found = RangeBuilder(dataset.columns).by_file(rows) if any(file.ranges is None for file in files) else {}
            for file_id, ranges in found.items():
                self._keep_ranges(of[file_id], ranges)
            good(_placed(rows, files, dataset))
        return verdicts

    def _read_alone(
        self,
        file: Content,
        content: Iterable[bytes],
        dataset: Dataset,
        limits: Limits,
        good: Callable[[pl.DataFrame], None],
    ) -> Verdict:
        ranges = RangeBuilder(dataset.columns)

        def add(frame: pl.DataFrame) -> None:
            ranges.add(frame)
            good(_placed(frame.with_columns(pl.lit(file.file_id, pl.Int64).alias(FILE)), [file], dataset))

        verdict = validate(
            content,
            key=file.key,
            stored_size=file.size,
            arrived_at=file.arrived_at,
            dataset=dataset,
            limits=limits,
            good=add,
            rejects=lambda _: None,
        )
        self._require_same(file, verdict)
        if verdict.reason is not None:
            raise PermanentError(
                f"{self._place(file)}, loaded as {file.key}, is no valid file by the current rules: "
                f"{verdict.reason.message} Nothing was changed in the tables. Change the rules of "
                f"{dataset.name} so that they accept it."
            )
        self._keep_ranges(file, ranges.finish())
        return verdict

    def _require_same(self, file: Content, verdict: Verdict) -> None:
        if verdict.sha256 != file.sha256:
            raise PermanentError(
                f"{self._place(file)} is not the file that was loaded as {file.key}: its content has changed. "
                "Nothing was changed in the tables. Restore the object, or upload the same file again."
            )

    def _keep_ranges(self, file: Content, ranges: Ranges) -> None:
        if file.ranges is None:
            record_ranges(self._connection, file.file_id, ranges)

    def _place(self, content: Content) -> str:
        if content.archive_key is None:
            return f"{self._settings.raw_bucket}/{content.key}"
        return f"{self._settings.archive_bucket}/{content.archive_key}"

    def _whole(self, content: Content) -> bytes:
        """Return the bytes of a small file; of an object that grew only so many that they are seen to differ."""
        data = b""
        for chunk in self._bytes(content):
            data += chunk
            if len(data) > content.size:
                break
        return data

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


def _placed(rows: pl.DataFrame, files: Iterable[Content], dataset: Dataset) -> pl.DataFrame:
    """Give rows with `dataset.FILE` their arrival, if a table of the dataset needs it."""
    if dataset.by_arrival:
        arrivals = {file.file_id: file.arrived_at.astimezone(UTC).replace(tzinfo=None) for file in files}
        arrived = pl.col(FILE).replace_strict(arrivals, return_dtype=pl.Datetime("us"))
        rows = rows.with_columns(arrived.alias(ARRIVED_AT))
    return rows.select(*dataset.row_columns, FILE)
