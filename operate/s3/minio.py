"""What the platform needs in a MinIO: buckets, versions, users with the least rights, and the event rule."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from minidata.errors import PermanentError, TransientError
from operate.s3.access import Buckets, Identities, Identity, policies
from operate.s3.client import connect, create_buckets, explained

ARN = "arn:minio:sqs::INBOX:postgresql"
_REFUSED, _SERVER_FAULT = 400, 500  # status codes of HTTP
_FIX = (
    "Check that MDP_S3_ADMIN_ACCESS_KEY_ID is the key that the server was started with, and that it has the event "
    "target INBOX."
)


def prepare(endpoint: str, who: Identities, buckets: Buckets) -> None:
    """Create what is missing: buckets, versions in raw, users and their rights, and the event rule.

    Args:
        endpoint: URL of the server.
        who: the administrator, and the two users that it creates.
        buckets: their names.

    Raises:
        TransientError: if the server does not answer yet.
        PermanentError: if it refuses, or two of the three have the same key.
    """
    who.require_different_keys()
    client = connect(endpoint, who.admin)
    rule = {"Id": "mdp-inbox", "QueueArn": ARN, "Events": ["s3:ObjectCreated:*"]}
    with explained(endpoint, lambda _, status: status < _SERVER_FAULT, _FIX):
        create_buckets(client, buckets)
        _call(endpoint, who.admin, "PUT", "import-iam-v2", users_archive(who, buckets))
        for key in outdated_keys(_call(endpoint, who.admin, "GET", "export-iam"), who):
            _call(endpoint, who.admin, "DELETE", f"remove-user?accessKey={quote(key, safe='')}")
        client.put_bucket_notification_configuration(
            Bucket=buckets.raw, NotificationConfiguration={"QueueConfigurations": [rule]}
        )


def users_archive(who: Identities, buckets: Buckets) -> bytes:
    """Return users and rights as the ZIP that the server imports; a second import changes nothing."""
    people = {"mdp-generator": who.generator, "mdp-etl": who.etl}
    files = {
        "policies": {f"mdp-{name}": policy for name, policy in policies(buckets).items()},
        "users": {p.access_key: {"secretKey": p.secret_key, "status": "enabled"} for p in people.values()},
        "user_mappings": {p.access_key: {"version": 1, "policy": policy} for policy, p in people.items()},
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        for name, content in files.items():
            writer.writestr(f"iam-assets/{name}.json", json.dumps(content))
    return archive.getvalue()


def outdated_keys(exported: bytes, who: Identities) -> list[str]:
    """Return the access keys that still have a policy of ours and are no longer ours, from an export of users."""
    with zipfile.ZipFile(io.BytesIO(exported)) as archive:
        mappings: Mapping[str, Any] = json.loads(archive.read("iam-assets/user_mappings.json"))
    ours = {who.generator.access_key, who.etl.access_key}
    return sorted(k for k, m in mappings.items() if m["policy"].startswith("mdp-") and k not in ours)


def _call(endpoint: str, admin: Identity, method: str, call: str, body: bytes = b"") -> bytes:
    """Call the server's own administration, signed as S3 requests are."""
    from botocore.auth import S3SigV4Auth  # noqa: PLC0415
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.credentials import Credentials  # noqa: PLC0415

    request = AWSRequest(method=method, url=f"{endpoint}/minio/admin/v3/{call}", data=body)
    request.context["payload_signing_enabled"] = True
    S3SigV4Auth(Credentials(admin.access_key, admin.secret_key), "s3", "us-east-1").add_auth(request)
    status, answer = _http(method, request.url, body, dict(request.headers.items()))
    if status >= _SERVER_FAULT:
        raise TransientError(f"The object store at {endpoint} does not work yet: status {status}")
    if status >= _REFUSED or (call.startswith("import") and failures(answer)):
        raise PermanentError(
            f"The object store at {endpoint} refuses to set up its users ({method} {call.partition('?')[0]}, status "
            f"{status}): {answer.decode(errors='replace')[:500]}. {_FIX}"
        )
    return answer


def is_minio(endpoint: str) -> bool:
    """Tell whether a store has MinIO's administration, or is another S3.

    Raises:
        TransientError: if it does not answer yet.
    """
    status, _ = _http("GET", f"{endpoint}/minio/health/live")
    if status >= _SERVER_FAULT:
        raise TransientError(f"The object store at {endpoint} does not work yet: status {status}")
    return status < _REFUSED


def _http(method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
    import urllib3  # noqa: PLC0415  comes with boto3

    try:
        answer = urllib3.request(
            method, url, body=body or None, headers=headers, timeout=30, retries=False, redirect=False
        )
    except urllib3.exceptions.HTTPError as error:
        raise TransientError(f"The object store does not answer yet: {error}") from error
    return answer.status, bytes(answer.data)


def failures(result: bytes) -> list[Any]:
    """Return what an import could not do: it answers 200 even then."""
    return [entries for entries in (json.loads(result).get("failed") or {}).values() if entries]
