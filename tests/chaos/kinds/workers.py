"""Workers that die, hang and come back late."""

import time
from datetime import timedelta

from tests.chaos.arena import Round
from tests.chaos.kinds.register import kind


@kind("killed at a fault point")
def _(world: Round) -> None:
    with world.held("kill"):
        pass
    world.time_passes()
    world.other()


@kind("killed at a moment of chance")
def _(world: Round) -> None:
    worker = world.start()
    time.sleep(world.chance.uniform(0, 2))
    worker.signal(9)


@kind("killed again and again")
def _(world: Round) -> None:
    for _ in range(4):
        with world.held("kill"):
            world.put()
        world.time_passes()


@kind("two workers killed at fault points")
def _(world: Round) -> None:
    with world.held("kill"), world.held("kill"):
        pass


@kind("a file that kills its worker")
def _(world: Round) -> None:
    key, version = world.any()
    world.doomed.add(key)
    for _ in range(40):
        if world.execute("select 1 from mdp.files where key = %s and version = %s and state = 'failed'", key, version):
            return
        world.start(poison=key).join()
        # The limit of attempts is far away, so that no other kind of round meets it.
        world.execute("update mdp.files set attempts = 100 where key = %s and attempts > 3", key)
        world.time_passes()


@kind("stopped until its lease is over; others load; it goes on")
def _(world: Round) -> None:
    with world.held():
        world.time_passes()
        world.other()


@kind("stopped with its lease, and goes on")
def _(world: Round) -> None:
    with world.held():
        world.other()


@kind("expired lease with a live holder")
def _(world: Round) -> None:
    with world.held("wait"):
        world.time_passes()
        world.other()


@kind("two stopped workers go on in turn")
def _(world: Round) -> None:
    with world.held() as first:
        world.time_passes()
        with world.held():
            first.go_on()
            world.time_passes()


@kind("the database's clock jumps an hour ahead")
def _(world: Round) -> None:
    workers = [world.start(), world.start()]
    for _ in range(5):
        time.sleep(world.chance.uniform(0, 0.5))
        world.time_passes()
    del workers


@kind("a worker whose clock is wrong by hours")
def _(world: Round) -> None:
    world.start(ahead=timedelta(hours=world.chance.choice([-8, 8]))).join()
