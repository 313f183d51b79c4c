"""What the doctor reports: a line for each check."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import psycopg

from minidata.errors import PlatformError
from operate.problems import Problem

Hop = tuple[str, Callable[[], str], str]  # its name, the try (a figure, or an error of ours), and the fix
Outcome = Literal["ok", "failed", "skipped"]


@dataclass(frozen=True)
class Check:
    """One line of the report.

    Attributes:
        name: what was checked.
        outcome: `ok`, `failed`, or `skipped` if it could not be tried.
        figure: what was measured or found.
        fix: what helps, if it failed.
        code: of the problem behind it, for scripts.
    """

    name: str
    outcome: Outcome
    figure: str
    fix: str = ""
    code: str = ""


def failed(name: str, problem: Problem) -> Check:
    """Return the line of a problem."""
    return Check(name, "failed", problem.message, problem.fix, problem.code)


def walk(hops: Sequence[Hop]) -> Iterator[Check]:
    """Try hops in their order; those after one that fails are skipped."""
    broken = False
    for name, try_it, fix in hops:
        if broken:
            yield Check(name, "skipped", "not reached")
            continue
        began = time.monotonic()
        try:
            figure = try_it()
        except (PlatformError, psycopg.Error) as error:
            broken = True
            yield Check(name, "failed", " ".join(str(error).split()), fix, f"hop_{name}")
        else:
            yield Check(name, "ok", f"{figure}, {(time.monotonic() - began) * 1000:.0f} ms")
