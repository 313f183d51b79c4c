"""Runs rounds of chaos against a PostgreSQL and an object store of its own, and prints a table.

Each round uploads a few files, plants one kind of fault in the workers that load them, waits until everything has
settled, and compares the ledger, the buckets and every cell of every table with an independent calculation.
"""

import argparse
import json
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from tests.chaos.arena import Round
from tests.chaos.audit import differences
from tests.chaos.kinds import KINDS
from tests.chaos.servers import Servers
from tests.integration.conftest import started


@dataclass(frozen=True)
class Outcome:
    """What one round gave: its kind and seed, what happened, and what differs from a run without faults."""

    kind: str
    seed: int
    notes: list[str]
    differences: list[str]
    seconds: float


def play(servers: Servers, kind: str, seed: int) -> Outcome:
    """Play one round."""
    began = time.monotonic()
    world = Round(servers, seed)
    try:
        KINDS[kind](world)
        world.settle()
        found = differences(world)
    except Exception as error:  # noqa: BLE001  it is what the round found
        last = traceback.extract_tb(error.__traceback__)[-1]
        found = [f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {error}"]
        world.end()
    return Outcome(kind, seed, world.notes, found, round(time.monotonic() - began, 1))


def play_pair(servers: Servers, first: str, second: str) -> Outcome:
    """Stop a worker at one point, another at a second; the first goes on to its end, then the second."""
    began = time.monotonic()
    world = Round(servers, 0, files=3)
    one = world.start("stop", first)
    one.reached(5)
    world.time_passes()
    other = world.start("stop", second)
    other.reached(5)
    one.go_on()
    one.join(2)
    other.go_on()
    try:
        world.settle()
        found = differences(world)
    except AssertionError as error:
        found = [str(error)]
        world.end()
    return Outcome("pairs of fault points", 0, [first, second], found, round(time.monotonic() - began, 1))


def fault_points(servers: Servers) -> list[str]:
    """Return the names of all points that a worker passes with three files."""
    world = Round(servers, 0, files=3)
    worker = world.start()
    worker.join()
    world.settle()
    return list(dict.fromkeys(worker.passed))


def rounds(servers: Servers, chosen: list[str], count: int, seed: int) -> Iterator[Outcome]:
    """Play so many rounds, the kinds in turn."""
    for number in range(count):
        yield play(servers, chosen[number % len(chosen)], seed + number)


def pairs(servers: Servers, count: int | None, seed: int) -> Iterator[Outcome]:
    """Play every pair of fault points, or every so manieth."""
    points = fault_points(servers)
    every = list(product(points, points))
    step = max(1, len(every) // count) if count else 1
    for first, second in every[seed % step :: step]:
        yield play_pair(servers, first, second)


def table(outcomes: list[Outcome]) -> str:
    """Return the report: rounds, differences and seconds of each kind."""
    by_kind: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_kind[outcome.kind].append(outcome)
    lines = ["| kind | rounds | with a difference | seconds |", "| --- | ---: | ---: | ---: |"]
    for kind, its in by_kind.items():
        bad = sum(bool(outcome.differences) for outcome in its)
        lines.append(f"| {kind} | {len(its)} | {bad} | {sum(outcome.seconds for outcome in its):.0f} |")
    bad = sum(bool(outcome.differences) for outcome in outcomes)
    return "\n".join([*lines, f"| **{len(by_kind)} kinds** | **{len(outcomes)}** | **{bad}** | |"])


def main() -> int:
    """Run the rounds; the exit code is 1 if one found a difference."""
    parser = argparse.ArgumentParser(prog="./mdp dev chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="number of rounds (default 40)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first round; the next one has the next")
    parser.add_argument("--kind", help="only the kinds whose names hold this text")
    parser.add_argument("--pairs", action="store_true", help="every pair of fault points; --rounds takes a sample")
    parser.add_argument("--minutes", type=float, default=600, help="begin no round after so long")
    parser.add_argument("--json", action="store_true", help="print one JSON object per round")
    options = parser.parse_args()
    kinds = [kind for kind in KINDS if (options.kind or "") in kind]
    if not kinds:
        parser.error(f"no kind holds {options.kind!r}. Kinds: {'; '.join(KINDS)}")
    outcomes = []
    deadline = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory(prefix="mdp-chaos-") as folder, started(Path(folder) / "state") as state:
        servers = Servers(state)
        every_pair = pairs(servers, options.rounds, options.seed) if options.pairs else None
        played = every_pair or rounds(servers, kinds, options.rounds, options.seed)
        for outcome in played:
            outcomes.append(outcome)
            if options.json:
                print(json.dumps(asdict(outcome)), flush=True)
            else:
                sign = "DIFFERS" if outcome.differences else "same"
                print(
                    f"{sign:8}{outcome.seconds:5.1f} s  seed {outcome.seed}  {outcome.kind}  {outcome.notes}",
                    flush=True,
                )
                print(*(f"        {line}\n" for line in outcome.differences), sep="", end="", flush=True)
            if time.monotonic() > deadline:
                break
    if not options.json:
        print(f"\n{table(outcomes)}")
    return int(any(outcome.differences for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
