"""The platform as its user runs it: one `./mdp up` in a temporary state for all end-to-end tests."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.oracle.tables import tables
from tests.oracle.verdict import judge

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Platform:
    """A running platform, reached as anybody would: by its command, and by S3 with the keys of `mdp env`.

    Attributes:
        state: its folder.
        uploaded: every content that went in so far, by key; the tables depend on all of them.
    """

    state: Path
    uploaded: dict[str, bytes] = field(default_factory=dict)

    @property
    def datasets(self) -> Path:
        """Its declarations: a copy, to which a test may add."""
        return self.state.parent / "datasets"

    def mdp(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [str(PROJECT / "mdp"), "--state", str(self.state), *arguments]
        environment = os.environ | {"MDP_DATASETS_FOLDER": str(self.datasets)}
        result = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=environment
        )
        if check and result.returncode:
            raise AssertionError(f"{arguments} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}")
        return result

    def json(self, *arguments: str) -> Any:
        return json.loads(self.mdp(*arguments, "--json").stdout)

    def status(self) -> Any:
        """Return the status; its exit code is 1 while files are in quarantine."""
        return json.loads(self.mdp("status", "--json", check=False).stdout)

    def env(self) -> dict[str, str]:
        script = self.mdp("env").stdout + "\nenv -0"
        out = subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout.decode()
        return dict(line.split("=", 1) for line in out.split("\0") if line)

    def put(self, uploads: dict[str, bytes]) -> None:
        """Upload with a stranger's S3 client."""
        env = self.env()
        client = boto3.client(
            "s3",
            endpoint_url=env["MDP_S3_ENDPOINT"],
            region_name="us-east-1",
            aws_access_key_id=env["MDP_S3_ACCESS_KEY_ID"],
            aws_secret_access_key=env["MDP_S3_SECRET_ACCESS_KEY"],
            config=Config(s3={"addressing_style": "path"}, proxies={}),
        )
        for key, content in uploads.items():
            client.put_object(Bucket="raw", Key=key, Body=content)
            self.uploaded[key] = content

    def load(self, uploads: dict[str, bytes]) -> dict[str, dict[str, Any]]:
        """Upload, wait for all of them, and return their rows of the ledger by key."""
        self.put(uploads)
        self.mdp("wait", "--timeout", "300")
        return {file["key"]: file for file in self.json("files") if file["key"] in uploads}

    def assert_tables_as_the_oracle_says(self) -> None:
        """Compare every cell of every table with the calculation in plain Python over all that was uploaded."""
        arrived = {file["key"]: datetime.fromisoformat(file["arrived_at"]) for file in self.json("files")}
        verdicts = {key: judge(key, content, arrived[key]) for key, content in self.uploaded.items()}
        contents = {self.uploaded[key]: verdict.rows for key, verdict in verdicts.items() if verdict.reason is None}
        for table, rows in tables(contents.values()).items():
            found = self.json("sql", f"select * from {table}")
            assert sorted(map(_cells, found)) == sorted(map(_cells, rows)), table


def _cells(row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Write a row so that the two sides compare: instants in UTC, numbers in full."""
    return tuple((name, _plain(value)) for name, value in row.items())


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    if isinstance(value, str) and value.endswith("+00:00"):
        return datetime.fromisoformat(value).replace(tzinfo=None).isoformat(" ", "microseconds")
    return str(value)


@contextmanager
def started(running: Platform, *options: str) -> Iterator[Platform]:
    """Start a platform with the options of `mdp up`; at the end nothing of it is left."""
    shutil.copytree(PROJECT / "datasets", running.datasets)
    try:
        up = running.mdp("up", "--no-bi", "--no-simulator", *options, check=False)
        assert up.returncode == 0, up.stdout + up.stderr
        yield running
    finally:
        running.mdp("down", check=False)
        running.mdp("destroy", "--yes", check=False)


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Blanks and non-ASCII letters in the path are part of the test."""
    with started(Platform(tmp_path_factory.mktemp("état de test") / "une plate-forme")) as running:
        yield running
