"""`python -m minidata.warehouse`: any server is brought to what the platform needs, again and again."""

import os
import subprocess
import sys

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from minidata.errors import PermanentError, TransientError
from minidata.warehouse.__main__ import Administration, administration, set_up
from minidata.warehouse.connection import connect, connect_administrator, conninfo
from tests.deploy.conftest import PROJECT

SECRETS = ("admin", "owner", "loader", "bi", "events", "metabase_database", "airflow_database")


def events(server: Administration) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(conninfo(server, "loader"), user="mdp_events", password=server.secret("events_password"))


def test_an_empty_server_gets_everything_and_a_second_run_changes_nothing(server: Administration) -> None:
    assert set_up(server, ["metabase", "airflow"]) == ["0001_ledger.sql", *_later_migrations()]
    assert set_up(server, ["metabase", "airflow"]) == []
    with connect(server, "bi") as connection:
        assert connection.execute("select count(*) from video_metrics").fetchone() == (0,)
    for app in ("metabase", "airflow"):
        own = make_conninfo(conninfo(server, "loader"), user=app, dbname=app, password=f"{app}-secret")
        with psycopg.connect(own) as connection:
            connection.execute("create table mine (a int)")


def _later_migrations() -> list[str]:
    return sorted(file.name for file in (PROJECT / "warehouse/migrations").glob("*.sql"))[1:]


def test_apps_and_events_reach_no_other_database(ready: Administration) -> None:
    for user, databases in {
        "metabase": ["warehouse", "airflow"],
        "airflow": ["warehouse"],
        "mdp_events": ["airflow"],
    }.items():
        password = ready.secret("events_password") if user == "mdp_events" else f"{user}-secret"
        for database in databases:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(make_conninfo(conninfo(ready, "loader"), user=user, dbname=database, password=password))


@pytest.mark.parametrize(
    "query",
    [
        "select * from mdp.files",
        "delete from mdp.inbox",
        "update mdp.inbox set event_data = '{}'",
        "truncate mdp.inbox",
        "create table mdp.mine (a int)",
        "create table public.mine (a int)",
        "select * from mart.video_metrics",
        "select * from youtube_stats.videos",
    ],
)
def test_the_events_role_adds_to_the_inbox_and_nothing_else(ready: Administration, query: str) -> None:
    with events(ready) as connection:
        connection.execute("set search_path = mdp")
        connection.execute("select 1 from inbox")
        connection.execute("insert into inbox (event_time, event_data) values (now(), '{}')")
        connection.commit()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(query.encode())


def test_a_managed_server_whose_administrator_is_no_superuser_will_do(server: Administration) -> None:
    with connect_administrator(server, server.admin_user, server.secret("admin_password")) as admin:
        admin.execute("create role manager login createrole createdb password 'manager-secret'")
    managed = server.model_copy(
        update={
            "admin_user": "manager",
            "admin_password": Administration(admin_password="manager-secret").admin_password,
        }
    )
    assert set_up(managed, ["metabase"])
    assert set_up(managed, ["metabase"]) == []


def test_changed_passwords_are_taken_over(ready: Administration) -> None:
    changed = ready.model_copy(update={"loader_password": Administration(loader_password="another").loader_password})
    set_up(changed, ["metabase"])
    connect(changed, "loader").close()
    with pytest.raises(PermanentError, match="MDP_LOADER_PASSWORD"):
        connect(ready, "loader")


def test_what_a_person_has_made_needs_no_administrator(ready: Administration) -> None:
    assert set_up(ready.model_copy(update={"admin_password": None}), roles=False) == []


def test_a_wrong_administrator_and_an_absent_server_are_told_apart(ready: Administration) -> None:
    wrong = ready.model_copy(update={"admin_password": Administration(admin_password="wrong").admin_password})
    with pytest.raises(PermanentError, match="MDP_ADMIN_PASSWORD"):
        set_up(wrong)
    with pytest.raises(TransientError, match=r"127\.0\.0\.1:1 "):
        set_up(ready.model_copy(update={"database_port": 1}))


def test_the_command_reads_secrets_from_files_and_the_environment_goes_first(
    server: Administration, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name in SECRETS:
        (folder / f"MDP_{name.upper()}_PASSWORD").write_text(server.secret(f"{name}_password"))
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PROJECT),
        "MDP_DATABASE_PORT": str(server.database_port),
        "MDP_SECRETS_FOLDER": str(folder),
        "MDP_OWNER_PASSWORD": "",  # an empty line of .env is no password
    }
    done = subprocess.run(
        [sys.executable, "-m", "minidata.warehouse", "--app", "metabase"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "0001_ledger.sql" in done.stdout

    monkeypatch.setenv("MDP_SECRETS_FOLDER", str(folder))
    monkeypatch.setenv("MDP_LOADER_PASSWORD", "from the environment")
    assert administration().secret("loader_password") == "from the environment"
    assert administration().secret("owner_password") == server.secret("owner_password")


def test_an_unset_password_is_refused_by_name(ready: Administration) -> None:
    with pytest.raises(PermanentError, match="MDP_METABASE_DATABASE_PASSWORD is not set"):
        set_up(ready.model_copy(update={"metabase_database_password": None}), ["metabase"])
