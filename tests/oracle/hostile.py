"""A folder as a careless world uploads it: mostly good snapshots, and late, double, tied and spoiled ones."""

import math
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Final

from tests.oracle import spoilers, styles
from tests.oracle.world import World

_FOLDERS: Final = (
    *("", "", "", "2026/11/23/", "late arrivals/", "ünï/cödé/", "a+b/", "100%/", "%2F/", "deep/" * 12),
    *("youtube_stats/", "youtube_stats_2/", "it's (odd)/", "=1+1/", "..hidden/", "x" * 120 + "/"),
)
_STEMS: Final = (
    "snapshot-{n}",
    "snapshot {n}",
    "s+{n}",
    "été-{n}",
    "{n}%20",
    "{n}.part.csv",
    "數據-{n}",
    "a&b=c;{n}",
)


def hostile_folder(seed: int, files: int, arrived_at: datetime) -> list[tuple[str, bytes]]:
    """Keys and stored bytes of so many files, in the order of their upload; the same for the same arguments.

    No key comes twice, some contents do. About two files in three are accepted whole or in part. The verdicts
    hold for every arrival from `arrived_at` to an hour later, under the default limits.

    Args:
        seed: of all chance.
        files: how many.
        arrived_at: when they will be uploaded, with a timezone.
    """
    rng = Random(seed)
    world = World.make(rng, files, arrived_at)
    folder: list[tuple[str, bytes]] = []
    for n in range(files):
        make = rng.choices([kind for kind, _ in _KINDS], [weight for _, weight in _KINDS])[0]
        extension, data = make(rng, world, arrived_at)
        if folder and rng.random() < 0.08:
            extension, data = _again(rng, folder)
        key = rng.choice(_FOLDERS) + rng.choice(_STEMS).format(n=f"{n:05}") + extension
        folder.append((key, data))
    return folder


def _again(rng: Random, folder: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    """The very bytes of an earlier file, under the extension that they had."""
    key, data = rng.choice(folder)
    for extension in (".csv.gz", ".csv.zst", ".csv"):
        if key.lower().endswith(extension):
            return extension, data
    return ".txt", data


def _snapshot(rng: Random, world: World, arrived_at: datetime, rows: int, bad: int) -> str:
    """The text of a snapshot with so many rows, so many of them to be rejected."""
    style = styles.Style(rng)
    rejected = set(rng.sample(range(rows), bad))
    records = [style.header()]
    for n, cells in enumerate(world.rows(rows)):
        spelled = styles.respelled(rng, cells) if rng.random() < 0.5 else dict(cells)
        if n not in rejected:
            records.append(style.record(spelled))
        elif rng.random() < 0.2:
            records.append(spoilers.spoiled_record(rng, style.record(spelled)))
        else:
            records.append(style.record(spoilers.spoiled_cells(rng, spelled, arrived_at)))
    return style.text(records)


def _good(rng: Random, world: World, arrived_at: datetime) -> tuple[str, bytes]:
    return styles.packed(rng, _snapshot(rng, world, arrived_at, rng.randint(1, 60), 0).encode())


def _few_rejects(rng: Random, world: World, arrived_at: datetime) -> tuple[str, bytes]:
    """As many as are allowed, or fewer."""
    rows = rng.randint(10, 80)
    return styles.packed(rng, _snapshot(rng, world, arrived_at, rows, rng.randint(1, rows // 10)).encode())


def _rejects_at_the_limit(rng: Random, world: World, arrived_at: datetime) -> tuple[str, bytes]:
    """Just as many as are allowed, or one more."""
    rows = 10 * rng.randint(1, 8)
    return styles.packed(rng, _snapshot(rng, world, arrived_at, rows, rows // 10 + rng.randint(0, 1)).encode())


def _many_rejects(rng: Random, world: World, arrived_at: datetime) -> tuple[str, bytes]:
    rows = rng.randint(1, 40)
    bad = rng.randint(math.ceil(rows / 5), rows)
    return styles.packed(rng, _snapshot(rng, world, arrived_at, rows, bad).encode())


def _no_rows(rng: Random, world: World, arrived_at: datetime) -> tuple[str, bytes]:
    return styles.packed(rng, spoilers.without_rows(styles.Style(rng)).encode())


def _bad_file(rng: Random, world: World, arrived_at: datetime) -> tuple[str, bytes]:
    return rng.choice(spoilers.FILES)(rng, _snapshot(rng, world, arrived_at, rng.randint(1, 20), 0))


_Maker = Callable[[Random, World, datetime], tuple[str, bytes]]
_KINDS: Final[tuple[tuple[_Maker, int], ...]] = (
    (_good, 55),
    (_few_rejects, 13),
    (_rejects_at_the_limit, 5),
    (_many_rejects, 4),
    (_no_rows, 2),
    (_bad_file, 21),
)
