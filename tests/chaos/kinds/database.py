"""PostgreSQL dies, hangs, forgets an answer, or has no space, lock or connection to give."""

import contextlib
import time

import psutil
import psycopg

from minidata.errors import PlatformError
from minidata.warehouse.connection import connect
from tests.chaos.arena import Round
from tests.chaos.kinds.register import each, kind, without_space
from tests.chaos.worker import DATASET

_OTHERS = "from pg_stat_activity where usename = current_user and pid <> pg_backend_pid()"


@kind("the answer to a commit is lost")
def _(world: Round) -> None:
    world.start("lose").join()
    world.start("lose").join()


@kind("the connections of a worker are cut")
def _(world: Round) -> None:
    with world.held():
        world.execute(f"select pg_terminate_backend(pid) {_OTHERS}")


@kind("statements are cancelled")
def _(world: Round) -> None:
    world.start()
    for _ in range(40):
        world.execute(f"select pg_cancel_backend(pid) {_OTHERS}")
        time.sleep(0.03)


@kind("PostgreSQL is killed")
def _(world: Round) -> None:
    with world.held():
        world.servers.kill("postgres")
        time.sleep(world.chance.choice([0, 1]))


@kind("PostgreSQL restarts in order")
def _(world: Round) -> None:
    with world.held("wait"):
        world.servers.supervisor.stop("postgres")
        world.servers.supervisor.start("postgres")


@kind("PostgreSQL hangs for a while")
def _(world: Round) -> None:
    with world.held("wait") as worker:
        found = world.servers.processes("postgres")
        each(found, psutil.Process.suspend)
        worker.go_on()
        time.sleep(1)
        each(found, psutil.Process.resume)


@kind("PostgreSQL cannot write: no space")
def _(world: Round) -> None:
    with world.held("wait") as worker:
        without_space(world, "postgres", worker.go_on)


@kind("somebody locks a table")
def _(world: Round) -> None:
    table = world.chance.choice(["video_metrics", "channel_stats", "videos"])
    with connect(world.settings, "owner") as owner:
        owner.execute(f"lock table {DATASET}.{table} in share mode".encode())
        worker = world.start()
        worker.join(2)


@kind("no connection is free")
def _(world: Round) -> None:
    worker = world.start()
    held: list[psycopg.Connection[tuple[object, ...]]] = []
    with contextlib.suppress(PlatformError):
        while len(held) < 500:
            held.append(connect(world.settings, "loader"))
    time.sleep(0.5)
    for connection in held:
        connection.close()
    worker.join()
