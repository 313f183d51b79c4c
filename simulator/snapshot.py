"""The raw file: its rows, its CSV bytes and its key; and where it goes, a bucket or a folder."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from minidata.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from minidata.settings import (
        Settings,
    )  # the world itself needs no settings: importing them takes longer than all else


class Row(NamedTuple):
    """One video at one instant; the fields are the columns of a raw file, in its order."""

    video_id: str  # 11 characters
    channel_id: str  # 24 characters
    channel_name: str  # as viewers see it
    channel_subscribers: int  # at the instant; may fall
    description: str  # title and text; may hold line ends, quotes and any script
    total_views: int  # never falls
    total_likes: int  # never falls
    total_dislikes: int  # never falls
    date_created: datetime  # publication, in UTC, whole seconds
    date_updated: datetime  # the instant, in UTC, whole seconds


HEADER = list(Row._fields)


def timestamp(instant: datetime) -> str:
    """Format an instant as `YYYY-MM-DD HH:MM:SS`, in UTC."""
    return instant.astimezone(UTC).isoformat(" ", "seconds")[:19]


def cells(rows: Iterable[Row]) -> list[list[str]]:
    """Turn rows into cells of text."""
    return [[*map(str, row[:8]), timestamp(row.date_created), timestamp(row.date_updated)] for row in rows]


def to_csv(table: Iterable[Sequence[str]], header: Sequence[str] = HEADER) -> bytes:
    """Write a header and cells as CSV by RFC 4180: UTF-8, CRLF, quotes only where they are needed."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *table])
    return text.getvalue().encode()


def snapshot_key(taken: datetime, sequence: int, suffix: str = ".csv") -> str:
    """Name a snapshot `youtube_stats/YYYY-MM-DD/HHMMSS-<sequence>.csv`: unique, and sorted by time."""
    return f"youtube_stats/{taken.astimezone(UTC):%Y-%m-%d/%H%M%S}-{sequence:08d}{suffix}"


class Uploader(Protocol):
    """Stores objects."""

    def put(self, key: str, data: bytes) -> None:
        """Store an object, replacing any that has its key.

        Raises:
            TransientError: if the store is unreachable or broken; the same call may succeed later.
            PermanentError: if it refuses.
        """


class FolderUploader:
    """Writes each object as a file below a folder, which is created when missing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, key: str, data: bytes) -> None:
        """Write a file; the key is its path in the folder."""
        path = self.folder / key
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise PermanentError(
                f"{path} cannot be written: {error.strerror}. Free some space or choose another folder."
            ) from error


class S3Uploader:
    """Puts objects into the bucket `raw` with the generator's key, which needs no other permission.

    Raises:
        PermanentError: if the settings lack the key.
    """

    def __init__(self, settings: "Settings") -> None:
        from obstore.store import S3Store  # noqa: PLC0415  a folder needs none of it

        self._where = f"the bucket {settings.raw_bucket} at {settings.s3_endpoint}"
        self._store = S3Store(
            settings.raw_bucket,
            endpoint=settings.s3_endpoint,
            region=settings.s3_region,
            access_key_id=settings.secret("generator_access_key_id"),
            secret_access_key=settings.secret("generator_secret_access_key"),
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": settings.s3_endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=5),
                "timeout": timedelta(seconds=60),
            },
            retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=60)},
        )

    def put(self, key: str, data: bytes) -> None:
        """Put an object."""
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError  # noqa: PLC0415

        try:
            self._store.put(key, data)
        except (FileNotFoundError, PermissionDeniedError, UnauthenticatedError) as error:
            raise PermanentError(
                f"{key} was refused by {self._where}: {_first_line(error)} Check the bucket and the key in "
                "MDP_GENERATOR_ACCESS_KEY_ID, which needs the permission to put."
            ) from error
        except BaseError as error:
            raise TransientError(f"{key} did not get into {self._where}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    """Return the first line of an error of the store; details of the client follow it."""
    return str(error).splitlines()[0].rstrip(" :.") + "."
