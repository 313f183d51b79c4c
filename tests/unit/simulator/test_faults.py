"""Dial-a-fault: reading the dials, and what each fault does to a file."""

import gzip
import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
import zstandard

from minidata.errors import PermanentError
from simulator.faults import FAULTS, HUGE_INSTANTS, NO_FAULTS, Delivery, Faults, Outbox, deliver, parse_faults, pick
from simulator.snapshot import cells, to_csv
from simulator.spoiled import BAD_ROWS, CONTENT_FAULTS, MALFORMED, spoil_row
from simulator.world import World
from tests.oracle.verdict import Verdict, judge

START = datetime(2026, 11, 23, tzinfo=UTC)
NOW = START + timedelta(hours=2)
WORLD = World(3, START, channels=6, videos=50)
WORLD.advance(NOW)
ROWS = WORLD.snapshot()
GOOD = to_csv(cells(ROWS))


def delivered(fault: str, sequence: int = 0) -> list[Delivery]:
    return made(sequence, {fault: 1.0})


def made(sequence: int, faults: Faults, seed: int = 1) -> list[Delivery]:
    return deliver(ROWS, sequence, NOW, earlier=WORLD.snapshot, faults=faults, seed=seed)


def judged(delivery: Delivery) -> Verdict:
    return judge(delivery.key, delivery.data, NOW)


def test_dials_are_read() -> None:
    assert parse_faults(" malformed=0.1, late = 0.05 ") == {"malformed": 0.1, "late": 0.05}
    assert parse_faults("") == parse_faults("none") == NO_FAULTS == {}


def test_some_is_a_little_of_everything_and_can_be_turned() -> None:
    some = parse_faults("some")
    assert some.keys() == set(FAULTS)
    assert all(0 < rate <= 0.05 for rate in some.values())
    turned = parse_faults("some,huge=0,bom=0.5")
    assert (turned["huge"], turned["bom"], turned["late"]) == (0, 0.5, some["late"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("malfromed=0.1", "Did you mean `malformed`"),
        ("gremlins", "There is no fault `gremlins`"),
        ("late=1.5", "needs a rate in 0 … 1, not `1.5`"),
        ("late=-0.1", "needs a rate"),
        ("late=nan", "needs a rate"),
        ("late=often", "not `often`"),
        ("late", "write `late=0.05`"),
        ("late=0.6,empty=0.5", "sum to 1.1"),
    ],
)
def test_wrong_dials_say_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(PermanentError, match=message):
        parse_faults(text)


def test_faults_befall_their_share_of_the_snapshots() -> None:
    faults, draw = {"late": 0.2, "empty": 0.1}, Random(1)
    drawn = Counter(pick(faults, draw) for _ in range(5000))
    assert 850 < drawn["late"] < 1150
    assert 400 < drawn["empty"] < 600
    assert drawn[None] == 5000 - drawn["late"] - drawn["empty"]


def test_a_fault_depends_on_seed_and_number_alone() -> None:
    some = parse_faults("malformed=0.5,drifted=0.5")
    forwards = [made(number, some, 5) for number in range(20)]
    backwards = [made(number, some, 5) for number in reversed(range(20))]
    assert forwards == backwards[::-1]
    assert forwards != [made(number, some, 6) for number in range(20)]


def test_without_faults_the_file_is_the_snapshot() -> None:
    (delivery,) = made(7, NO_FAULTS)
    assert delivery == Delivery("youtube_stats/2026-11-23/020000-00000007.csv", GOOD, len(ROWS))


@pytest.mark.parametrize("fault", FAULTS)
def test_every_delivery_names_its_fault(fault: str) -> None:
    assert delivered(fault)[-1].fault == fault


def test_late_and_out_of_order_files_are_good_but_held_back() -> None:
    for number in range(20):
        (late,), (swapped,) = delivered("late", number), delivered("out_of_order", number)
        assert late.data == swapped.data == GOOD
        assert 4 <= late.hold <= 40
        assert swapped.hold == 1


def test_a_duplicate_has_the_same_bytes_under_the_same_or_another_key() -> None:
    pairs = [delivered("duplicate", number) for number in range(20)]
    assert all(first.data == second.data == GOOD for first, second in pairs)
    assert {first.key == second.key for first, second in pairs} == {True, False}


def test_a_drifted_file_is_accepted_whole() -> None:
    drifts, moved = Counter[str](), 0
    for number in range(40):
        (delivery,) = delivered("drifted", number)
        verdict = judged(delivery)
        assert (verdict.reason, verdict.rows_rejected) == (None, 0)
        assert delivery.data != GOOD
        drifts.update(verdict.drift)
        moved += not verdict.drift
    assert moved
    assert {"comment_count", ""} <= drifts.keys()


@pytest.mark.parametrize("kind", MALFORMED)
def test_each_kind_of_malformed_file_is_condemned_for_its_reason(kind: str) -> None:
    reason, suffix, make = MALFORMED[kind]
    for number in range(10):
        assert judge("snapshot" + suffix, make(ROWS, Random(number)), NOW).reason == reason
        assert judge("snapshot" + suffix, make(ROWS[:1], Random(number)), NOW).reason == reason


def test_malformed_files_are_of_many_kinds_and_all_condemned() -> None:
    reasons = {judged(delivered("malformed", number)[0]).reason for number in range(60)}
    assert None not in reasons
    assert len(reasons) >= 6


@pytest.mark.parametrize("code", [*BAD_ROWS, "wrong_cell_count"])
def test_each_bad_row_breaks_its_rule_and_no_other(code: str) -> None:
    for number in range(30):
        table = cells(ROWS)
        table[11] = spoil_row(ROWS[11], code, Random(number))
        verdict = judge("snapshot.csv", to_csv(table), NOW)
        assert (verdict.reason, verdict.counts, verdict.rows_rejected) == (None, {code: 1}, 1)


@pytest.mark.parametrize("fault", CONTENT_FAULTS)
def test_each_fault_of_the_content_is_judged_as_it_says(fault: str) -> None:
    for number in range(10):
        assert (judged(delivered(fault, number)[0]).reason or "") == CONTENT_FAULTS[fault].reason


def test_a_few_bad_rows_do_not_condemn_the_file() -> None:
    codes = Counter[str]()
    for number in range(60):
        verdict = judged(delivered("bad_rows", number)[0])
        assert verdict.reason is None
        assert 1 <= verdict.rows_rejected <= len(ROWS) * 0.05
        codes.update(verdict.counts)
    assert codes.keys() == {*BAD_ROWS, "wrong_cell_count"}


def test_a_huge_file_holds_true_counts_of_the_minutes_before() -> None:
    (delivery,) = delivered("huge")
    verdict = judged(delivery)
    assert (verdict.reason, verdict.rows_rejected) == (None, 0)
    assert delivery.rows == verdict.rows_total > len(ROWS) * (HUGE_INSTANTS - 5)
    assert len({row.date_updated for row in verdict.rows}) == HUGE_INSTANTS


def test_an_empty_file_and_a_skewed_clock_are_condemned() -> None:
    for number in range(10):
        assert judged(delivered("empty", number)[0]).reason == "empty_file"
        skewed = judged(delivered("skewed_clock", number)[0])
        assert (skewed.reason, skewed.counts) == ("too_many_rejected_rows", {"future_timestamp": len(ROWS)})


def test_a_byte_order_mark_changes_nothing_else() -> None:
    (delivery,) = delivered("bom")
    assert delivery.data == b"\xef\xbb\xbf" + GOOD
    assert judged(delivery).rows_total == len(ROWS)


def test_compressed_files_hold_the_snapshot() -> None:
    for number in range(10):
        (gz,), (zst,) = delivered("gzip", number), delivered("zstd", number)
        assert gz.key.endswith(".csv.gz")
        assert zst.key.endswith(".csv.zst")
        assert gzip.decompress(gz.data) == GOOD
        reader = zstandard.ZstdDecompressor().stream_reader(zst.data, read_across_frames=True)
        assert reader.read() == GOOD


def test_the_outbox_holds_deliveries_back_as_long_as_they_ask() -> None:
    def held(key: str, hold: int = 0) -> Delivery:
        return Delivery(key, b"", 0, hold=hold)

    outbox, order = Outbox(), []
    for number, hold in enumerate((0, 1, 0, 3, 0, 0, 0, 9)):
        order += [delivery.key for delivery in outbox.post(number, [held(str(number), hold)])]
    assert order == ["0", "2", "1", "4", "5", "6", "3"]
    assert [delivery.key for delivery in outbox.post(math.inf)] == ["7"]
    assert outbox.post(math.inf) == []
