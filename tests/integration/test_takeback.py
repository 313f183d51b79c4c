"""Files are taken out and put back, and all tables are made again: each time the tables are those of the oracle."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random

import pytest

from minidata import rebuild
from minidata.ledger.contents import Choice, Content, chosen_files, contents
from minidata.warehouse.checksum import checksums
from minidata.warehouse.connection import Connection, connect
from tests.integration.conftest import Pipeline
from tests.oracle.hostile import hostile_folder
from tests.oracle.tables import tables
from tests.oracle.verdict import judge


def chosen(pipeline: Pipeline, *keys: str) -> list[Content]:
    return contents(pipeline.connection, chosen_files(pipeline.connection, Choice(keys=keys)))


def archive(pipeline: Pipeline) -> rebuild.Archive:
    return rebuild.Archive(pipeline.store, pipeline.settings, pipeline.connection)


def exclude(pipeline: Pipeline, *keys: str) -> None:
    files = chosen(pipeline, *keys)
    rebuild.exclude(pipeline.connection, pipeline.dataset, files, archive(pipeline), who="me", why="wrong")


def include(pipeline: Pipeline, *keys: str) -> None:
    rebuild.include(pipeline.connection, pipeline.dataset, chosen(pipeline, *keys), archive(pipeline))


def shadow(pipeline: Pipeline, owner: Connection) -> rebuild.Shadow:
    return rebuild.Shadow(pipeline.dataset, owner, archive(pipeline), 500)


def assert_as_the_oracle_says(pipeline: Pipeline, uploads: dict[str, bytes]) -> None:
    """The tables are those of the files that are archived, and nothing else."""
    archived = [file for file in pipeline.files() if file.state == "archived"]
    expected = tables(judge(file.key, uploads[file.key], file.arrived_at).rows for file in archived)
    for table, found in pipeline.tables().items():
        assert found == expected[table], table


@pytest.mark.parametrize("seed", [1])  # longer ones: check_histories.py
def test_a_random_history_gives_the_tables_of_the_files_that_are_in(pipeline: Pipeline, seed: int) -> None:
    random = Random(seed)
    waiting = hostile_folder(seed, 30, datetime.now(UTC))
    uploads = dict(waiting)
    for step in range(30):
        action = random.choice(["load", "load", "exclude", "exclude", "include", "again"])
        states = pipeline.states()
        archived = [key for key, state in states.items() if state == "archived"]
        excluded = [key for key, state in states.items() if state == "excluded"]
        if action == "load" and waiting:
            for key, content in waiting[:3]:
                pipeline.put(key, content)
            del waiting[:3]
            pipeline.drain()
        elif action == "again" and states:
            key = random.choice([key for key, state in states.items() if state in {"archived", "excluded"}] or [""])
            if key:
                copy = f"copy {step} {key}"
                uploads[copy] = uploads[key]
                pipeline.put(copy, uploads[key])
                pipeline.drain()
        elif action == "exclude" and archived:
            exclude(pipeline, *random.sample(archived, min(len(archived), random.choice([1, 1, 3]))))
        elif action == "include" and excluded:
            include(pipeline, *random.sample(excluded, min(len(excluded), random.choice([1, 2]))))
        else:
            continue
        assert_as_the_oracle_says(pipeline, uploads)
    with connect(pipeline.settings, "owner") as owner:
        owner.autocommit = True
        again = shadow(pipeline, owner)
        again.create()
        assert rebuild.compare(again)[1] == []
        before = checksums(pipeline.connection, pipeline.dataset)
        rebuild.swap(again, pipeline.settings)
    assert checksums(pipeline.connection, pipeline.dataset) == before
    assert_as_the_oracle_says(pipeline, uploads)


def test_loads_go_on_beside_rebuilds_and_exclusions(pipeline: Pipeline) -> None:
    uploads = dict(hostile_folder(99, 30, datetime.now(UTC)))
    first, later = list(uploads)[:10], list(uploads)[10:]
    for key in first:
        pipeline.put(key, uploads[key])
    pipeline.drain()

    def load() -> None:
        with connect(pipeline.settings, "loader") as connection:
            beside = Pipeline(pipeline.settings, pipeline.store, connection)
            for key in later:
                beside.put(key, uploads[key])
                beside.drain()

    rounds = 0
    with ThreadPoolExecutor(1) as pool, connect(pipeline.settings, "owner") as owner:
        loading = pool.submit(load)
        owner.autocommit = True
        while not (loading.done() and rounds):
            again = shadow(pipeline, owner)
            with rebuild.exclusive(owner, pipeline.dataset.name):
                again.create()
                assert rebuild.compare(again)[1] == []
                rebuild.swap(again, pipeline.settings)
            key = next(key for key, state in pipeline.states().items() if state == "archived")
            exclude(pipeline, key)
            include(pipeline, key)
            rounds += 1
        loading.result()
    assert_as_the_oracle_says(pipeline, uploads)
