"""The embedded PostgreSQL: on loopback, behind passwords, not as root, and safe from being killed."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest
from pydantic import SecretStr

from minidata.errors import PermanentError
from minidata.warehouse.__main__ import Administration
from operate.embedded import ports, processes, service
from operate.embedded.postgres import home as postgres_home
from operate.embedded.postgres import server as postgres
from operate.embedded.settings import embedded_settings, make_secrets, read_secrets
from operate.embedded.state import State
from operate.embedded.supervisor import Supervisor

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Running:
    """A platform of which only PostgreSQL runs."""

    state: State
    settings: Administration
    supervisor: Supervisor

    @property
    def port(self) -> int:
        return self.settings.database_port

    @property
    def server(self) -> psutil.Process:
        """The postmaster."""
        [info] = self.supervisor.info()
        return psutil.Process(info.pid)

    def wait(self) -> None:
        self.supervisor.wait("postgres", lambda: postgres.probe(self.settings), 60)

    def query(self, query: str) -> list[tuple[object, ...]]:
        with postgres.connect_administrator(self.settings) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    state = State.open(tmp_path_factory.mktemp("état") / "a b")
    make_secrets(state)
    ports.choose_ports(state, ["postgres", *ports.SEAWEED])
    settings = embedded_settings(state, Administration)
    supervisor = Supervisor(state)
    try:
        postgres.initialise(state, postgres_home.choose(state), settings.secret("admin_password"))
        supervisor.launch([postgres.SERVICE])
        supervisor.start("postgres")
        platform = Running(state, settings, supervisor)
        platform.wait()
        yield platform
    finally:
        supervisor.shutdown()
        postgres_home.remove(state)
    assert processes.find(state.folder) == []


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition that must come true; a minute is long here."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_never_runs_as_root(running: Running) -> None:
    family = [running.server, *running.server.children()]
    assert len(family) > 1
    assert all(process.uids().effective != 0 for process in family)
    owner = postgres_home.choose(running.state).data.stat()
    assert owner.st_uid != 0
    assert owner.st_mode & 0o077 == 0


def test_it_listens_on_loopback_only_and_has_no_unix_socket(running: Running) -> None:
    listening = [c for c in running.server.net_connections("all") if c.status == psutil.CONN_LISTEN]
    assert [c.laddr for c in listening] == [("127.0.0.1", running.port)]
    assert running.query("show unix_socket_directories") == [("",)]


@pytest.mark.parametrize("user", ["mdp_admin", "postgres", "root"])
@pytest.mark.parametrize("password", [None, "", "postgres", "mdp_admin"])
def test_no_one_connects_without_the_password(running: Running, user: str, password: str | None) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"no password supplied|authentication failed"):
        psycopg.connect(
            host="127.0.0.1", port=running.port, user=user, dbname="postgres", password=password, passfile=os.devnull
        )


def test_a_wrong_password_is_not_waited_for(running: Running) -> None:
    with pytest.raises(PermanentError, match="MDP_ADMIN_PASSWORD"):
        postgres.probe(running.settings.model_copy(update={"admin_password": SecretStr("wrong")}))


def test_text_sorts_by_code_point_and_pages_have_checksums(running: Running) -> None:
    assert running.query("select string_agg(c, '' order by c) from unnest(array['b','a','B','ä','z']) c") == [
        ("Babzä",)
    ]
    assert running.query("show data_checksums") == [("on",)]
    assert running.query("show timezone") == [("UTC",)]


def test_the_environment_of_the_caller_does_not_reach_it(running: Running) -> None:
    expected = {"PATH", "HOME", "LANG", "TZ", processes.MARKER, service.FINGERPRINT}
    assert set(running.server.environ()) <= expected | {"LC_CTYPE", "LC_COLLATE", "PGLOCALEDIR"}


def test_a_kill_loses_no_committed_row_and_it_comes_back_by_itself(running: Running) -> None:
    running.query("create table if not exists kept (n int)")
    for number in range(3):
        running.query(f"insert into kept values ({number})")
        before = running.server.pid
        running.server.kill()
        until(lambda killed=before: not psutil.pid_exists(killed))
        running.wait()
        assert running.query("select count(*), max(n) from kept") == [(number + 1, number)]
    running.query("drop table kept")


def test_what_a_killed_supervisor_left_is_stopped_before_the_next_start(running: Running) -> None:
    old = running.server
    [supervisor] = processes.find(running.state.folder, "supervisor")
    supervisor.kill()
    until(lambda: not running.supervisor.running())
    assert old.is_running()
    postgres.probe(running.settings)  # an orphan, and it still answers
    running.supervisor.launch([postgres.SERVICE])
    assert not old.is_running()
    running.supervisor.start("postgres")
    running.wait()
    assert running.server.pid != old.pid


def test_a_stale_pid_file_that_names_a_living_stranger_does_not_stop_it(running: Running) -> None:
    place = postgres_home.choose(running.state)
    file = place.data / "postmaster.pid"
    content = file.read_text().split("\n")
    running.supervisor.stop("postgres")
    stranger = subprocess.Popen(["/bin/sleep", "600"], cwd="/", **processes.as_user(place.user))
    try:
        file.write_text("\n".join([str(stranger.pid), *content[1:]]))
        running.supervisor.start("postgres")
        running.wait()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_that_we_did_not_start_is_left_alone(running: Running) -> None:
    with pytest.raises(PermanentError, match=f"pid {running.server.pid}"):
        postgres.clear_stale_pid(postgres_home.choose(running.state))
    postgres.probe(running.settings)


def test_a_taken_port_is_named_in_its_log(running: Running) -> None:
    running.supervisor.stop("postgres")
    with socket.create_server(("127.0.0.1", running.port)):
        done = subprocess.run(
            [sys.executable, "-m", "operate.embedded.launcher", "postgres", "--state", str(running.state.folder)],
            cwd=PROJECT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert f"Port {running.port}" in done.stderr
    assert f"pid {os.getpid()}" in done.stderr
    running.supervisor.start("postgres")
    running.wait()


def test_no_secret_is_in_the_supervisors_files_or_command_lines(running: Running) -> None:
    values = set(read_secrets(running.state).values())
    files = [running.state.folder / "supervisor.conf", *running.state.logs.iterdir()]
    texts = [file.read_text() for file in files]
    texts += [" ".join(process.cmdline()) for process in processes.find(running.state.folder)]
    [supervisor] = processes.find(running.state.folder, "supervisor")
    texts.append(str(supervisor.environ()))
    assert values
    assert not [value for value in values for text in texts if value in text]


if os.geteuid() == 0 and shutil.which("setpriv"):
    # A normal user, who may read on so that a checkout or a Python in root's own folders can be used.
    READ = "+dac_read_search"
    READING_ON = ["--securebits", "+no_setuid_fixup", "--inh-caps", READ, "--ambient-caps", READ]

    def test_all_of_this_holds_for_a_normal_user_too() -> None:
        user = pwd.getpwnam("nobody")
        folder = Path("/tmp") / f"mdp-test-{secrets.token_hex(4)}"  # root's tmp_path is closed to others
        folder.mkdir(mode=0o700)
        os.chown(folder, user.pw_uid, user.pw_gid)
        become = ["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
        tests = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--basetemp", str(folder / "t"), __file__]
        try:
            done = subprocess.run(
                [*become, *READING_ON, *tests], cwd=PROJECT, env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
                text=True, capture_output=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
        finally:
            shutil.rmtree(folder)
