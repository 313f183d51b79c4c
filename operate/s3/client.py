"""The administrator's S3 client: it fails fast, makes the buckets, and tries whether the store works."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from minidata.errors import PermanentError, TransientError
from operate.s3.access import Buckets, Identity

_KEY_REFUSED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"}
_FIX = (
    "Check that MDP_S3_ADMIN_ACCESS_KEY_ID is the key that the server was started with. The embedded one takes a "
    "changed key after `./mdp down` and `./mdp up`."
)


def connect(endpoint: str, identity: Identity) -> Any:
    """Return a boto3 client that fails fast, to check whether the server answers.

    Args:
        endpoint: URL of the S3 server.
        identity: whose key to use.
    """
    import boto3  # noqa: PLC0415  half a second that most commands need not pay
    from botocore.config import Config  # noqa: PLC0415

    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=identity.access_key,
        aws_secret_access_key=identity.secret_key,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            connect_timeout=2,
            read_timeout=10,
            retries={"total_max_attempts": 1},
            proxies={},
        ),
    )


def create_buckets(client: Any, buckets: Buckets) -> None:
    """Create the buckets that are missing, and turn on versions in raw.

    Args:
        client: the administrator's, of `connect`.
        buckets: their names.

    Raises:
        TransientError: if the server does not answer yet.
        PermanentError: if it refuses the administrator.
    """
    with _administering(client):
        existing = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
        for name in buckets.names:
            if name not in existing:
                client.create_bucket(Bucket=name)
        if client.get_bucket_versioning(Bucket=buckets.raw).get("Status") != "Enabled":
            client.put_bucket_versioning(Bucket=buckets.raw, VersioningConfiguration={"Status": "Enabled"})


def probe(client: Any, bucket: str) -> None:
    """Check that an object can be put, read back and deleted: a port that answers is not a store that works.

    Raises:
        TransientError: if it cannot yet.
        PermanentError: if the server refuses the key.
    """
    key, content = f"_probe/{uuid.uuid4().hex}", uuid.uuid4().bytes
    with _administering(client):
        client.put_object(Bucket=bucket, Key=key, Body=content)
        found = client.get_object(Bucket=bucket, Key=key)["Body"].read()
        client.delete_object(Bucket=bucket, Key=key)
    if found != content:
        raise TransientError(f"The object store returned other bytes than were put into {bucket}/{key}.")


def probe_room(client: Any, buckets: Buckets) -> None:
    """Check that every bucket takes data, without making an object: a part of an upload that is not completed.

    Raises:
        TransientError: if one does not, as on a full disk.
        PermanentError: if the server refuses the key.
    """
    with _administering(client):
        for bucket in buckets.names:
            key = {"Bucket": bucket, "Key": "_probe"}
            upload = client.create_multipart_upload(**key)["UploadId"]
            try:
                client.upload_part(**key, UploadId=upload, PartNumber=1, Body=b"room?")
            finally:
                client.abort_multipart_upload(**key, UploadId=upload)


@contextmanager
def explained(endpoint: str, final: Callable[[str, int], bool], fix: str) -> Iterator[None]:
    """Turn the errors of boto3 into the platform's own.

    Args:
        endpoint: URL of the server.
        final: tells, of S3's error code and the status of HTTP, whether trying again cannot help.
        fix: what to do then.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        if final(code, status):
            raise PermanentError(f"The object store at {endpoint} refuses its administrator: {error}. {fix}") from error
        raise TransientError(f"The object store at {endpoint} does not work yet: {error}") from error
    except (BotoCoreError, HTTPError) as error:
        raise TransientError(f"The object store at {endpoint} does not answer yet: {error}") from error


def _administering(client: Any) -> Any:
    return explained(client.meta.endpoint_url, lambda code, _: code in _KEY_REFUSED, _FIX)
