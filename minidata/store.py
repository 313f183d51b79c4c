"""The object store, any S3: versions, streams and copies.

boto3 and its botocore alone talk to the store: keys come from outside and may hold anything (`//`, `..`, `%`), and
obstore normalises such paths; it has no versions and no copies by version.
"""

import base64
import hashlib
import io
import os
import re
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import IO, Any

from minidata.errors import ObjectGoneError, PermanentError, TransientError
from minidata.settings import Settings

CHUNK = 4 * 2**20  # bytes read at once
_TIMEOUTS = (5, 60)  # seconds, to connect and to read
_CONNECTIONS = 16
_PUT_WHOLE = 64 * 2**20  # bytes put in one call
_COPY_WHOLE = 5 * 2**30  # S3 copies at most so many bytes in one call
_GONE = {"NoSuchKey", "NoSuchVersion", "404", "NotFound", "MethodNotAllowed", "405"}
_making = threading.Lock()  # one session makes all clients, and is not thread-safe
_CHECKSUM = "x-amz-checksum-sha256"
_TAKEN = {"PreconditionFailed", "412"}
_NOT_XML = re.compile("[\x00-\x1f\ufffd-\uffff]")  # the body of a request cannot carry such a key unchanged
_DELETED_AT_ONCE = 1000
_REFUSED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "403", "NoSuchBucket"}


@dataclass(frozen=True)
class ObjectVersion:
    """One version of one object in a bucket, as a listing shows it.

    Attributes:
        key: its key.
        version: the store's id of the version; `null` in a bucket without versions.
        size: in bytes.
        modified: when the store took it in, in UTC.
    """

    key: str
    version: str
    size: int
    modified: datetime


class ObjectStore:
    """The buckets of the platform, reached with one key.

    Args:
        settings: the endpoint, the region and, unless given, the pipeline's key.
        access_key: another key's id.
        secret_key: that key's secret.
    """

    def __init__(self, settings: Settings, access_key: str | None = None, secret_key: str | None = None) -> None:
        self.endpoint = settings.s3_endpoint
        access_key = access_key or settings.secret("s3_access_key_id")
        secret_key = secret_key or settings.secret("s3_secret_access_key")
        self.client = _make_client(settings.s3_endpoint, settings.s3_region, access_key, secret_key)
        self._signer, self._http = _make_sender(settings.s3_region, access_key, secret_key)

    def _quick(self, method: str, bucket: str, key: str, **request: Any) -> Any:
        """Send a request about one object without botocore's client, whose own work takes longer than the store's.

        Returns:
            The answer, its body not read yet; None without an answer or a success. Then the client is to ask again: it
            retries, follows redirects and knows every error.
        """
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415
        from botocore.utils import percent_encode  # noqa: PLC0415

        url = f"{self.endpoint.rstrip('/')}/{bucket}/{percent_encode(key, safe='/~')}"
        asked = AWSRequest(method, url, stream_output=True, **request)
        self._signer.add_auth(asked)
        with suppress(BotoCoreError):
            answer = self._http.send(asked.prepare())
            if answer.status_code == HTTPStatus.OK:
                return answer
            answer.raw.drain_conn()
        return None

    def _get(self, bucket: str, key: str, version: str | None = None) -> tuple[Mapping[str, str], Any]:
        """Return the headers and the body of an object, or of one version of it."""
        from botocore.response import StreamingBody  # noqa: PLC0415

        if answer := self._quick("GET", bucket, key, params={"versionId": version} if version else {}):
            return answer.headers, StreamingBody(answer.raw, answer.headers.get("content-length"))
        which = {"VersionId": version} if version else {}
        slow = self.client.get_object(Bucket=bucket, Key=key, **which)
        return slow["ResponseMetadata"]["HTTPHeaders"], slow["Body"]

    def versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectVersion]:
        """List every version of every object: overwritten ones too, but no delete markers."""
        with _explained(self.endpoint, f"the bucket {bucket}"):
            pages = self.client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
            for page in pages:
                for item in page.get("Versions", []):
                    modified = item["LastModified"].astimezone(UTC)
                    yield ObjectVersion(item["Key"], item["VersionId"], item["Size"], modified)

    def read(self, bucket: str, key: str, version: str | None = None) -> Iterator[bytes]:
        """Stream an object, or one version of it, in chunks.

        Raises:
            ObjectGoneError: if it does not exist.
            TransientError: if the store is away or breaks off.
        """
        with _explained(self.endpoint, f"{bucket}/{key}"):
            yield from _chunks(*self._get(bucket, key, version), f"{bucket}/{key}")

    def read_unless_deleted(self, bucket: str, key: str, version: str) -> Iterator[bytes] | None:
        """Stream one version in chunks; None if the newest entry of its key is a delete marker.

        Raises:
            ObjectGoneError: if it does not exist, also while the chunks are drawn.
            TransientError: if the store is away or breaks off.
        """
        with suppress(ObjectGoneError), _explained(self.endpoint, f"{bucket}/{key}"):
            headers, body = self._get(bucket, key)
            if headers.get("x-amz-version-id", "null") == version:  # as a rule: then one request tells both
                return self._explained_chunks(headers, body, f"{bucket}/{key}")
            body.close()
            return self.read(bucket, key, version)
        return None if self._has_marker(bucket, key) else self.read(bucket, key, version)

    def _explained_chunks(self, headers: Mapping[str, str], body: Any, what: str) -> Iterator[bytes]:
        with _explained(self.endpoint, what):
            yield from _chunks(headers, body, what)

    def metadata(self, bucket: str, key: str, version: str | None = None) -> dict[str, str]:
        """Return the user's metadata of an object, or one version of it.

        Raises:
            ObjectGoneError: if it does not exist.
        """
        which = {"VersionId": version} if version else {}
        with _explained(self.endpoint, f"{bucket}/{key}"):
            return dict(self.client.head_object(Bucket=bucket, Key=key, **which)["Metadata"])

    def write(self, bucket: str, key: str, data: bytes | IO[bytes], metadata: dict[str, str] | None = None) -> str:
        """Put an object, replacing the one of its name, and return the id of the new version.

        A stream must be seekable; a long one goes up in parts.
        """
        with _explained(self.endpoint, f"{bucket}/{key}"):
            if isinstance(data, bytes) or _length(data) <= _PUT_WHOLE:
                answer = self.client.put_object(Bucket=bucket, Key=key, Body=data, Metadata=metadata or {})
            else:
                self.client.upload_fileobj(data, bucket, key, ExtraArgs={"Metadata": metadata or {}})
                answer = self.client.head_object(Bucket=bucket, Key=key)
            return str(answer.get("VersionId", "null"))

    def put_checked(self, bucket: str, key: str, data: bytes, sha256: str, metadata: dict[str, str]) -> bool:
        """Put an object if its name is free; the store computes the SHA-256 of what it took in, and compares.

        Args:
            bucket: where.
            key: its name.
            data: the bytes.
            sha256: what their SHA-256 must be, as hexadecimal digits.
            metadata: the user's.

        Returns:
            Whether the store answered that it holds bytes with this SHA-256; if not, the name may have been taken.

        Raises:
            TransientError: if the store is away, or got other bytes.
        """
        digest = base64.b64encode(bytes.fromhex(sha256)).decode()
        with _explained(self.endpoint, f"{bucket}/{key}"):
            headers = {f"x-amz-meta-{name}": value for name, value in metadata.items()}
            headers |= {_CHECKSUM: digest, "if-none-match": "*"}
            if quick := self._quick("PUT", bucket, key, headers=headers, data=data):
                quick.raw.drain_conn()
                return bool(quick.headers.get(_CHECKSUM) == digest)
            try:
                answer = self.client.put_object(
                    Bucket=bucket, Key=key, Body=data, Metadata=metadata, ChecksumSHA256=digest, IfNoneMatch="*"
                )
            except self.client.exceptions.ClientError as error:
                if error.response.get("Error", {}).get("Code") in _TAKEN:
                    return False
                raise
        return bool(answer.get("ChecksumSHA256") == digest)

    def copy(self, source: ObjectVersion, from_bucket: str, bucket: str, key: str, metadata: dict[str, str]) -> None:
        """Copy one version to a new name, inside the store."""
        origin = {"Bucket": from_bucket, "Key": source.key, "VersionId": source.version}
        arguments = {"Metadata": metadata, "MetadataDirective": "REPLACE"}
        with _explained(self.endpoint, f"{from_bucket}/{source.key}"):
            if source.size <= _COPY_WHOLE:
                self.client.copy_object(Bucket=bucket, Key=key, CopySource=origin, **arguments)
            else:
                self.client.copy(origin, bucket, key, ExtraArgs=arguments)

    def sha256(self, bucket: str, key: str) -> str:
        """Read an object completely and return the SHA-256 of its bytes, as hexadecimal digits."""
        digest = hashlib.sha256()
        for chunk in self.read(bucket, key):
            digest.update(chunk)
        return digest.hexdigest()

    def delete_version(self, bucket: str, key: str, version: str) -> None:
        """Delete exactly one version; other versions of the key stay. It may be gone already."""
        with suppress(ObjectGoneError), _explained(self.endpoint, f"{bucket}/{key}"):
            self.client.delete_object(Bucket=bucket, Key=key, VersionId=version)

    def delete_versions(self, bucket: str, versions: Sequence[tuple[str, str]]) -> None:
        """Delete exactly these (key, version), with one request for many; some may be gone already."""
        alone = [one for one in versions if _NOT_XML.search(one[0])]
        plain = [one for one in versions if one not in alone]
        for start in range(0, len(plain), _DELETED_AT_ONCE):
            part = plain[start : start + _DELETED_AT_ONCE]
            objects = [{"Key": key, "VersionId": version} for key, version in part]
            with _explained(self.endpoint, f"{len(objects)} versions in {bucket}"):
                answer = self.client.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
            # SeaweedFS refuses here a key of almost 1,024 bytes that it deletes when it is asked for it alone. Which
            # versions those are is not read from its answer: one without a version would mean the newest.
            alone += part if answer.get("Errors") else []
        for key, version in alone:
            self.delete_version(bucket, key, version)

    def delete_prefix(self, bucket: str, prefix: str) -> int:
        """Delete all objects whose keys begin with a prefix; returns how many."""
        keys = list(self.keys(bucket, prefix))
        with _explained(self.endpoint, f"{bucket}/{prefix}"):
            for key in keys:
                self.client.delete_object(Bucket=bucket, Key=key)
        return len(keys)

    def keys(self, bucket: str, prefix: str = "") -> Iterator[str]:
        """List the keys of a bucket."""
        with _explained(self.endpoint, f"the bucket {bucket}"):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                yield from (item["Key"] for item in page.get("Contents", []))

    def lists(self, bucket: str, key: str, version: str) -> bool:
        """Return whether a listing has a version; characters that XML cannot carry are listed as U+FFFD."""
        found = self.versions(bucket, key.partition("\ufffd")[0])
        return any((item.key, item.version) == (key, version) for item in found)

    def _has_marker(self, bucket: str, key: str) -> bool:
        """Return whether the newest entry of a key is a delete marker, by the listing: some names cannot be read."""
        with _explained(self.endpoint, f"the bucket {bucket}"):
            for page in self.client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
                if any(marker["Key"] == key and marker["IsLatest"] for marker in page.get("DeleteMarkers", [])):
                    return True
        return False

    def check(self, bucket: str) -> None:
        """Check that the store answers for a bucket.

        Raises:
            TransientError: if it does not answer.
            PermanentError: if it refuses the key or has no such bucket.
        """
        with _explained(self.endpoint, f"the bucket {bucket}"):
            self.client.list_objects_v2(Bucket=bucket, MaxKeys=1)

    def require_versions(self, bucket: str) -> None:
        """Check that a bucket keeps versions: without them, two uploads of a key cannot be told apart.

        Raises:
            TransientError: if the store does not answer.
            PermanentError: if it keeps none, or refuses the key.
        """
        with _explained(self.endpoint, f"the versioning of the bucket {bucket}"):
            status = self.client.get_bucket_versioning(Bucket=bucket).get("Status")
        if status != "Enabled":
            raise PermanentError(
                f"The bucket {bucket} at {self.endpoint} keeps no versions, so a file that is uploaded again under its "
                "name would be missed. Turn on versioning, then upload again what came in meanwhile."
            )


def _chunks(headers: Mapping[str, str], body: Any, what: str) -> Iterator[bytes]:
    """Stream an answer that says where it ends: one that is cut among its headers looks like an empty object."""
    with body:
        if "content-length" not in headers and "transfer-encoding" not in headers:
            raise TransientError(f"The store broke off before it told the length of {what}. It is read again.")
        yield from body.iter_chunks(CHUNK)


def _length(stream: IO[bytes]) -> int:
    at = stream.tell()
    end = stream.seek(0, io.SEEK_END)
    stream.seek(at)
    return end - at


def preload() -> None:
    """Read botocore's service models now: later clients of this process and its forks take 10 ms instead of 150."""
    _make_client("http://127.0.0.1", "us-east-1", "key", "secret")


def _make_client(endpoint: str, region: str, access_key: str, secret_key: str) -> Any:
    from botocore.config import Config  # noqa: PLC0415
    from botocore.handlers import add_expect_header  # noqa: PLC0415

    with _making:
        client = _session().client(
            "s3",
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                connect_timeout=_TIMEOUTS[0],
                read_timeout=_TIMEOUTS[1],
                retries={"mode": "standard", "total_max_attempts": 3},
                max_pool_connections=_CONNECTIONS,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                proxies={},
            ),
        )
    # A connection that ends after `100 Continue` would keep botocore in an endless loop; and it saves a round trip.
    client.meta.events.unregister("before-call.s3", add_expect_header)
    return client


def _make_sender(region: str, access_key: str, secret_key: str) -> tuple[Any, Any]:
    """Return what signs a request and what sends it, of the same botocore."""
    from botocore.auth import S3SigV4Auth  # noqa: PLC0415
    from botocore.credentials import Credentials  # noqa: PLC0415
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415

    verify = os.environ.get("AWS_CA_BUNDLE") or True  # as the client does
    at_once = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]  # or a body waits 40 ms for the receipt of its headers
    http = URLLib3Session(
        verify, proxies={}, timeout=_TIMEOUTS, max_pool_connections=_CONNECTIONS, socket_options=at_once
    )
    return S3SigV4Auth(Credentials(access_key, secret_key), "s3", region), http


@cache
def _session() -> Any:
    import boto3  # noqa: PLC0415  half a second that most commands do not need

    return boto3.session.Session()


@contextmanager
def _explained(endpoint: str, what: str) -> Iterator[None]:
    """Turn the errors of boto3 into the platform's own."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _GONE:
            raise ObjectGoneError(f"{what} no longer exists in the store at {endpoint}.") from error
        if code in _REFUSED:
            raise PermanentError(
                f"The store at {endpoint} refuses {what} ({code}). Check the key in MDP_S3_ACCESS_KEY_ID, "
                "its rights, and the names of the buckets."
            ) from error
        raise TransientError(f"The store at {endpoint} failed on {what}: {error}") from error
    except (BotoCoreError, HTTPError) as error:
        raise TransientError(
            f"The store at {endpoint} broke off or cannot be reached for {what}: {error}. See `./mdp status`."
        ) from error
