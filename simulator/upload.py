"""Where snapshots go: any S3 bucket with a key that may only put, or a folder."""

from pathlib import Path
from typing import Protocol

from minidata.errors import PermanentError, TransientError


class Uploader(Protocol):
    """Takes objects."""

    def put(self, key: str, data: bytes) -> None:
        """Store an object, replacing what has its key.

        Raises:
            TransientError: if the store is away; the same call may succeed later.
            PermanentError: if it refuses.
        """


class FolderUploader:
    """Writes each object as a file below a folder, which is made when it is missing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, key: str, data: bytes) -> None:
        """Write a file; its key is its path."""
        path = self.folder / key
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise PermanentError(
                f"{path} cannot be written: {error.strerror}. Choose another folder, or make room in this one."
            ) from error


class S3Uploader:
    """Puts objects into a bucket; needs no other right there.

    Args:
        endpoint: address of the S3 server.
        bucket: its name.
        access_key_id: of the generator's key.
        secret_access_key: of the same.
        region: of the server.
    """

    def __init__(
        self, endpoint: str, bucket: str, access_key_id: str, secret_access_key: str, region: str = "us-east-1"
    ) -> None:
        from datetime import timedelta  # noqa: PLC0415

        from obstore.store import S3Store  # noqa: PLC0415  a folder needs none of it

        self._where = f"the bucket {bucket} at {endpoint}"
        self._store = S3Store(
            bucket,
            endpoint=endpoint,
            region=region,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=5),
                "timeout": timedelta(seconds=60),
            },
            retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=60)},
        )

    def put(self, key: str, data: bytes) -> None:
        """Put an object."""
        import obstore  # noqa: PLC0415
        from obstore.exceptions import (  # noqa: PLC0415
            BaseError,
            PermissionDeniedError,
            UnauthenticatedError,
        )

        try:
            obstore.put(self._store, key, data)
        except (FileNotFoundError, PermissionDeniedError, UnauthenticatedError) as error:
            raise PermanentError(
                f"{key} was refused by {self._where}: {_brief(error)} Check the bucket and the key in "
                "MDP_GENERATOR_ACCESS_KEY_ID, which needs the right to put."
            ) from error
        except BaseError as error:
            raise TransientError(f"{key} did not get into {self._where}: {_brief(error)}") from error


def _brief(error: Exception) -> str:
    """Return the first line of an error of the store; details of the client follow it."""
    return str(error).splitlines()[0].rstrip(" :.") + "."
