"""From upload to table on real MinIO: every promise kept on SeaweedFS, and what only another store can break."""

import os
import signal

import pytest

from minidata.warehouse.connection import connect
from operate.embedded.object_store.minio_build import VERSION
from operate.embedded.ports import SEAWEED
from operate.embedded.processes import find
from operate.embedded.settings import embedded_settings
from operate.embedded.state import State, Store
from tests.e2e.conftest import Platform
from tests.e2e.test_from_upload_to_table import *  # noqa: F403  all of them, on this platform
from tests.e2e.test_from_upload_to_table import snapshot
from tests.e2e.test_resilience import archived, load_one, service, until


def test_it_is_minio_and_nothing_of_seaweedfs(platform: Platform) -> None:
    state = State(platform.state)
    assert state.platform.store is Store.MINIO
    assert set(state.platform.ports) & set(SEAWEED) == {"s3"}
    [server] = find(state.folder, "object-store")
    assert VERSION in server.exe()
    assert "relay" not in {s["name"] for s in platform.status()["services"]}
    assert find(state.folder, "relay") == []


def test_every_upload_is_told_of_by_an_event(platform: Platform) -> None:
    """Nobody but MinIO adds to the inbox here; whatever the events are worth, the listing would hide their absence."""
    with connect(embedded_settings(State(platform.state)), "loader") as connection:
        connection.autocommit = True

        def told() -> int:
            query = "select n_tup_ins from pg_stat_user_tables where (schemaname, relname) = ('mdp', 'inbox')"
            [(count,)] = connection.execute(query).fetchall()
            return int(count)

        before = told()
        for seed in range(5):
            load_one(platform, 300 + seed)
        until(lambda: told() >= before + 5)


@pytest.mark.parametrize("names", [("object-store",), ("postgres",), ("object-store", "postgres")], ids="+".join)
def test_killed_servers_come_back_and_go_on_telling_of_uploads(platform: Platform, names: tuple[str, ...]) -> None:
    key = f"youtube_stats/before {len(names)} {names[0]}.csv"
    platform.put({key: snapshot(400 + len(names) + len(names[0]), 50)})
    pids = {name: service(platform, name)["pid"] for name in names}
    for pid in pids.values():
        assert isinstance(pid, int)
        os.kill(pid, signal.SIGKILL)
    until(lambda: archived(platform, key))
    for name, pid in pids.items():
        until(lambda name=name, pid=pid: service(platform, name)["pid"] not in {None, pid})  # type: ignore[misc]
    load_one(platform, 410 + len(names) + len(names[0]))


def test_another_store_is_refused_and_the_same_one_is_fine(platform: Platform) -> None:
    refused = platform.mdp("up", "--no-bi", "--no-simulator", "--store", "seaweedfs", check=False)
    assert refused.returncode == 1
    assert "MinIO" in refused.stderr
    assert "--state FOLDER up --store seaweedfs" in " ".join(refused.stderr.split())
    before = {s["name"]: s["pid"] for s in platform.status()["services"]}
    for options in ([], ["--store", "minio"]):
        platform.mdp("up", "--no-bi", "--no-simulator", *options)
    assert {s["name"]: s["pid"] for s in platform.status()["services"]} == before
