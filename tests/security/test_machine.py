"""Other users of the machine: what they see of a platform, and that they cannot touch it."""

import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import psutil

from operate.embedded import processes
from operate.embedded.postgres import home as postgres_home
from operate.embedded.postgres.user import free, has_name
from operate.embedded.state import State

LOOK = """
import json, os, pathlib, signal, sys
data, pid = pathlib.Path(sys.argv[1]), int(sys.argv[2])
tried = {
    "list": lambda: os.listdir(data),
    "read": lambda: (data / "pg_hba.conf").read_text(),
    "change": lambda: (data / "pg_hba.conf").open("a"),
    "enter": lambda: os.chdir(data.parent),
    "signal": lambda: os.kill(pid, signal.SIGHUP),
    "environment": lambda: pathlib.Path(f"/proc/{pid}/environ").read_bytes(),
    "memory": lambda: open(f"/proc/{pid}/mem", "rb"),
}
done = []
for name, attack in tried.items():
    try:
        attack()
        done.append(name)
    except OSError:
        pass
print(json.dumps(done))
"""


def server(state: State) -> psutil.Process:
    place = postgres_home.choose(state)
    found = processes.find(state.folder, "postgres", place.data)
    return next(process for process in found if process.ppid() not in {other.pid for other in found})


def listeners(state: State) -> list[tuple[str, str, int]]:
    """Return the program, address and port of each socket that a process of the platform listens on."""
    places = processes.find(state.folder, None, postgres_home.choose(state).data)
    return sorted(
        {
            (process.name(), c.laddr.ip, c.laddr.port)
            for process in {*places, server(state)}
            for c in process.net_connections("inet")
            if c.status == psutil.CONN_LISTEN
        }
    )


def test_nothing_listens_beyond_loopback(servers: State) -> None:
    found = listeners(servers)
    assert {name for name, _, _ in found} == {"postgres", "weed"}
    assert {address for _, address, _ in found} == {"127.0.0.1"}
    assert {port for _, _, port in found if port < 25_000} <= set(servers.platform.ports.values())


def test_sockets_and_folders_are_closed_to_other_users(servers: State) -> None:
    for process in processes.find(servers.folder):
        for connection in process.net_connections("unix"):
            path = Path(str(connection.laddr))
            if connection.laddr and path.exists():
                open_to_others = path.stat().st_mode & 0o002 and path.parent.stat().st_mode & 0o001
                assert not open_to_others, path
    for folder in (servers.folder, servers.run, servers.weed, servers.logs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    secrets = [servers.folder / ".env", servers.folder / "supervisor.conf", *servers.weed.iterdir()]
    assert len(secrets) > 5
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets} == {0o600}


if os.geteuid() == 0:

    def attack(state: State, uid: int) -> list[str]:
        """Return which attacks on the database a process of a user can do."""
        python = shutil.which("python3", path="/usr/bin:/usr/local/bin:/bin") or sys.executable
        place = postgres_home.choose(state)
        done = subprocess.run(
            [python, "-I", "-c", LOOK, str(place.data), str(server(state).pid)],
            user=uid, group=uid, extra_groups=[], cwd="/", text=True, capture_output=True, check=True,
        )  # fmt: skip
        return list(json.loads(done.stdout))

    def test_a_process_of_nobody_or_of_another_user_cannot_touch_the_database(servers: State) -> None:
        assert attack(servers, pwd.getpwnam("nobody").pw_uid) == []
        assert attack(servers, 12_345) == []

    def test_the_attack_is_a_real_one(servers: State) -> None:
        own = server(servers).uids().effective
        assert {"list", "read", "change", "enter", "signal"} <= set(attack(servers, own))

    def test_the_database_has_a_user_of_its_own(servers: State) -> None:
        uid = server(servers).uids().effective
        place = postgres_home.choose(servers)
        assert not has_name(uid)
        assert {path.stat().st_uid for path in (place.folder, place.data, *place.data.rglob("*"))} == {uid}
        foreign = [p for p in psutil.process_iter() if uid in p.uids() and p.cwd() != str(place.data)]
        assert foreign == []
        assert free([place.folder]).pw_uid != uid

    def test_data_that_belonged_to_nobody_gets_a_user_of_its_own(tmp_path: Path) -> None:
        nobody = pwd.getpwnam("nobody")
        folder, outside = tmp_path / "home", tmp_path / "outside"
        (folder / "data" / "base").mkdir(parents=True)
        (folder / "data" / "PG_VERSION").write_text("18")
        outside.write_text("not the database's")
        (folder / "data" / "link").symlink_to(outside)
        os.link(outside, folder / "data" / "planted")
        for path in (folder, *folder.rglob("*")):
            if path.name != "planted":
                os.lchown(path, nobody.pw_uid, nobody.pw_gid)
        old = postgres_home.Home(folder, tmp_path, nobody)
        new = postgres_home.separate(old)
        assert new.user
        assert not has_name(new.user.pw_uid)
        assert (folder / "data" / "PG_VERSION").stat().st_uid == new.user.pw_uid
        assert folder.stat().st_uid == new.user.pw_uid
        assert outside.stat().st_uid == 0
        assert postgres_home.separate(new) is new
