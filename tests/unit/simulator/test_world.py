"""The invented world: repeatable, believable, and never out of contract."""

import math
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import linear_regression, median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minidata.errors import PermanentError
from simulator.snapshot import Row, cells, to_csv
from simulator.world import World
from tests.oracle.verdict import judge

START = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(days=1)


def world(seed: int = 1, **size: int) -> World:
    return World(seed, START, **({"channels": 12, "videos": 80} | size))


def after(passed: timedelta, seed: int = 1, **size: int) -> World:
    moved = world(seed, **size)
    moved.advance(START + passed)
    return moved


def broken_rules(row: Row) -> list[str]:
    """The rules of the raw file for the values of a row, written down once more."""
    broken = [name for name, text in zip(row._fields[:3], row[:3], strict=True) if not 1 <= len(text.strip()) <= 255]
    broken += [name for name in row._fields if name.startswith(("total", "channel_sub")) and getattr(row, name) < 0]
    if len(row.description) > 10_000:
        broken.append("description")
    if any(character < " " and character not in "\t\r\n" for text in (*row[:3], row.description) for character in text):
        broken.append("control character")
    if not row.date_created <= row.date_updated:
        broken.append("date_updated")
    if not row.total_dislikes <= row.total_likes <= row.total_views:
        broken.append("more likes than views, or dislikes than likes")
    return broken


def test_the_same_seed_and_instant_make_the_same_bytes() -> None:
    first, second = (to_csv(cells(after(3 * DAY).snapshot())) for _ in range(2))
    assert first == second


def test_another_seed_makes_another_world() -> None:
    ids = [{row.video_id for row in world(seed).snapshot()} for seed in (1, 2)]
    assert not ids[0] & ids[1]


def test_the_bytes_do_not_depend_on_the_hash_seed_of_the_process() -> None:
    program = (
        "import hashlib; from datetime import *; from simulator.world import World; from simulator.snapshot import *;"
        "w = World(7, datetime(2026, 1, 1, tzinfo=UTC), channels=5, videos=30); w.advance(w.now + timedelta(days=9));"
        "print(hashlib.sha256(to_csv(cells(w.snapshot()))).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 200_000), min_size=1, max_size=6))
def test_the_steps_on_the_way_change_nothing(steps: list[int]) -> None:
    stepped = world(channels=4, videos=20)
    for step in steps:
        stepped.advance(stepped.now + timedelta(seconds=step))
        stepped.snapshot()
    assert stepped.snapshot() == after(timedelta(seconds=sum(steps)), channels=4, videos=20).snapshot()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 100_000), min_size=1, max_size=12))
def test_views_likes_and_dislikes_never_fall(seed: int, steps: list[int]) -> None:
    moving = world(seed, channels=4, videos=20)
    snapshots = [moving.snapshot()]
    for step in steps:
        moving.advance(moving.now + timedelta(seconds=step))
        snapshots.append(moving.snapshot())
    for before, now in pairwise(snapshots):
        old = {row.video_id: row for row in before}
        fallen = [
            name
            for row in now
            if row.video_id in old
            for name in ("total_views", "total_likes", "total_dislikes")
            if getattr(row, name) < getattr(old[row.video_id], name)
        ]
        assert fallen == []
        assert old.keys() <= {row.video_id for row in now}


def test_an_earlier_instant_can_be_counted_again() -> None:
    moving = after(timedelta(hours=5))
    seen = moving.snapshot()
    moving.advance(START + 4 * DAY)
    assert moving.snapshot(START + timedelta(hours=5)) == seen


@pytest.mark.parametrize("seed", range(4))
def test_every_row_keeps_the_contract(seed: int) -> None:
    rows = after(5 * DAY, seed, channels=60, videos=500).snapshot()
    assert {rule for row in rows for rule in broken_rules(row)} == set()
    verdict = judge("snapshot.csv", to_csv(cells(rows)), START + 5 * DAY)
    assert (verdict.reason, verdict.rows_rejected, len(verdict.rows)) == (None, 0, len(rows))


def test_ids_look_like_the_real_ones_and_come_once() -> None:
    rows = after(3 * DAY, channels=60, videos=500).snapshot()
    assert max(Counter(row.video_id for row in rows).values()) == 1
    assert {len(row.video_id) for row in rows} == {11}
    assert {(len(row.channel_id), row.channel_id[:2]) for row in rows} == {(24, "UC")}
    assert len({row.channel_name for row in rows}) == len({row.channel_id for row in rows})


def test_descriptions_hold_what_breaks_careless_readers() -> None:
    text = "\0".join(row.description + row.channel_name for row in world(channels=40, videos=400).snapshot())
    for hard in (",", '"', "\n", "🎮", "東", "ب", "ह", "강", "é"):
        assert hard in text


def test_it_starts_with_as_many_channels_and_videos_as_asked() -> None:
    for channels, videos in ((1, 1), (5, 3), (12, 80), (60, 500)):
        made = world(channels=channels, videos=videos)
        assert (len(made.channels), len(made.snapshot())) == (channels, videos)


def test_popularity_follows_zipfs_law() -> None:
    views = sorted((row.total_views for row in after(2 * DAY, channels=40, videos=500).snapshot()), reverse=True)[:250]
    slope = linear_regression([math.log(rank) for rank in range(1, 251)], [math.log(number) for number in views]).slope
    assert -1.15 < slope < -0.8


def test_likes_and_dislikes_stay_in_their_bands() -> None:
    rows = [row for row in after(2 * DAY, channels=40, videos=500).snapshot() if row.total_views > 50_000]
    liked = [row.total_likes / row.total_views for row in rows]
    disliked = [row.total_dislikes / row.total_likes for row in rows]
    assert min(liked) > 0.0099
    assert max(liked) <= 0.08
    assert 0.02 < median(liked) < 0.05
    assert min(disliked) > 0.0095
    assert max(disliked) <= 0.10
    assert 0.02 < median(disliked) < 0.05


def test_channels_differ_in_how_they_are_liked() -> None:
    views, likes = Counter[str](), Counter[str]()
    for row in world(channels=40, videos=500).snapshot():
        views[row.channel_id] += row.total_views
        likes[row.channel_id] += row.total_likes
    ratios = [likes[channel] / views[channel] for channel in views]
    assert max(ratios) > 2 * min(ratios)


def test_more_is_watched_in_the_evening_than_before_dawn() -> None:
    moving = after(4 * DAY, channels=40, videos=400)
    berlin = {channel.channel_id for channel in moving.channels if channel.utc_offset == 1}

    def watched(begin: timedelta, end: timedelta) -> int:
        early, late = (
            sum(row.total_views for row in moving.snapshot(START + at) if row.channel_id in berlin)
            for at in (begin, end)
        )
        return late - early

    hour = timedelta(hours=1)
    evening = sum(watched(day * DAY + 18 * hour, day * DAY + 21 * hour) for day in range(4))
    night = sum(watched(day * DAY + 2 * hour, day * DAY + 5 * hour) for day in range(4))
    assert evening > 3 * night


def test_new_videos_are_published_at_about_the_rate_and_grow_from_nothing() -> None:
    days = 10
    moving = after(days * DAY, channels=40, videos=400)
    new = [row for row in moving.snapshot() if row.date_created > START]
    assert 0.6 * 24 * days < len(new) < 1.4 * 24 * days
    assert all(row.total_views > 0 for row in new if row.date_created < START + (days - 1) * DAY)
    for row in new[:5]:
        (at_birth,) = (r for r in moving.snapshot(row.date_created) if r.video_id == row.video_id)
        assert at_birth.total_views == 0


def test_subscribers_follow_views_and_may_fall() -> None:
    moving = after(7 * DAY, channels=40, videos=400)
    before, now = (
        {row.channel_id: row.channel_subscribers for row in moving.snapshot(at)} for at in (START, START + 7 * DAY)
    )
    changes = [now[channel] / before[channel] - 1 for channel in before]
    assert any(change > 0 for change in changes)
    assert any(change < 0 for change in changes)
    assert min(changes) > -0.01


def test_bursts_come_lift_their_video_and_pass() -> None:
    moving = after(2 * DAY, channels=40, videos=400)
    bursts = moving.bursts(least=2)
    assert bursts
    strongest = bursts[0]
    moving.advance(START + 60 * DAY)
    later = {(viral.video.video_id, viral.began): viral.lift for viral in moving.bursts(least=0)}
    assert later[strongest.video.video_id, strongest.began] < strongest.lift / 2


def test_a_world_of_nothing_is_refused() -> None:
    with pytest.raises(PermanentError, match="MDP_SIMULATOR_VIDEOS"):
        World(1, START, channels=3, videos=0)


def test_time_does_not_run_back() -> None:
    moving = after(DAY)
    with pytest.raises(ValueError, match="cannot go back"):
        moving.advance(START)
    with pytest.raises(ValueError, match="advance it"):
        moving.snapshot(START + 2 * DAY)


def test_an_instant_without_a_timezone_is_refused() -> None:
    with pytest.raises(ValueError, match="timezone"):
        World(1, START.replace(tzinfo=None))
