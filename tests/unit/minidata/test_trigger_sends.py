"""The trigger's event leaves Airflow's runner at once, and not at its next look."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from airflow.jobs.triggerer_job_runner import TriggerRunner

from minidata.events import trigger
from minidata.ledger import Waiting


class Runner:
    """What `run_trigger` of Airflow's runner does with the events of a trigger."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    async def run_trigger(self, watch: trigger.SnapshotTrigger) -> None:
        async for event in watch.run():
            await asyncio.sleep(0)
            self.events.append(event)

    async def until_woken(self, watch: trigger.SnapshotTrigger) -> bool:
        """Wait as the runner does between two looks; return whether it would go on."""
        self._stop_event = anyio.Event()
        task = asyncio.create_task(self.run_trigger(watch))
        await asyncio.wait_for(self._stop_event.wait(), 30)
        task.cancel()
        return not self._stop_event.is_set()


def test_an_event_ends_the_wait_of_the_runner_and_not_the_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    async def watch(*_: object) -> AsyncIterator[Waiting]:
        yield Waiting(1, 1, 1, 0)
        await asyncio.sleep(60)

    monkeypatch.setattr(trigger, "_watch", watch)
    runner = Runner()
    assert asyncio.run(runner.until_woken(trigger.SnapshotTrigger("youtube_stats")))
    assert len(runner.events) == 1


def test_airflow_still_waits_where_the_trigger_ends_the_wait() -> None:
    source = inspect.getsource(TriggerRunner.arun)
    assert "stop_event = self._stop_event = anyio.Event()" in source
    assert "await stop_event.wait()" in source
    assert "self.events.append" in inspect.getsource(TriggerRunner.run_trigger)
