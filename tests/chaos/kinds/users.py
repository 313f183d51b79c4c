"""Airflow runs things twice, and its users clear, mark and take back."""

import contextlib
import os

import psycopg

from etl.move_files import put_back
from minidata.dataset import read_datasets
from minidata.errors import PlatformError
from minidata.ledger import find_files, release_run
from minidata.ledger.contents import Content, contents
from minidata.rebuild.archive import Archive
from minidata.rebuild.exclude import exclude, include
from minidata.settings import load_settings
from minidata.store import ObjectStore
from minidata.warehouse.connection import connect
from tests.chaos.arena import Round
from tests.chaos.kinds.register import kind
from tests.chaos.worker import DATASET


@kind("a run is executed twice at once")
def _(world: Round) -> None:
    with world.held() as worker:
        for batch in _batches(world)[-1:]:
            twin = world.repeat(batch)
            worker.go_on()
            twin.join()


@kind("a duplicate of a run is stopped and goes on later")
def _(world: Round) -> None:
    with world.held() as worker:
        for batch in _batches(world)[-1:]:
            twin = world.repeat(batch, "stop")
            twin.reached(3)
            worker.go_on()
            worker.join()


@kind("a finished run is cleared and runs again")
def _(world: Round) -> None:
    world.start().join()
    world.put()
    for batch in _batches(world)[:2]:
        world.repeat(batch).join()


@kind("a task is marked as a success and never runs")
def _(world: Round) -> None:
    world.start(skipped=world.chance.choice(["validate", "transform", "load", "archive"])).join()


@kind("a run is marked as failed while it works")
def _(world: Round) -> None:
    with world.held("wait"):
        with connect(world.settings, "loader") as loader, contextlib.suppress(psycopg.errors.LockNotAvailable):
            loader.execute("set lock_timeout = '2s'")
            release_run(loader, "w0-0", "marked", world.settings)
        world.other()


@kind("two listings at once, false and repeated events")
def _(world: Round) -> None:
    event = '{"Records": [{"s3": {"bucket": {"name": "raw"}, "object": {"key": "%s"}}}]}'
    with world.held("stop", place=world.chance.randrange(6)):
        for body in (event % world.any()[0], event % "no/such+key.csv", '{"Records": 7}', "[]", event % "%FF"):
            world.execute("insert into mdp.inbox (event_time, event_data) values (now(), %s::jsonb)", body)
        world.other()


@kind("a file is taken out and put back while others load")
def _(world: Round) -> None:
    world.start().join()
    for _ in range(3):
        world.put()
    with world.held("wait") as worker:
        chosen = _archived(world)[:2]
        world.servers.start(_take_out_and_put_back, [file.file_id for file in chosen[:1]], True).join()
        worker.go_on()
        world.servers.start(_take_out_and_put_back, [file.file_id for file in chosen[1:]], False).join()
    for file in chosen:
        world.touched[file.key, file.version] = {"excluded"}


@kind("quarantined files are put back into raw while others load")
def _(world: Round) -> None:
    world.start().join()
    world.put()
    with world.held(), connect(world.settings, "loader") as loader:
        for file in find_files(loader, state="quarantined"):
            version = put_back(world.store, world.settings, file)
            world.uploaded[file.key, version] = world.uploaded[file.key, file.version]


def _take_out_and_put_back(ids: list[int], environment: dict[str, str], pipe: object, back: bool) -> None:
    os.environ.update(environment)
    settings = load_settings()
    dataset = read_datasets(settings.datasets_folder)[DATASET]
    with connect(settings, "loader") as loader, contextlib.suppress(PlatformError, psycopg.errors.LockNotAvailable):
        loader.execute("set lock_timeout = '2s'")
        archive = Archive(ObjectStore(settings), settings, loader)
        files = contents(loader, ids)
        exclude(loader, dataset, files, archive, who="chaos", why=None)
        if back:
            include(loader, dataset, contents(loader, ids), archive)


def _archived(world: Round) -> list[Content]:
    with connect(world.settings, "loader") as loader:
        ids = [file_id for (file_id,) in loader.execute("select file_id from mdp.files where state = 'archived'")]
        return contents(loader, world.chance.sample(ids, len(ids)))


def _batches(world: Round) -> list[int]:
    return [batch for (batch,) in world.execute("select batch_id from mdp.batches order by batch_id")]
