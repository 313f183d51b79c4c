"""The whole contract, on the real servers: states, reasons, entries and every cell of every table, as the oracle says.

The oracle is plain Python and shares no code with the platform.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.corpus.cases import CASES
from tests.integration.conftest import Pipeline
from tests.oracle.hostile import hostile_folder
from tests.oracle.tables import tables
from tests.oracle.verdict import Verdict, judge

Upload = tuple[str, bytes]


@dataclass(frozen=True)
class Outcome:
    """What the contract says of one file."""

    state: str
    reasons: list[str]
    rows_rejected: int
    counts: dict[str, int]
    drift: list[str]
    entries: list[dict[str, Any]]


def in_order(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort entries: the contract orders records, not the columns inside one."""
    return sorted(entries, key=lambda entry: (entry["line"], entry["column"] or "", entry["code"]))


def outcome(verdict: Verdict) -> Outcome:
    entries = in_order([entry._asdict() for entry in verdict.entries])
    if verdict.reason is None:
        return Outcome("archived", [], verdict.rows_rejected, verdict.counts, verdict.drift, entries)
    return Outcome("quarantined", [verdict.reason], verdict.rows_rejected, verdict.counts, verdict.drift, entries)


def found(pipeline: Pipeline) -> dict[str, Outcome]:
    outcomes = {}
    for file in pipeline.files():
        entries = pipeline.entries(file.key)
        row_entries = in_order([entry for entry in entries if entry["line"] is not None])
        outcomes[file.key] = Outcome(
            file.state, file.reasons, file.rows_rejected or 0, file.counts, file.drift, row_entries
        )
    return outcomes


def assert_as_the_oracle_says(pipeline: Pipeline, uploads: list[Upload]) -> None:
    arrived = {file.key: file.arrived_at for file in pipeline.files()}
    verdicts = {key: judge(key, content, arrived[key]) for key, content in uploads}
    expected = {key: outcome(verdict) for key, verdict in verdicts.items()}
    actual = found(pipeline)
    assert actual.keys() == expected.keys()
    assert {k: (actual[k], expected[k]) for k in actual if actual[k] != expected[k]} == {}
    contents = {content: verdicts[key].rows for key, content in uploads if verdicts[key].reason is None}
    expected_tables = tables(contents.values())
    for table, rows in pipeline.tables().items():
        assert rows == expected_tables[table], table
    assert pipeline.raw() == []


def everything(seed: int) -> list[Upload]:
    """Return a hostile folder and, in the first one, the whole corpus."""
    now = datetime.now(UTC)
    uploads = hostile_folder(seed, 60, now)
    if seed == 0:
        cases = [case for case in CASES if case.default_settings and not case.exact_arrival]
        uploads += [(case.key, case.build(now)) for case in cases]
    return uploads


@pytest.mark.parametrize("seed", range(3))
def test_a_hostile_folder_in_one_burst(pipeline: Pipeline, seed: int) -> None:
    uploads = everything(seed)
    for key, content in uploads:
        pipeline.put(key, content)
    pipeline.drain()
    assert_as_the_oracle_says(pipeline, uploads)


@pytest.mark.parametrize("seed", [11, 12])
def test_a_hostile_folder_in_random_order_and_small_batches(
    pipeline: Pipeline, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slices and batches of all sizes, some batches abandoned half-way: the tables are the same."""
    random_ = random.Random(seed)
    uploads = hostile_folder(seed, 40, datetime.now(UTC))
    random_.shuffle(uploads)
    waiting = list(uploads)
    while waiting or pipeline.look().count:
        for key, content in waiting[:5]:
            pipeline.put(key, content)
        del waiting[:5]
        pipeline.look()
        batch = pipeline.claim()
        if batch is None:
            continue
        steps = ("validate", "transform", "load", "archive")
        pipeline.run(batch, *steps[: random_.choice([1, 2, 3, 4, 4, 4])])
        pipeline.execute("update mdp.batches set lease_until = now() where ended_at is null")
        pipeline.execute("update mdp.files set attempts = 0, due_at = now()")
    pipeline.drain()
    assert_as_the_oracle_says(pipeline, uploads)
