"""Staging: a batch's rows between two steps, as Parquet below its claim token.

<token>/good/<file id>/000000.parquet …      the good rows of a large file, or of the small ones from this one on
<token>/rollups/<rollup>/000000.parquet …    the partials of each rollup
"""

import io
from collections.abc import Iterator

import polars as pl

from minidata.errors import TransientError
from minidata.store import ObjectStore


class Parts:
    """One series of frames, kept as numbered Parquet objects; iterate to read it back in the order it was written.

    Attributes:
        rows: in the frames that were appended here.
    """

    def __init__(self, store: ObjectStore, bucket: str, folder: str) -> None:
        self._store, self._bucket, self._folder = store, bucket, folder
        self._count = 0
        self.rows = 0

    def append(self, frame: pl.DataFrame) -> None:
        """Write one more frame."""
        self.put(self._count, frame)
        self._count += 1
        self.rows += frame.height

    def put(self, number: int, frame: pl.DataFrame) -> None:
        """Write the frame of a number; a task that runs again replaces what it wrote."""
        buffer = io.BytesIO()
        frame.write_parquet(buffer, compression="lz4", statistics=False)
        self._store.write(self._bucket, f"{self._folder}{number:06}.parquet", buffer.getvalue())

    def keys(self) -> Iterator[str]:
        """List the objects in the order in which they were written."""
        return self._store.keys(self._bucket, self._folder)

    def __iter__(self) -> Iterator[pl.DataFrame]:
        return (read_frame(self._store, self._bucket, key) for key in self.keys())


class Staging:
    """The folder of one batch in the bucket `staging`.

    Args:
        store: with the pipeline's key.
        bucket: its name.
        token: of the batch's claim; no two batches share a folder.
    """

    def __init__(self, store: ObjectStore, bucket: str, token: str) -> None:
        self._store, self._bucket, self._folder = store, bucket, f"{token}/"
        self.token = token

    def good_rows(self, file_id: int | None = None) -> Parts:
        """Return the good rows of a file and those staged with it, or of the batch; `dataset.FILE` names the file."""
        return Parts(self._store, self._bucket, f"{self._folder}good/{f'{file_id}/' if file_id else ''}")

    def partials(self, rollup: str) -> Parts:
        """Return the partials of a rollup."""
        return Parts(self._store, self._bucket, f"{self._folder}rollups/{rollup}/")

    def clear(self) -> None:
        """Delete everything."""
        self._store.delete_prefix(self._bucket, self._folder)


def read_frame(store: ObjectStore, bucket: str, key: str) -> pl.DataFrame:
    """Read the frame of one object."""
    return pl.read_parquet(io.BytesIO(b"".join(store.read(bucket, key))))


def require_all(what: str, found: int, expected: int) -> None:
    """Check that staging gave back everything that was written there.

    Raises:
        TransientError: if it did not.
    """
    if found != expected:
        raise TransientError(
            f"Staging holds {found} of the {expected} {what} that were written. Does a lifecycle rule delete its "
            "objects? The files are read again."
        )
