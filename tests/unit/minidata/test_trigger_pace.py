"""The trigger fires when the waiting set changes and while it stays unclaimed, and never in a storm."""

from minidata.events.trigger import Pace, SnapshotTrigger, Turns
from minidata.ledger import Waiting

IDLE = Waiting(0, 0, 0, 0)
ONE = Waiting(1, 7, 7, 0)
TWO = Waiting(2, 8, 7, 0)


def test_it_fires_at_once_for_new_work_and_again_only_after_a_while() -> None:
    pace = Pace(wake_seconds=5, reconcile_seconds=30)
    assert not pace.fires(IDLE, 0)
    assert pace.fires(ONE, 1)
    assert not pace.fires(ONE, 5.9)
    assert pace.fires(TWO, 5.95)
    assert not pace.fires(TWO, 10.5)
    assert pace.fires(TWO, 11)


def test_while_a_batch_is_alive_it_waits_longer_but_not_forever() -> None:
    pace = Pace(wake_seconds=5, reconcile_seconds=30)
    busy = Waiting(1, 7, 7, 1)
    assert pace.fires(busy, 0)
    assert not pace.fires(busy, 29)
    assert pace.fires(busy, 30)


def test_the_same_file_that_comes_back_fires_again_at_once() -> None:
    pace = Pace(wake_seconds=5, reconcile_seconds=30)
    assert pace.fires(ONE, 0)
    assert not pace.fires(IDLE, 1)
    assert pace.fires(ONE, 2)


def test_the_first_look_lists_everything_and_then_every_interval() -> None:
    turns = Turns()
    listed = []
    for now in (0.0, 10.0, 29.9, 30.0, 59.0, 60.0):
        if full := turns.full_listing_due(now, 30):
            listed.append(now)
        turns.looked(now, full=full)
    assert listed == [0.0, 30.0, 60.0]


def test_a_listing_that_failed_stays_due_and_who_starts_again_lists_at_once() -> None:
    turns = Turns()
    assert turns.full_listing_due(0, 30)
    assert turns.full_listing_due(1, 30), "the first one failed"
    turns.looked(1, full=True)
    turns.looked(2, full=False)
    assert not turns.full_listing_due(2, 30)
    turns.list_again()
    assert turns.full_listing_due(2, 30)


def test_airflow_can_make_the_trigger_again_from_what_it_keeps() -> None:
    path, arguments = SnapshotTrigger("youtube_stats").serialize()
    assert path == f"{SnapshotTrigger.__module__}.{SnapshotTrigger.__qualname__}"
    assert SnapshotTrigger(**arguments).dataset == "youtube_stats"
