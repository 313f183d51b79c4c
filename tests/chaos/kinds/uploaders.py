"""Uploaders overwrite, repeat and delete while their files are loaded."""

import time
from collections.abc import Iterable

from tests.chaos.arena import Round
from tests.chaos.kinds.register import kind


@kind("a key is overwritten between two steps")
def _(world: Round) -> None:
    with world.held():
        world.put(key=world.any()[0])


@kind("a content comes again under other names")
def _(world: Round) -> None:
    with world.held():
        key, _ = version = world.any()
        ending = key[key.rfind("/") + 1 :].partition(".")[2]
        world.put(f"again/{world.chance.random()}.{ending}", world.uploaded[version])
        world.put(*(key, world.uploaded[version]))


@kind("a key is deleted by its uploader")
def _(world: Round) -> None:
    with world.held():
        key = world.any()[0]
        world.store.client.delete_object(Bucket="raw", Key=key)
        _touch(world, [version for version in world.uploaded if version[0] == key], "superseded")


@kind("a version is removed by its uploader")
def _(world: Round) -> None:
    with world.held():
        version = world.any()
        world.store.delete_version("raw", *version)
        [(state,)] = world.execute("select state::text from mdp.files where key = %s and version = %s", *version) or [
            ("",)
        ]
        _touch(world, [version], "superseded")
        if state not in ("archived", "quarantined"):  # after its verdict nothing is left to move; it is tried for ever
            _touch(world, [version], "loaded")
            _touch(world, [version], "invalid")


@kind("many uploads while two workers load")
def _(world: Round) -> None:
    workers = [world.start(), world.start()]
    for _ in range(10):
        world.put(key=world.any()[0] if world.chance.random() < 0.5 else None)
        time.sleep(0.05)
    del workers


def _touch(world: Round, versions: Iterable[tuple[str, str]], state: str) -> None:
    for version in versions:
        world.touched.setdefault(version, set()).add(state)
