"""Real MinIO: who may do what, and that an upload tells the inbox."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError

from minidata.errors import PermanentError
from minidata.ledger import keys_of
from minidata.store import ObjectStore
from minidata.warehouse.connection import connect
from operate.s3.access import Identity
from operate.s3.minio import is_minio, prepare
from tests.deploy.compose_model import rendered
from tests.deploy.real_minio.conftest import BUCKETS, STRANGER, WHO, Minio, await_prepared

KEY = {"Bucket": "raw", "Key": "a.csv"}
MINE = {"Bucket": "raw", "Key": "mine.csv"}
STATEMENT = '{"Version": "2012-10-17", "Statement": []}'

# Everything that S3 has a word for and the generator has no business with.
FORBIDDEN: dict[str, dict[str, Any]] = {
    "list_buckets": {},
    "create_bucket": {"Bucket": "another"},
    "delete_bucket": {"Bucket": "raw"},
    "list_objects": {"Bucket": "raw"},
    "list_objects_v2": {"Bucket": "raw"},
    "list_object_versions": {"Bucket": "raw"},
    "list_multipart_uploads": {"Bucket": "raw"},
    "get_object": KEY,
    "head_object": KEY,
    "delete_object": KEY,
    "delete_objects": {"Bucket": "raw", "Delete": {"Objects": [{"Key": "a.csv"}]}},
    "get_object_tagging": KEY,
    "put_object_tagging": KEY | {"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}},
    "delete_object_tagging": KEY,
    "get_object_attributes": KEY | {"ObjectAttributes": ["ETag"]},
    "copy_object": MINE | {"CopySource": "raw/a.csv"},
    "get_bucket_location": {"Bucket": "raw"},
    "get_bucket_versioning": {"Bucket": "raw"},
    "put_bucket_versioning": {"Bucket": "raw", "VersioningConfiguration": {"Status": "Suspended"}},
    "get_bucket_policy": {"Bucket": "raw"},
    "put_bucket_policy": {"Bucket": "raw", "Policy": STATEMENT},
    "delete_bucket_policy": {"Bucket": "raw"},
    "get_bucket_notification_configuration": {"Bucket": "raw"},
    "put_bucket_notification_configuration": {"Bucket": "raw", "NotificationConfiguration": {}},
    "get_bucket_lifecycle_configuration": {"Bucket": "raw"},
    "put_bucket_lifecycle_configuration": {
        "Bucket": "raw",
        "LifecycleConfiguration": {
            "Rules": [{"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]
        },
    },
    "delete_bucket_lifecycle": {"Bucket": "raw"},
    "get_bucket_tagging": {"Bucket": "raw"},
    "put_bucket_tagging": {"Bucket": "raw", "Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}},
    "get_bucket_encryption": {"Bucket": "raw"},
    "head_bucket": {"Bucket": "raw"},
}


def refused(call: Callable[[], dict[str, Any]]) -> bool:
    try:
        answer = call()
    except ClientError as error:
        return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] == 403)
    return {e["Code"] for e in answer.get("Errors", [])} == {"AccessDenied"}  # of many keys: one error for each


def test_at_least_thirty_verbs_are_tried() -> None:
    assert len(FORBIDDEN) >= 30


@pytest.mark.parametrize("verb", FORBIDDEN)
def test_the_generator_may_put_and_nothing_else(minio: Minio, verb: str) -> None:
    minio.client(WHO.admin).put_object(**KEY, Body=b"x")
    generator = minio.client(WHO.generator)
    assert refused(lambda: getattr(generator, verb)(**FORBIDDEN[verb]))
    generator.put_object(**MINE, Body=b"x")


@pytest.mark.parametrize("bucket", ["staging", "archive", "quarantine"])
def test_the_generator_puts_into_raw_only(minio: Minio, bucket: str) -> None:
    assert refused(lambda: minio.client(WHO.generator).put_object(Bucket=bucket, Key="a.csv", Body=b"x"))


def test_an_older_version_is_out_of_the_generators_reach(minio: Minio) -> None:
    version = minio.client(WHO.admin).put_object(**KEY, Body=b"x")["VersionId"]
    generator = minio.client(WHO.generator)
    assert refused(lambda: generator.get_object(**KEY, VersionId=version))
    assert refused(lambda: generator.delete_object(**KEY, VersionId=version))


def test_without_a_key_nothing_is_allowed(minio: Minio) -> None:
    for method, path in (("GET", "/raw"), ("GET", "/raw/a.csv"), ("PUT", "/raw/b.csv"), ("GET", "/")):
        answer = urllib3.request(method, minio.endpoint + path, body=b"x" if method == "PUT" else None)
        assert answer.status == 403
    assert minio.client(WHO.admin).list_objects_v2(Bucket="raw", Prefix="b.csv")["KeyCount"] == 0


@pytest.mark.parametrize("key", ["plain.csv", "a b+c%é.csv.gz", "deep/er/ünï 🎬.CSV.ZST"])
def test_an_upload_is_in_the_inbox(minio: Minio, key: str) -> None:
    minio.client(WHO.generator).put_object(Bucket="raw", Key=key, Body=b"x")
    deadline = time.monotonic() + 10
    with connect(minio.warehouse, "loader") as connection:
        connection.autocommit = True
        while True:
            rows = connection.execute("select event_data from mdp.inbox").fetchall()
            if key in set().union(*(keys_of(event, "raw") for (event,) in rows)):
                break
            assert time.monotonic() < deadline, rows
            time.sleep(0.05)


def test_an_upload_wakes_who_listens(minio: Minio) -> None:
    with connect(minio.warehouse, "loader") as connection:
        connection.autocommit = True
        connection.execute("listen mdp_wake")
        minio.client(WHO.generator).put_object(Bucket="raw", Key="wake.csv", Body=b"x")
        assert list(connection.notifies(timeout=10, stop_after=1))


def test_the_pipeline_can_do_its_work_in_all_four_buckets(minio: Minio) -> None:
    store = ObjectStore(minio.settings)
    first = store.write("raw", "work.csv", b"first")
    second = store.write("raw", "work.csv", b"second")
    found = {v.version: v for v in store.versions("raw", "work.csv")}
    assert set(found) == {first, second}
    for bucket in ("archive", "quarantine", "staging"):
        store.copy(found[first], "raw", bucket, "copied.csv", {"from": "work.csv"})
        assert b"".join(store.read(bucket, "copied.csv")) == b"first"
        assert store.delete_prefix(bucket, "copied") == 1
    store.delete_version("raw", "work.csv", first)
    assert [v.version for v in store.versions("raw", "work.csv")] == [second]
    assert b"".join(store.read("raw", "work.csv")) == b"second"


@pytest.mark.parametrize("verb", ["create_bucket", "delete_bucket", "put_bucket_policy", "put_bucket_versioning"])
def test_the_pipeline_does_not_change_buckets(minio: Minio, verb: str) -> None:
    assert refused(lambda: getattr(minio.client(WHO.etl), verb)(**FORBIDDEN[verb]))


def test_preparing_again_changes_nothing_and_takes_old_keys_away(minio: Minio) -> None:
    await_prepared(minio.endpoint, replace(WHO, generator=STRANGER))
    minio.client(STRANGER).put_object(**MINE, Body=b"x")
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        minio.client(WHO.generator).put_object(**MINE, Body=b"x")
    await_prepared(minio.endpoint)
    await_prepared(minio.endpoint)
    minio.client(WHO.generator).put_object(**MINE, Body=b"x")
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        minio.client(STRANGER).put_object(**MINE, Body=b"x")


def test_a_wrong_administrator_is_refused_by_name(minio: Minio) -> None:
    wrong = replace(WHO, admin=replace(WHO.admin, secret_key="wrong-secret"))
    with pytest.raises(PermanentError, match="MDP_S3_ADMIN_ACCESS_KEY_ID"):
        prepare(minio.endpoint, wrong, BUCKETS)


def test_a_key_that_is_another_users_is_refused(minio: Minio) -> None:
    with pytest.raises(PermanentError, match="same access key id"):
        prepare(minio.endpoint, replace(WHO, generator=replace(WHO.generator, access_key="admin-key")), BUCKETS)


def test_a_user_that_the_server_does_not_take_is_an_error(minio: Minio) -> None:
    """It answers 200 all the same, and says so only inside."""
    with pytest.raises(PermanentError, match="refuses to set up its users"):
        prepare(minio.endpoint, replace(WHO, generator=Identity("generator", "new-generator-key", "short")), BUCKETS)


def test_it_is_recognised(minio: Minio) -> None:
    assert is_minio(minio.endpoint)


def test_without_the_file_of_secrets_it_does_not_start(minio: Minio, tmp_path) -> None:
    """The guard of the Compose file: MinIO's own default would be a publicly known password."""
    configured = rendered("compose")["services"]["minio"]["environment"]
    done = subprocess.run(
        [minio.binary, "server", "--address", "127.0.0.1:0", str(tmp_path / "data")],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", **configured},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "credentials" in done.stdout + done.stderr
