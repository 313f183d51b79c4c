"""The buckets of an embedded platform: made once, and versioned where it matters."""

import uuid
from typing import Any

from minidata.errors import PermanentError, TransientError
from operate.embedded.object_store import Buckets, Identity


def connect(endpoint: str, identity: Identity) -> Any:
    """Return a boto3 client that fails fast, for looking whether the server is there.

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


def prepare(client: Any, buckets: Buckets) -> None:
    """Make what is missing: the buckets, and versions in raw.

    Args:
        client: the administrator's, of `connect`.
        buckets: their names.

    Raises:
        TransientError: if the server does not answer yet.
        PermanentError: if it refuses the administrator.
    """
    try:
        there = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
        for name in buckets.names:
            if name not in there:
                client.create_bucket(Bucket=name)
        if client.get_bucket_versioning(Bucket=buckets.raw).get("Status") != "Enabled":
            client.put_bucket_versioning(Bucket=buckets.raw, VersioningConfiguration={"Status": "Enabled"})
    except _errors() as error:
        raise _explained(error) from error


def probe(client: Any, bucket: str) -> None:
    """See that an object can be put, read back and deleted: a port that answers is not a store that works.

    Raises:
        TransientError: if it cannot yet.
        PermanentError: if the server refuses the key.
    """
    key, content = f"_probe/{uuid.uuid4().hex}", uuid.uuid4().bytes
    try:
        client.put_object(Bucket=bucket, Key=key, Body=content)
        found = client.get_object(Bucket=bucket, Key=key)["Body"].read()
        client.delete_object(Bucket=bucket, Key=key)
    except _errors() as error:
        raise _explained(error) from error
    if found != content:
        raise TransientError(f"The object store returned other bytes than were put into {bucket}/{key}.")


def _errors() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    return (BotoCoreError, ClientError, HTTPError)


def _explained(error: Exception) -> Exception:
    answer = getattr(error, "response", None) or {}
    code = answer.get("Error", {}).get("Code", "")
    if code in {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"}:
        return PermanentError(
            f"The object store refuses the administrator's key ({code}). The server reads its keys when it "
            "starts: run `./mdp down`, then `./mdp up`."
        )
    return TransientError(f"The object store does not answer yet: {error}")
