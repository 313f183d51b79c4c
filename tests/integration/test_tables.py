"""A table that is there already is used only if it is what the declaration makes of it; each difference is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from minidata.dataset import Dataset, Rollup, read_datasets
from minidata.errors import PermanentError
from minidata.warehouse.connection import Connection, connect
from minidata.warehouse.plan import apply_datasets
from operate.embedded.settings import embedded_settings
from operate.embedded.state import State
from tests.integration.second_dataset import NAME, declare_beside_the_first

COLUMNS = {
    "hour": "timestamptz not null",
    "station": 'text collate "C" not null',
    "particles": "bigint not null",
    "most_particles": "bigint not null",
    "least_particles": "bigint not null",
    "particles_gained": "bigint",
    "last_measured": "timestamptz not null",
}
KEY = "hour, station"


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return read_datasets(declare_beside_the_first(tmp_path / "datasets"))[NAME]


@pytest.fixture
def owner(servers: State) -> Iterator[Connection]:
    settings = embedded_settings(servers)
    with connect(settings, "owner") as connection, connection.transaction(force_rollback=True):
        yield connection


def make_by_hand(owner: Connection, columns: dict[str, str], key: str) -> None:
    listed = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
    owner.execute(f"create schema {NAME}".encode())
    owner.execute(f"create table {NAME}.air_hours ({listed}{f', primary key ({key})' if key else ''})".encode())


def test_what_is_as_declared_is_used_again_and_again(owner: Connection, dataset: Dataset) -> None:
    make_by_hand(owner, COLUMNS, KEY)
    owner.execute(f"insert into {NAME}.air_hours values (now(), 'here', 1, 1, 1, null, now())".encode())
    apply_datasets(owner, [dataset])
    apply_datasets(owner, [dataset])
    assert owner.execute("select station from mart.air_hours").fetchall() == [("here",)]


def test_a_column_that_has_become_optional_may_be_null(owner: Connection, dataset: Dataset) -> None:
    make_by_hand(owner, COLUMNS | {"particles_gained": "bigint not null"}, KEY)
    apply_datasets(owner, [dataset])
    owner.execute(f"insert into {NAME}.air_hours values (now(), 'here', 1, 1, 1, null, now())".encode())


@pytest.mark.parametrize(
    ("columns", "key", "difference"),
    [
        ({**COLUMNS, "particles": "integer"}, KEY, "column particles integer (declared: particles bigint)"),
        ({**COLUMNS, "particles": "text"}, KEY, "column particles text (declared: particles bigint)"),
        (
            {**COLUMNS, "last_measured": "timestamp"},
            KEY,
            "column last_measured timestamp without time zone (declared: last_measured timestamptz)",
        ),
        ({**COLUMNS, "station": "text"}, KEY, 'column station text (declared: station text collate "C")'),
        ({**COLUMNS, "more": "bigint"}, KEY, "column more bigint (declared: none)"),
        (
            {name: type_ for name, type_ in COLUMNS.items() if name != "last_measured"},
            KEY,
            "column none (declared: last_measured timestamptz)",
        ),
        (COLUMNS, "station", "key station (declared: hour, station)"),
        (COLUMNS, "", "key none (declared: hour, station)"),
    ],
)
def test_each_difference_is_named_and_what_can_be_done(
    owner: Connection, dataset: Dataset, columns: dict[str, str], key: str, difference: str
) -> None:
    make_by_hand(owner, columns, key)
    with pytest.raises(PermanentError) as caught:
        apply_datasets(owner, [dataset])
    message = str(caught.value)
    assert f"{dataset.file} does not fit the tables that are loaded: {NAME}.air_hours: {difference}. " in message
    assert "Nothing was changed" in message
    assert "`./mdp rebuild --dataset air_quality`" in message


@pytest.mark.parametrize("made", ["view mart.air_hours as select 1 as one", "table mart.air_hours (one int)"])
def test_what_somebody_made_in_mart_is_not_taken_over(owner: Connection, dataset: Dataset, made: str) -> None:
    owner.execute(f"create {made}".encode())
    with pytest.raises(PermanentError, match=r"mart\.air_hours, .* exists already"):
        apply_datasets(owner, [dataset])


def test_a_table_has_no_name_of_a_reading_view(owner: Connection, dataset: Dataset) -> None:
    rollups: dict[str, Rollup] = {"newest_window": dataset.rollups["air_hours"]}
    taking = dataset.model_copy(update={"rollups": rollups, "summaries": {}})
    with pytest.raises(PermanentError, match="a table newest_window") as caught:
        apply_datasets(owner, [taking])
    for file in (str(dataset.file), "views.yaml"):
        assert file in str(caught.value)
