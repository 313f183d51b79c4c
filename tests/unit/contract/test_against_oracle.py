"""Validation and the oracle implement one contract independently: they agree on every file."""

from datetime import datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.corpus.cases import CASES, Case
from tests.oracle import strategies
from tests.oracle.hostile import hostile_folder
from tests.unit.contract.checking import ARRIVED_AT, HEADER, ROW, assert_as_the_oracle, run

SIZES = st.sampled_from((1, 24, 100, 800, 1 << 20))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_case_of_the_corpus_gets_its_verdict(case: Case) -> None:
    data = case.build()
    slice_bytes = 64 if len(data) < 4096 else 1 << 16  # a slice for nearly every record, where that is quick
    outcome = assert_as_the_oracle(
        case.key,
        data,
        share=case.max_rejected_share,
        max_file_bytes=case.max_file_bytes,
        slice_bytes=slice_bytes,
    )
    expected = case.expected()
    assert outcome.code == expected.reason
    assert outcome.verdict.counts == expected.counts


@pytest.mark.parametrize("seed", range(4))
def test_each_file_of_a_hostile_folder_gets_the_oracles_verdict(seed: int) -> None:
    for n, (key, data) in enumerate(hostile_folder(seed, 60, ARRIVED_AT)):
        assert_as_the_oracle(key, data, slice_bytes=(64, 500, 4000, 1 << 24)[n % 4], chunk=(1, 100, 1 << 20)[n % 3])


@settings(max_examples=150, deadline=None)
@given(strategies.hostile_files(ARRIVED_AT), SIZES, SIZES)
def test_any_file_gets_the_oracles_verdict(file: tuple[str, bytes], slice_bytes: int, chunk: int) -> None:
    assert_as_the_oracle(*file, slice_bytes=slice_bytes, chunk=chunk)


@settings(max_examples=150, deadline=None)
@given(strategies.snapshots(ARRIVED_AT), SIZES, SIZES)
def test_any_snapshot_gets_the_oracles_verdict(data: bytes, slice_bytes: int, chunk: int) -> None:
    assert_as_the_oracle("a.csv", data, slice_bytes=slice_bytes, chunk=chunk, share=1)


@settings(max_examples=150, deadline=None)
@given(st.text('a,"\n\r\x01 ', max_size=30), SIZES, SIZES)
@example('x"x,"\n",\n', 1, 1)
@example('a"', 4, 1)
def test_any_arrangement_of_quotes_gets_the_oracles_verdict(soup: str, slice_bytes: int, chunk: int) -> None:
    data = f"{HEADER},rest\n{ROW},{soup}\n{ROW},x\n".encode()
    assert_as_the_oracle("a.csv", data, slice_bytes=slice_bytes, chunk=chunk, share=1)


@settings(max_examples=100, deadline=None)
@given(strategies.snapshots(ARRIVED_AT), SIZES, SIZES)
def test_neither_the_chunks_nor_the_slices_change_a_verdict(data: bytes, slice_bytes: int, chunk: int) -> None:
    whole, pieces = run(data), run(data, slice_bytes=slice_bytes, chunk=chunk)
    assert whole.verdict == pieces.verdict
    assert whole.rejects == pieces.rejects
    assert sorted(whole.rows, key=repr) == sorted(pieces.rows, key=repr)


@pytest.mark.parametrize("arrived_at", [ARRIVED_AT, ARRIVED_AT.replace(tzinfo=None)], ids=["aware", "naive"])
def test_an_arrival_without_a_time_zone_is_utc(arrived_at: datetime) -> None:
    late = ROW.rsplit(",", 1)[0] + ",2026-11-24 12:00:00"
    later = late + ".000001"
    outcome = run(f"{HEADER}\n{late}\n{later}\n".encode(), share=1, arrived_at=arrived_at)
    assert outcome.verdict.counts == {"future_timestamp": 1}
