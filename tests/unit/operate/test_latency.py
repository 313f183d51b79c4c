"""The stages of a run add up to the time from its upload to its commit."""

from datetime import UTC, datetime, timedelta

from minidata.ledger import RunTimes
from operate.embedded.airflow.latency import STAGES, _Task, stages_of

START = datetime(2026, 11, 26, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_every_tenth_of_a_second_is_in_one_stage() -> None:
    times = RunTimes("d", "run", 1, arrived_at=at(0), registered_at=at(0.1), loaded_at=at(1.5))
    tasks = [_Task(at(n), at(n + 0.1), at(n + 0.2)) for n in (0.4, 0.7, 1.0, 1.3)]
    found = stages_of(times, at(0.2), at(0.3), tasks)
    assert list(found) == list(STAGES)
    expected = {"event": 0.1, "trigger": 0.1, "scheduler": 0.5, "start": 0.4, "load": 0.1}
    assert {name: round(seconds, 6) for name, seconds in found.items()} == (
        dict.fromkeys(("extract", "validate", "transform"), 0.1) | expected
    )
    # An event of a run that had waited, or none at all, leaves nothing out either.
    for event in (None, at(-5), at(9)):
        assert round(sum(stages_of(times, event, at(0.3), tasks).values()), 6) == 1.5
