"""The rows of taken files go from every kind of table, as if the files had never come: a plain-Python oracle."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minidata.dataset import Dataset
from minidata.rollup import KeyedPartials, Partials, replace_rows
from minidata.warehouse.connection import Connection, connect
from minidata.warehouse.plan import apply_datasets
from operate.embedded.settings import embedded_settings
from operate.embedded.state import State
from tests.integration.test_newest_every import File, T, declare, expected, files, frame, load, order, shown


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder: Path = tmp_path_factory.mktemp("datasets") / "shop"
    return declare(folder)


@pytest.fixture(scope="module")
def owner(servers: State, dataset: Dataset) -> Iterator[Connection]:
    with connect(embedded_settings(servers), "owner") as connection, connection.transaction(force_rollback=True):
        apply_datasets(connection, [dataset])
        yield connection


SOME = File(T, [order("paid", 0)])


def partials(dataset: Dataset, accepted: list[File], within: Partials | None = None) -> Partials:
    found = KeyedPartials(dataset, within)
    found.add(frame(SOME)[:0])
    for file in accepted:
        found.add(frame(file))
    return found.finish()


def take_out(connection: Connection, dataset: Dataset, gone: list[File], left: list[File]) -> None:
    affected = partials(dataset, gone)
    with connection.transaction():
        replace_rows(connection, dataset, affected, partials(dataset, left, affected))
        temporary = [f"{kind}_{name}" for kind in ("stage", "known", "touched", "gone") for name in dataset.tables]
        for name in temporary:
            connection.execute(f"drop table if exists pg_temp.{name}".encode())


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), accepted=st.lists(files, min_size=1, max_size=6))
def test_taking_files_out_and_in_gives_the_tables_of_those_that_are_in(
    owner: Connection, dataset: Dataset, data: st.DataObject, accepted: list[File]
) -> None:
    with owner.transaction(force_rollback=True):
        load(owner, dataset, [accepted])
        out: list[int] = []
        for _ in range(data.draw(st.integers(1, 4))):
            chosen = data.draw(st.sets(st.integers(0, len(accepted) - 1), min_size=1, max_size=3))
            back = [n for n in chosen if n in out]
            gone = [n for n in chosen if n not in out]
            if back:
                load(owner, dataset, [[accepted[n] for n in back]])
                out = [n for n in out if n not in back]
            if gone:
                out += gone
                left = [file for n, file in enumerate(accepted) if n not in out]
                take_out(owner, dataset, [accepted[n] for n in gone], left)
            assert shown(owner, dataset) == expected([file for n, file in enumerate(accepted) if n not in out])
