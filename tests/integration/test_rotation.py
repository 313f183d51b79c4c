"""`mdp secrets rotate` on real servers: the new secrets open everything, the old ones nothing, the data is kept."""

import boto3
import psycopg
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from minidata.settings import Settings
from minidata.store import ObjectStore
from minidata.warehouse.__main__ import Administration
from minidata.warehouse.connection import connect, conninfo
from operate.embedded.rotation import rotate
from operate.embedded.settings import embedded_settings
from operate.embedded.start import start_servers
from operate.embedded.stop import stop_platform
from tests.integration.conftest import started


def quiet(title: str, doing: str | None) -> None:
    """Say nothing."""


def list_staging(settings: Settings) -> None:
    boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name="us-east-1",
        aws_access_key_id=settings.secret("s3_access_key_id"),
        aws_secret_access_key=settings.secret("s3_secret_access_key"),
        config=Config(s3={"addressing_style": "path"}, proxies={}, retries={"total_max_attempts": 1}),
    ).list_objects_v2(Bucket=settings.staging_bucket)


def test_the_new_secrets_open_everything_and_the_old_ones_nothing(tmp_path) -> None:
    with started(tmp_path / "place") as state:
        old = embedded_settings(state, Administration)
        with connect(old, "owner") as owner:
            owner.execute("create table public.kept (a int)")
        ObjectStore(old).write("archive", "kept", b"content")
        stop_platform(state, quiet)
        rotate(state)
        rotate(state)  # twice in a row, with no start in between
        start_servers(state, quiet)
        new = embedded_settings(state, Administration)
        assert not state.platform.passwords_outdated
        assert b"".join(ObjectStore(new).read("archive", "kept")) == b"content"
        with connect(new, "owner") as owner:
            assert owner.execute("select count(*) from public.kept").fetchone() == (0,)
        for role in ("owner", "loader", "bi"):
            connect(new, role).close()
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(conninfo(old, role))
        for name in ("admin", "airflow_database"):
            user = "mdp_admin" if name == "admin" else "airflow"
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(
                    host="127.0.0.1", port=new.database_port, dbname="airflow", user=user,
                    password=old.secret(f"{name}_password"),
                )  # fmt: skip
        list_staging(new)
        with pytest.raises(ClientError, match="InvalidAccessKeyId"):
            list_staging(old)
