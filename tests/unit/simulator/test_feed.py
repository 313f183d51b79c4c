"""The feed: a history once, then a snapshot at every tick, through restarts and outages."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from minidata.errors import PermanentError, TransientError
from minidata.settings import Settings
from simulator.feed import HISTORY_FILE, HISTORY_STEP, RETRY, Feed, FeedState
from tests.oracle.verdict import Row, judge

FIRST_START = datetime(2026, 11, 23, 12, 0, 4, tzinfo=UTC)
HOURS = 2


class FakeClock:
    """Time passes only when the feed waits, and stops after so many seconds."""

    def __init__(self, now: datetime, lasts: float) -> None:
        self._now, self._end = now, now + timedelta(seconds=lasts)
        self.waits: list[float] = []

    def now(self) -> datetime:
        return self._now

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self._now += timedelta(seconds=seconds)
        return self._now >= self._end


class FakeStore:
    """Keeps every put in order; `fails` may refuse one, and is asked before it."""

    def __init__(self, fails: Callable[[int], bool] = lambda _: False) -> None:
        self.puts: list[tuple[str, bytes]] = []
        self.calls = 0
        self._fails = fails

    def put(self, key: str, data: bytes) -> None:
        self.calls += 1
        if self._fails(self.calls):
            raise TransientError("The store is away.")
        self.puts.append((key, data))

    def keys(self) -> list[str]:
        return [key for key, _ in self.puts]

    def rows(self) -> list[Row]:
        return [row for key, data in self.puts for row in judge(key, data, FIRST_START + timedelta(days=9)).rows]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "simulator.json"


def feed(store: FakeStore, state: Path, clock: FakeClock, **options: object) -> Feed:
    plan: dict[str, object] = {"channels": 4, "videos": 20, "backfill_hours": HOURS} | options
    settings = Settings(**{f"simulator_{name}": value for name, value in plan.items()})  # type: ignore[arg-type]
    return Feed(store, state, settings, clock, clock.now)  # type: ignore[arg-type]


def test_the_first_start_delivers_the_history_then_ticks(state: Path) -> None:
    store = FakeStore()
    feed(store, state, FakeClock(FIRST_START, 60)).run()
    instants = sorted({row.date_updated.replace(tzinfo=UTC) for row in store.rows()})
    history, live = instants[: HOURS * 12], instants[HOURS * 12 :]
    assert history == [FIRST_START - HOURS * timedelta(hours=1) + step * HISTORY_STEP for step in range(1, 25)]
    assert [f"{instant:%H:%M:%S}" for instant in live] == ["12:00:15", "12:00:30", "12:00:45", "12:01:00"]
    assert len(store.puts) == HOURS * 12 // HISTORY_FILE + 4
    assert store.keys() == sorted(set(store.keys()))


def test_nothing_in_the_feed_is_rejected_and_no_row_comes_twice(state: Path) -> None:
    store = FakeStore()
    feed(store, state, FakeClock(FIRST_START, 200)).run()
    verdicts = [judge(key, data, FIRST_START) for key, data in store.puts]
    assert {(verdict.reason, verdict.rows_rejected) for verdict in verdicts} == {(None, 0)}
    counted = [(row.video_id, row.date_updated) for row in store.rows()]
    assert len(counted) == len(set(counted))


def test_a_restart_continues_without_a_second_history(state: Path) -> None:
    store = FakeStore()
    feed(store, state, FakeClock(FIRST_START, 100)).run()
    before = len(store.puts)
    feed(store, state, FakeClock(FIRST_START + timedelta(hours=3), 46)).run()
    added = store.keys()[before:]
    assert [key.split("/")[2][:6] for key in added] == ["150015", "150030", "150045"]
    assert store.keys() == sorted(set(store.keys()))
    views: dict[str, int] = {}
    for row in store.rows():
        assert row.total_views >= views.get(row.video_id, 0)
        views[row.video_id] = row.total_views


def test_a_restarted_feed_tells_what_an_unbroken_one_tells(tmp_path: Path) -> None:
    unbroken, broken = FakeStore(), FakeStore()
    faults = "drifted=0.3,malformed=0.3,duplicate=0.3"
    feed(unbroken, tmp_path / "one.json", FakeClock(FIRST_START, 300), faults=faults).run()
    feed(broken, tmp_path / "two.json", FakeClock(FIRST_START, 137), faults=faults).run()
    feed(broken, tmp_path / "two.json", FakeClock(FIRST_START + timedelta(seconds=137), 163), faults=faults).run()
    assert broken.puts == unbroken.puts


@pytest.mark.parametrize("kill_at", range(1, 7))
def test_a_kill_before_any_put_leaves_one_history_and_repeats_only_equals(state: Path, kill_at: int) -> None:
    class Killed(BaseException):
        pass

    def kill(call: int) -> bool:
        if call == kill_at:
            raise Killed
        return False

    store = FakeStore(kill)
    clock = FakeClock(FIRST_START, 60)
    with pytest.raises(Killed):
        feed(store, state, clock).run()
    feed(store, state, clock).run()
    clean = FakeStore()
    feed(clean, state.with_name("clean.json"), FakeClock(FIRST_START, 60)).run()
    history = HOURS * 12 // HISTORY_FILE
    assert dict(store.puts[:history]) == dict(clean.puts[:history])
    content: dict[str, bytes] = {}
    for key, data in store.puts:
        assert content.setdefault(key, data) == data


def test_an_outage_is_survived_with_growing_pauses_and_two_lines_of_log(
    state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    store = FakeStore(lambda call: 3 <= call < 10)
    clock = FakeClock(FIRST_START, 300)
    feed(store, state, clock).run()
    assert clock.waits[1:8] == [1, 2, 4, *[RETRY[1]] * 4]
    assert sum("away" in record.message for record in caplog.records) == 1
    assert sum("back after 8 tries" in record.message for record in caplog.records) == 1
    assert store.keys()[2].endswith("/120015-00000002.csv")
    assert store.keys()[3].endswith("/120045-00000003.csv")


def test_a_stop_during_an_outage_is_obeyed_and_the_snapshot_is_not_counted(state: Path) -> None:
    store = FakeStore(lambda _: True)
    feed(store, state, FakeClock(FIRST_START, 20)).run()
    kept = FeedState.read(state)
    assert kept is not None
    assert (kept.sequence, kept.delivered) == (0, kept.epoch)


def test_a_refusal_ends_the_feed(state: Path) -> None:
    def refuse(_: int) -> bool:
        raise PermanentError("The key is wrong.")

    with pytest.raises(PermanentError, match="wrong"):
        feed(FakeStore(refuse), state, FakeClock(FIRST_START, 60)).run()


def test_late_files_come_later_and_keep_the_name_of_their_time(state: Path) -> None:
    store = FakeStore()
    feed(store, state, FakeClock(FIRST_START, 60 * 15), backfill_hours=0, faults="out_of_order=0.5").run()
    assert store.keys() != sorted(store.keys())
    assert len(store.keys()) == len(set(store.keys())) >= 58


def test_a_clock_that_was_set_back_repeats_nothing(state: Path) -> None:
    store = FakeStore()
    feed(store, state, FakeClock(FIRST_START, 60), backfill_hours=0).run()
    feed(store, state, FakeClock(FIRST_START - timedelta(seconds=120), 240), backfill_hours=0).run()
    assert store.keys() == sorted(set(store.keys()))
    assert store.keys()[-1].endswith("/120200-00000007.csv")


def test_without_a_history_there_is_none(state: Path) -> None:
    store = FakeStore()
    feed(store, state, FakeClock(FIRST_START, 16), backfill_hours=0).run()
    assert len(store.puts) == 1


def test_another_seed_begins_another_world(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = FakeStore()
    feed(store, state, FakeClock(FIRST_START, 10)).run()
    old = {row.video_id for row in store.rows()}
    store.puts.clear()
    feed(store, state, FakeClock(FIRST_START + timedelta(hours=1), 10), seed=2).run()
    assert not old & {row.video_id for row in store.rows()}
    assert "another world" in caplog.text


def test_a_spoilt_state_file_is_explained(state: Path) -> None:
    state.parent.mkdir()
    for spoilt in ("{", "[]", "{}", '{"seed": 1}'):
        state.write_text(spoilt, encoding="utf-8")
        with pytest.raises(PermanentError, match="Remove it"):
            feed(FakeStore(), state, FakeClock(FIRST_START, 1))


def test_the_state_is_replaced_whole(state: Path) -> None:
    feed(FakeStore(), state, FakeClock(FIRST_START, 60)).run()
    assert [path.name for path in state.parent.iterdir()] == [state.name]
    assert json.loads(state.read_text(encoding="utf-8"))["delivered"] == "2026-11-23T12:01:00+00:00"
