"""The reading role cannot stop the platform: each attack is tried with its password, as an attacker would."""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from minidata import ledger
from minidata.warehouse.__main__ import Administration, set_up
from minidata.warehouse.connection import connect, connect_administrator, conninfo
from minidata.warehouse.limits import limit_readers
from operate.embedded.settings import embedded_settings
from operate.embedded.state import State

DATASET = "youtube_stats"


@pytest.fixture(scope="module")
def settings(servers: State) -> Administration:
    return embedded_settings(servers, Administration)


@pytest.fixture
def reader(settings: Administration) -> Iterator[psycopg.Connection[Any]]:
    with contextlib.closing(psycopg.connect(conninfo(settings, "bi"), autocommit=True)) as connection:
        yield connection


def watch(settings: Administration) -> int:
    """Run the watch once, as the pipeline does every few seconds."""
    with connect(settings, "loader") as loader:
        return limit_readers(loader)


def as_administrator(settings: Administration, statement: str) -> list[tuple[Any, ...]]:
    with connect_administrator(settings, settings.admin_user, settings.secret("admin_password")) as admin:
        cursor = admin.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.mark.parametrize(
    "call",
    [
        "pg_advisory_lock(hashtextextended('mdp:youtube_stats', 0))",
        "pg_try_advisory_xact_lock_shared(7463001)",
        "pg_sleep(1)",
        "pg_sleep_for('1 s')",
        "pg_notify('mdp_wake', '')",
        "pg_terminate_backend(pg_backend_pid())",
        "pg_logical_emit_message(false, 'a', repeat('a', 1000))",
        "pg_current_xact_id()",
        "set_config('statement_timeout', '0', false)",
        "ts_stat('select to_tsvector(''a'')')",
        "ts_rewrite('a'::tsquery, 'select ''a''::tsquery, ''b''::tsquery')",
        "query_to_xml('select 1', true, true, '')",
        "table_to_xml('mart.videos', true, true, '')",
        "database_to_xml(true, true, '')",
        "lo_create(0)",
        "lo_from_bytea(0, 'a')",
    ],
)
def test_a_reader_calls_no_dangerous_function(reader: psycopg.Connection[Any], call: str) -> None:
    reader.execute("set default_transaction_read_only = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for function"):
        reader.execute(f"select {call}".encode())


@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        ("do $$ begin loop null; end loop; end $$", psycopg.errors.InsufficientPrivilege),
        ("create temporary table t (a int)", psycopg.errors.InsufficientPrivilege),
        ("create table public.t (a int)", psycopg.errors.InsufficientPrivilege),
        ("select * from mdp.locks for update", psycopg.errors.InsufficientPrivilege),
        ("select mdp.limit_readers()", psycopg.errors.InsufficientPrivilege),
        ("select * from mdp.readers", psycopg.errors.InsufficientPrivilege),
        ("begin; lock table mart.videos in access exclusive mode", psycopg.errors.InsufficientPrivilege),
        ("alter role mdp_bi connection limit 1000", psycopg.errors.InsufficientPrivilege),
        ("set temp_file_limit = -1", psycopg.errors.InsufficientPrivilege),
        ("alter role mdp_loader password 'x'", psycopg.errors.InsufficientPrivilege),
    ],
)
def test_a_reader_makes_nothing_and_locks_nothing(
    reader: psycopg.Connection[Any], statement: str, refused: type[Exception]
) -> None:
    reader.execute("set default_transaction_read_only = off")
    with pytest.raises(refused):
        reader.execute(statement.encode())


@pytest.mark.parametrize("database", ["postgres", "template1", "airflow"])
def test_a_reader_connects_to_no_other_database(settings: Administration, database: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(conninfo(settings, "bi"), dbname=database)


def test_a_reader_with_all_its_connections_leaves_the_others_theirs(settings: Administration) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(contextlib.closing(psycopg.connect(conninfo(settings, "bi"))))
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(conninfo(settings, "bi"))
        for role in ("loader", "owner"):
            connect(settings, role).close()


def test_the_pipeline_connects_when_every_other_place_is_taken(settings: Administration) -> None:
    airflow = psycopg.conninfo.make_conninfo(
        conninfo(settings, "bi"),
        user="airflow",
        dbname="airflow",
        password=settings.secret("airflow_database_password"),
    )
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(psycopg.OperationalError):
            while True:
                stack.enter_context(contextlib.closing(psycopg.connect(airflow)))
        with pytest.raises(psycopg.OperationalError, match="reserved"):
            psycopg.connect(airflow)
        connect(settings, "loader").close()


def test_a_reader_in_a_transaction_does_not_hold_up_a_load(
    settings: Administration, reader: psycopg.Connection[Any]
) -> None:
    reader.execute("begin")
    reader.execute("select count(*) from videos")
    with connect(settings, "loader") as loader:
        loader.execute("set lock_timeout = '2s'")
        lock(loader, DATASET)


def lock(connection: psycopg.Connection[Any], dataset: str) -> None:
    with connection.transaction():
        ledger.lock_dataset(connection, dataset)


def test_two_loads_of_a_dataset_wait_for_each_other(settings: Administration) -> None:
    with connect(settings, "loader") as one, connect(settings, "loader") as other:
        with one.transaction():
            ledger.lock_dataset(one, DATASET)
            other.execute("set lock_timeout = '200ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                lock(other, DATASET)
            lock(other, "another")
        lock(other, DATASET)


def test_a_query_whose_limit_was_lifted_is_ended_from_outside(
    settings: Administration, reader: psycopg.Connection[Any]
) -> None:
    reader.execute("set statement_timeout = 0")
    endless = "select count(*) from (select generate_series(1, 100000000000)) endless"
    ended: list[Exception] = []

    def ask() -> None:
        try:
            reader.execute(endless)
        except psycopg.Error as error:
            ended.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    began = time.monotonic()
    while not watch(settings):
        assert time.monotonic() - began < 40
        time.sleep(0.5)
    thread.join(10)
    assert 15 < time.monotonic() - began < 30
    assert isinstance(ended[0], psycopg.OperationalError)


def test_an_idle_transaction_is_ended_although_its_own_limit_was_lifted(
    settings: Administration, reader: psycopg.Connection[Any]
) -> None:
    reader.execute("set idle_in_transaction_session_timeout = 0")
    reader.execute("begin")
    reader.execute("select 1")
    began = time.monotonic()
    while not watch(settings):
        assert time.monotonic() - began < 40
        time.sleep(0.5)
    with pytest.raises(psycopg.OperationalError):
        reader.execute("select 1")


def test_a_reader_that_does_nothing_wrong_is_left_alone(
    settings: Administration, reader: psycopg.Connection[Any]
) -> None:
    reader.execute("select 1")
    assert watch(settings) == 0
    assert reader.execute("select 1").fetchone() == (1,)


def test_a_changed_password_is_put_back(settings: Administration, reader: psycopg.Connection[Any]) -> None:
    reader.execute("set default_transaction_read_only = off")
    reader.execute("alter role mdp_bi password 'mine'")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(conninfo(settings, "bi"))
    watch(settings)
    psycopg.connect(conninfo(settings, "bi")).close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(conninfo(settings, "bi"), password="mine")


def test_changed_settings_of_the_role_are_put_back(settings: Administration, reader: psycopg.Connection[Any]) -> None:
    kept = "select setdatabase, setconfig from pg_db_role_setting where setrole = 'mdp_bi'::regrole"
    before = as_administrator(settings, kept)
    reader.execute("set default_transaction_read_only = off")
    for change in (
        "alter role mdp_bi set statement_timeout = 0",
        "alter role mdp_bi reset default_transaction_read_only",
        f"alter role mdp_bi in database {settings.database_name} set statement_timeout = 0",
        "alter role mdp_bi set work_mem = '4GB'",
    ):
        reader.execute(change.encode())
    assert as_administrator(settings, kept) != before
    watch(settings)
    assert as_administrator(settings, kept) == before
    with contextlib.closing(psycopg.connect(conninfo(settings, "bi"))) as fresh:
        assert fresh.execute("show statement_timeout").fetchone() == ("15s",)


def test_a_new_password_from_the_settings_is_kept_by_the_watch(settings: Administration) -> None:
    changed = settings.model_copy(update={"bi_password": Administration(bi_password="another").bi_password})
    set_up(changed)
    try:
        watch(settings)
        psycopg.connect(conninfo(changed, "bi")).close()
    finally:
        set_up(settings)
    watch(settings)
    psycopg.connect(conninfo(settings, "bi")).close()


def test_sorting_on_disk_is_limited(reader: psycopg.Connection[Any]) -> None:
    reader.execute("set statement_timeout = 0")
    with pytest.raises(psycopg.errors.ConfigurationLimitExceeded, match="temporary file size"):
        reader.execute("select repeat(n::text, 100) from generate_series(1, 8000000) n order by 1 desc")


def test_the_pipelines_roles_keep_what_they_need(settings: Administration) -> None:
    with connect(settings, "loader") as loader:
        loader.execute("select pg_notify('mdp_wake', '')")
        ledger.write_inbox(loader, [{"Records": []}])
        loader.execute("delete from mdp.inbox")
