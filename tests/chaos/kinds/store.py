"""The object store dies, hangs, loses things, or hides behind a bad network."""

import time
from collections.abc import Callable

import psutil

from tests.chaos.arena import Round
from tests.chaos.kinds.register import KINDS, each, kind, without_space


def _weather(trouble: str, share: float) -> Callable[[Round], None]:
    def happen(world: Round) -> None:
        world.weather(trouble, share)
        world.start().join()
        world.other()

    return happen


for _name, _trouble, _share in (
    ("the store answers 503", "503", 0.3),
    ("the store is slow", "slow", 0.5),
    ("answers are cut", "answer cut", 0.2),
    ("requests are cut", "request cut", 0.2),
    ("answers are lost", "answer lost", 0.2),
    ("connections are refused", "refused", 0.3),
):
    KINDS[_name] = _weather(_trouble, _share)


@kind("the store is killed")
def _(world: Round) -> None:
    with world.held():
        world.servers.kill("object-store")


@kind("the store hangs for a while")
def _(world: Round) -> None:
    with world.held("wait") as worker:
        found = world.servers.processes("object-store")
        each(found, psutil.Process.suspend)
        worker.go_on()
        time.sleep(1)
        each(found, psutil.Process.resume)


@kind("the store cannot write: no space")
def _(world: Round) -> None:
    with world.held("wait") as worker:
        without_space(world, "object-store", worker.go_on)


@kind("staging is emptied")
def _(world: Round) -> None:
    with world.held():
        world.store.delete_prefix("staging", "")
