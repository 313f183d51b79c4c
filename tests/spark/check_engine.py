"""One set of tables, whichever engine made them: this process, Sail, and Spark 4.2. Takes minutes."""

import gzip
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import psutil
import pytest
import zstandard

from bench.validation import make_rows
from etl.step import run_step
from minidata.engine.spark import WorkerDiedError
from minidata.errors import TransientError
from minidata.settings import PROJECT, load_settings
from minidata.warehouse.checksum import checksums
from operate.embedded.settings import as_environment
from tests.corpus.cases import CASES
from tests.integration.conftest import Pipeline, pipeline, servers
from tests.oracle.hostile import hostile_folder
from tests.spark.conftest import Cluster, sail, spark

__all__ = ["pipeline", "servers"]
Start = Callable[..., AbstractContextManager[Cluster]]
Uploads = list[tuple[str, bytes]]
Made = tuple[dict[str, tuple[int, str]], list[tuple[object, ...]]]

_ROWS = 1_000_000
_HOSTILE = 20


def rows(count: int, seed: int) -> bytes:
    return make_rows(count, seed).write_csv(datetime_format="%Y-%m-%d %H:%M:%S").encode()


@cache
def uploads() -> Uploads:
    """The corpus, three hostile folders, and larger files as they are, in gzip and in zstd."""
    found = [(f"corpus/{case.key}", case.build()) for case in CASES if case.default_settings]
    now = datetime.now(UTC)
    for seed in (11, 12, 13):
        found += [(f"hostile/{seed}/{key}", data) for key, data in hostile_folder(seed, _HOSTILE, now)]
    found.append(("large/plain.csv", rows(_ROWS, 1)))
    found.append(("large/packed.csv.gz", gzip.compress(rows(_ROWS // 5, 2), 1)))
    found.append(("large/packed.csv.zst", zstandard.compress(rows(_ROWS // 5, 3))))
    return found


def use(cluster: Cluster, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start a cluster and make it the engine of the pipeline, for batches of any size."""
    cluster.start(as_environment(pipeline.settings))
    monkeypatch.setenv("MDP_ENGINE", "spark")
    monkeypatch.setenv("MDP_SPARK_REMOTE", cluster.remote)
    monkeypatch.setenv("MDP_SPARK_FROM_BYTES", "0")
    load_settings.cache_clear()


@pytest.fixture(scope="module")
def first() -> dict[str, Made]:
    """What the first engine made of some files, by what they are."""
    return {}


def load_and_compare(pipeline: Pipeline, files: Uploads, first: dict[str, Made], what: str) -> None:
    for key, data in files:
        pipeline.put(key, data)
    pipeline.drain()
    said = [
        (f.key, f.state, f.reasons, f.message, f.rows_loaded, f.counts, f.drift, f.attempts) for f in pipeline.files()
    ]
    made = checksums(pipeline.connection, pipeline.dataset), sorted(said, key=str)
    then = first.setdefault(what, made)
    assert [file for file in made[1] if file not in then[1]] == [file for file in then[1] if file not in made[1]] == []
    assert made == then


@pytest.mark.parametrize("start", [nullcontext, sail, spark])
def test_tables_and_verdicts_are_the_same_on_every_engine(
    pipeline: Pipeline, start: Start, first: dict[str, Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start(tmp_path) as cluster:
        if isinstance(cluster, Cluster):
            use(cluster, pipeline, monkeypatch)
        load_and_compare(pipeline, uploads(), first, "all")


def in_staging(pipeline: Pipeline) -> None:
    """Wait until executors have staged something: they are in the middle of a file."""
    while not any(pipeline.store.keys(pipeline.settings.staging_bucket)):
        time.sleep(0.05)


@pytest.mark.parametrize("start", [nullcontext, sail, spark])
def test_a_batch_survives_the_death_of_its_workers(
    pipeline: Pipeline, start: Start, first: dict[str, Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spark repeats what its worker did; Sail is worker and server in one, so the batch is tried again."""
    files = [(f"{number}.csv", rows(_ROWS // 2, number)) for number in range(2)]
    with start(tmp_path) as cluster:
        if isinstance(cluster, Cluster):
            use(cluster, pipeline, monkeypatch)
            for key, data in files:
                pipeline.put(key, data)
            pipeline.look()
            with ThreadPoolExecutor() as pool:
                batch = pipeline.claim()
                assert batch is not None
                working = pool.submit(pipeline.run, batch)
                in_staging(pipeline)
                if cluster.workers():
                    for worker in cluster.workers():
                        worker.kill()
                    working.result()
                else:
                    cluster.kill()
                    with pytest.raises(TransientError, match="cannot be reached or has failed"):
                        working.result()
                    assert {(file.state, file.attempts) for file in pipeline.files()} == {("pending", 0)}
                    cluster.start(as_environment(pipeline.settings))
            files = []
        load_and_compare(pipeline, files, first, "killed")


@pytest.mark.parametrize("start", [sail, spark])
def test_a_step_that_runs_again_replaces_what_it_staged(
    pipeline: Pipeline, start: Start, first: dict[str, Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start(tmp_path) as cluster:
        use(cluster, pipeline, monkeypatch)
        for key, data in uploads():
            pipeline.put(key, data)
        pipeline.look()
        while (batch := pipeline.claim()) is not None:
            pipeline.run(batch, "validate", "validate", "transform", "transform", "load", "archive")
        load_and_compare(pipeline, [], first, "all")


def fails_without_blame(pipeline: Pipeline, message: str) -> None:
    """Try a batch: its error says what is wrong, and its files lose no attempt."""
    pipeline.look()
    batch = pipeline.claim()
    assert batch is not None
    with pytest.raises(TransientError, match=message):
        run_step("validate", batch)
    assert {(file.state, file.attempts) for file in pipeline.files()} == {("pending", 0)}


@pytest.mark.parametrize("start", [sail, spark])
def test_a_cluster_that_cannot_work_costs_no_file_an_attempt(
    pipeline: Pipeline, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.put("a.csv", rows(10, 1))
    empty, other = tmp_path / "empty", tmp_path / "other"
    empty.mkdir()
    for package in ("minidata", "etl"):
        shutil.copytree(PROJECT / package, other / package)
    (other / "etl" / "__init__.py").open("a").write("# of another release\n")
    for packages, message in ((empty, "lack the platform's packages"), (other, "another version of the platform")):
        with start(tmp_path, packages) as cluster:
            use(cluster, pipeline, monkeypatch)
            fails_without_blame(pipeline, message)
    fails_without_blame(pipeline, "cannot be reached")  # it has ended


@pytest.mark.parametrize("start", [spark])
def test_a_file_that_kills_every_worker_is_to_blame(
    pipeline: Pipeline, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.put("a.csv", rows(_ROWS // 2, 1))
    pipeline.look()
    with start(tmp_path) as cluster, ThreadPoolExecutor() as pool:
        use(cluster, pipeline, monkeypatch)
        batch = pipeline.claim()
        assert batch is not None
        working = pool.submit(run_step, "validate", batch)
        while not working.done():
            for worker in cluster.workers():
                with suppress(psutil.Error):
                    worker.kill()
            time.sleep(0.2)
        with pytest.raises(WorkerDiedError):
            working.result()
    assert [(file.state, file.attempts) for file in pipeline.files()] == [("pending", 1)]
