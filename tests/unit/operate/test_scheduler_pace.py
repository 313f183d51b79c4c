"""The scheduler's pace: quick after a change, steady during long work, and slow only while it can hear of uploads."""

import time
from typing import Any

import pytest

from minidata.settings import Settings
from operate.embedded.airflow import pace
from operate.embedded.airflow.pace import QUICK, SLOW, STEADY, Pace


class Clock:
    """Time that only passes while the pace waits; an announcement may come while it listens."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.waits, self.announced = 100.0, list[float](), False
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "sleep", self.wait)
        monkeypatch.setattr(pace.psycopg, "connect", lambda *_, **__: self)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)

    def execute(self, _: str) -> None:
        pass

    def notifies(self, timeout: float, stop_after: int) -> list[Any]:
        self.wait(0.0 if self.announced else timeout)
        return [1] * stop_after if self.announced else []


def test_the_pace_follows_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    paces = Pace(Settings(loader_password="x"))

    def over(work: frozenset[str], seconds: float) -> set[float]:
        clock.waits.clear()
        until = clock.now + seconds
        while clock.now < until:
            paces.rest(work)
        return set(clock.waits)

    over(frozenset(), 10)
    assert over(frozenset(), 5) == {SLOW}
    assert over(frozenset({"a"}), 2) == {QUICK}
    assert over(frozenset({"b"}), 2) == {QUICK}
    over(frozenset({"b"}), 2)
    assert over(frozenset({"b"}), 2) == {STEADY}
    over(frozenset(), 10)
    clock.announced = True
    paces.rest(frozenset())
    clock.announced = False
    assert over(frozenset(), 2) == {QUICK}
