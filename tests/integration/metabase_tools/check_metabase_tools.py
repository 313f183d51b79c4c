"""Metabase's own tools over everything that we send to Metabase: their refusal is our fault.

They come from npm and need Node 20; `package-lock.json` pins them. `npm install --package-lock-only` renews it.
"""

import json
import os
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bi.definition import read_dashboards
from bi.metabase import apply, plan
from bi.target import Target, Warehouse
from minidata.settings import PROJECT
from minidata.warehouse.views import read_views
from tests.fakes.metabase import FakeMetabase, Json
from tests.fakes.metabase_server import answer, serve
from tests.integration.metabase_tools.official import write

HERE = Path(__file__).parent
DASHBOARDS = read_dashboards()
COLUMNS = {name: list(view.columns) for name, view in read_views().items()}
TILES = sum(len(dashboard.tiles) for dashboard in DASHBOARDS)
KEY = "mb_of_the_tests"
# Requests that the official client has a command for.
COMMANDS = {
    ("POST", "setup"): ["setup"],
    ("POST", "collection"): ["collection", "create"],
    ("POST", "card"): ["card", "create"],
    ("PUT", "card"): ["card", "update"],
    ("POST", "dashboard"): ["dashboard", "create"],
    ("PUT", "dashboard"): ["dashboard", "update"],
}


@pytest.fixture(scope="module")
def tools() -> Path:
    """The folder of the installed programs."""
    lock = HERE / "package-lock.json"
    folder = PROJECT / ".mdp" / f"metabase-tools-{zlib.crc32(lock.read_bytes())}"
    if not (folder / "node_modules" / ".bin" / "mb").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return folder / "node_modules" / ".bin"


def validated(tools: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [str(tools / "representations"), "validate-schema", "--folder", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_our_dashboards_are_valid_in_the_official_format(tools: Path, tmp_path: Path) -> None:
    files = write(tmp_path, DASHBOARDS)
    assert len(files) == 1 + TILES + len(DASHBOARDS)
    done = validated(tools, tmp_path)
    assert done.returncode == 0, done.stdout
    assert f"{len(files)} passed, 0 failed" in done.stdout


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("trending_over_time", "display", "lines"),
        ("trending_over_time", "dataset_query", {"lib/type": "mbql/query", "database": "W"}),
        ("trending", "width", "wide"),
    ],
)
def test_the_validator_refuses_a_wrong_value(tools: Path, tmp_path: Path, name: str, key: str, value: Json) -> None:
    [file] = [file for file in write(tmp_path, DASHBOARDS) if file.stem == name]
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {key: value}))
    done = validated(tools, tmp_path)
    assert done.returncode != 0
    assert "1 failed" in done.stdout


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[FakeMetabase]:
    """A fresh server that gives the same ids in the same order."""
    with serve(FakeMetabase(COLUMNS, sync_polls=0)) as fake:
        fake.sessions.add(KEY)
        yield fake


def mb(tools: Path, home: Path, server: FakeMetabase, command: list[str], body: Json) -> Json:
    """Run the official client; its home is a folder of the test."""
    arguments = [*command, "--url", server.url, "--api-key", KEY, "--full", "--json", "--max-bytes", "0"]
    done = subprocess.run(
        [str(tools / "mb"), *arguments, "--body", json.dumps(body)],
        capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"], "HOME": str(home)},
    )  # fmt: skip
    assert done.returncode == 0, f"mb {' '.join(command)}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout)


def test_the_official_client_sends_what_we_send(tools: Path, tmp_path: Path, replica: FakeMetabase) -> None:
    """Every request of an apply is sent again by the client where it can; the two servers then hold the same."""
    with serve(FakeMetabase(COLUMNS, sync_polls=0)) as fake:
        target = Target(fake.url, "admin@example.org", "pw", Warehouse("postgres", 5432, "warehouse", "secret"))
        apply(target, DASHBOARDS)
        assert plan(target, DASHBOARDS).empty
        sent = list(zip(fake.requests, fake.bodies, strict=True))
    by_client: list[tuple[str, ...]] = []
    for (method, path), body in sent:
        _, _, kind, *id_ = path.split("/")
        if command := COMMANDS.get((method, kind)):
            mb(tools, tmp_path, replica, [*command, *id_], body)
            by_client.append(tuple(command))
        elif method != "GET":
            assert answer(replica, method, path, body, KEY)[0] == 200
    counts = {" ".join(command): by_client.count(tuple(command)) for command in COMMANDS.values()}
    boards = len(DASHBOARDS)
    assert counts == {
        "setup": 1, "collection create": 1, "card create": TILES, "card update": TILES,
        "dashboard create": boards, "dashboard update": 2 * boards,
    }  # fmt: skip
    for kind in ("cards", "dashboards", "collections"):
        assert getattr(replica, kind) == getattr(fake, kind)


def test_the_official_client_refuses_a_wrong_value(tools: Path, tmp_path: Path, replica: FakeMetabase) -> None:
    body = {"name": "N", "display": 3, "dataset_query": {}, "visualization_settings": {}}
    with pytest.raises(AssertionError, match="display: Invalid input"):
        mb(tools, tmp_path, replica, ["card", "create"], body)
    assert replica.requests == []
