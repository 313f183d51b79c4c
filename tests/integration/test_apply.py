"""A changed declaration is noticed and applied to what is loaded: whole, beside readers, or not at all."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from minidata.dataset import Dataset
from minidata.errors import PermanentError, TransientError
from minidata.settings import Settings
from minidata.warehouse import ddl
from minidata.warehouse.connection import Connection, Role, connect
from minidata.warehouse.declared import is_applied
from minidata.warehouse.mart import apply_mart
from minidata.warehouse.plan import apply_datasets, plan_dataset
from operate.embedded.settings import embedded_settings
from operate.embedded.state import State
from tests.integration.test_newest_every import DECLARATION, File, T, declare, load, order, shown


@pytest.fixture
def settings(servers: State) -> Settings:
    return embedded_settings(servers)


@pytest.fixture
def owner(settings: Settings, tmp_path: Path) -> Iterator[Connection]:
    """The owner, after two orders have been loaded."""
    with connect(settings, "owner") as connection:
        dataset = declare(tmp_path / "shop")
        apply_datasets(connection, [dataset])
        load(connection, dataset, [[File(T, [order("paid", 0), order("paid", 3, order_id="b", city="Oslo")])]])
        connection.commit()
        yield connection
        connection.rollback()
        connection.execute("drop schema shop cascade")
        connection.execute("delete from public.mdp_declared where name = 'shop'")


def changed(tmp_path: Path, old: str = "", new: str = "", **selects: str) -> Dataset:
    assert old in DECLARATION
    dataset = declare(tmp_path / "shop", DECLARATION.replace(old, new, 1) if old else DECLARATION)
    for name, select in selects.items():
        (dataset.folder / f"{name}.sql").write_text(select)
    return dataset


def what(connection: Connection, dataset: Dataset) -> list[str]:
    return [text for text, _ in plan_dataset(connection, dataset).changes if not text.startswith("show ")]


def test_the_same_declaration_changes_nothing(owner: Connection, tmp_path: Path) -> None:
    dataset = declare(tmp_path / "shop")
    assert is_applied(owner, dataset)
    assert what(owner, dataset) == []


@pytest.mark.parametrize(
    ("role", "query"),
    [
        ("loader", "insert into shop.orders_changed select * from shop.orders_changed limit 0"),
        ("loader", "select from mart.orders_changed"),
        ("bi", "select from mart.orders_changed"),
        ("bi", "select from mart.freshness"),
    ],
)
def test_a_right_that_was_revoked_is_given_back(
    owner: Connection, settings: Settings, tmp_path: Path, role: Role, query: str
) -> None:
    apply_mart(owner)
    with connect(settings, role) as user:
        user.execute(query.encode())
        for schema in ("shop", "mart"):
            owner.execute(f"revoke all on all tables in schema {schema} from mdp_loader, mdp_bi".encode())
            owner.execute(f"revoke all on schema {schema} from mdp_loader, mdp_bi".encode())
        owner.commit()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            user.execute(query.encode())
        user.rollback()
        apply_datasets(owner, [declare(tmp_path / "shop")])
        apply_mart(owner)
        owner.commit()
        user.execute(query.encode())


def test_a_changed_select_is_applied_to_what_is_loaded(owner: Connection, tmp_path: Path) -> None:
    select = "select city, sum(amount) * 2 as amount from orders_arrived where city <> 'Oslo' group by city"
    dataset = changed(tmp_path, arrived=select)
    assert not is_applied(owner, dataset)
    assert "compute shop.arrived from what is loaded" in what(owner, dataset)
    apply_datasets(owner, [dataset])
    assert shown(owner, dataset)["arrived"] == {("Rome", 20)}
    assert is_applied(owner, dataset)


def test_a_summary_may_change_its_keys_and_columns(owner: Connection, tmp_path: Path) -> None:
    old = "columns: {city: text, amount: numeric}"
    with pytest.raises(PermanentError, match=r"arrived\.sql fails"):
        apply_datasets(owner, [changed(tmp_path, old, "columns: {city: text, n: bigint}")])
    dataset = changed(
        tmp_path, old, "columns: {city: text, n: bigint}", arrived="select city, 1 as n from orders_arrived"
    )
    apply_datasets(owner, [dataset])
    assert shown(owner, dataset)["arrived"] == {("Rome", 1), ("Oslo", 1)}


def test_an_added_optional_column_is_null_in_what_is_loaded(owner: Connection, tmp_path: Path) -> None:
    dataset = changed(tmp_path, "columns:\n", "columns:\n  coupon: {type: text, max_length: 9, optional: true}\n")
    before = owner.execute("select mdp_hash from shop.order_events order by 1").fetchall()
    apply_datasets(owner, [dataset])
    query = "select order_id, coupon from mart.orders_changed order by 1"
    assert owner.execute(query.encode()).fetchall() == [("a", None), ("b", None)]
    assert owner.execute("select mdp_hash from shop.order_events order by 1").fetchall() == before


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seconds: 3600", "seconds: 1800", "keys hour was .*seconds: 3600.* and is now .*seconds: 1800"),
        ("most: {max: amount}", "most: {min: amount}", "measures most was {max: amount} and is now {min: amount}"),
        ("keys: [order_id], by: changed_at", "keys: [city], by: changed_at", r"key order_id \(declared: city\)"),
        ("keys: [order_id], by: changed_at", "keys: [order_id]", "column none .declared: mdp_arrived_at"),
        ("status: {type: text, max_length: 9, min_length: 1}", "status: {type: integer}", "column status text"),
        ("columns:\n", "columns:\n  more: {type: integer}\n", "column none .declared: more bigint"),
    ],
)
def test_what_would_make_loaded_rows_wrong_is_refused(
    owner: Connection, tmp_path: Path, old: str, new: str, words: str
) -> None:
    with pytest.raises(PermanentError, match=words):
        apply_datasets(owner, [changed(tmp_path, old, new)])
    assert len(owner.execute("select from mart.orders_changed").fetchall()) == 2


def test_a_reader_with_an_open_transaction_holds_up_nothing_that_has_not_changed(
    owner: Connection, settings: Settings, tmp_path: Path
) -> None:
    apply_mart(owner)
    owner.commit()
    with connect(settings, "bi") as reader:
        reader.execute("select count(*) from video_growth")
        reader.execute("select count(*) from orders_changed")
        apply_datasets(owner, [declare(tmp_path / "shop")])
        apply_mart(owner)


def test_a_reader_in_the_way_is_named_and_nothing_is_changed(
    owner: Connection, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ddl, "_TRIES", 1)
    dataset = changed(tmp_path, "columns:\n", "columns:\n  coupon: {type: text, max_length: 9, optional: true}\n")
    with connect(settings, "bi") as reader:
        reader.execute("select count(*) from orders_changed")
        with pytest.raises(
            TransientError, match=f"PID {reader.info.backend_pid} of mdp_bi.* 'select count.* from orders_changed'"
        ):
            apply_datasets(owner, [dataset])
    assert not is_applied(owner, dataset)
    owner.rollback()
    apply_datasets(owner, [dataset])
    assert is_applied(owner, dataset)


def test_two_applies_at_once_are_one(owner: Connection, settings: Settings, tmp_path: Path) -> None:
    dataset = changed(tmp_path, "columns:\n", "columns:\n  coupon: {type: text, max_length: 9, optional: true}\n")

    def apply(_: int) -> None:
        with connect(settings, "owner") as connection:
            apply_datasets(connection, [dataset])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(apply, range(4)))
    assert is_applied(owner, dataset)


def test_an_apply_that_is_killed_leaves_nothing_half_done(
    owner: Connection, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = changed(tmp_path, "columns:\n", "columns:\n  coupon: {type: text, max_length: 9, optional: true}\n")
    steps = len(plan_dataset(owner, dataset).changes)
    owner.rollback()
    for killed_at in range(steps):
        with pytest.raises(psycopg.OperationalError):
            apply_and_die(settings, dataset, killed_at)
        assert not is_applied(owner, dataset)
        assert owner.execute("select to_regclass('mart.orders_changed')").fetchone() != (None,)
        found: Any = owner.execute(
            "select count(*) from pg_attribute where attname = 'coupon' and attnum > 0"
        ).fetchone()
        assert found == (0,)
        owner.rollback()


def apply_and_die(settings: Settings, dataset: Dataset, steps: int) -> None:
    """Lose the connection after some steps of an apply."""
    with connect(settings, "owner") as connection, connect(settings, "owner") as other:
        for _, do in plan_dataset(connection, dataset).changes[:steps]:
            do()
        other.execute("select pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
        connection.execute("select 1")
