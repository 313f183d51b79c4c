"""Validation as a test calls it, and the comparison of its verdict with the oracle's."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from minidata.contract import Limits, Verdict
from minidata.contract.validate import validate
from minidata.dataset import Dataset, read_dataset
from tests.oracle import csv_text
from tests.oracle.cells import BLANKS
from tests.oracle.verdict import Row, judge

ARRIVED_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
DATASET = read_dataset(Path(__file__).parents[3] / "datasets" / "youtube_stats")
COLUMNS = list(DATASET.columns)
HEADER = ",".join(COLUMNS)
ROW = "v1,c1,Name,1,text,2,3,4,2025-06-01 00:00:00,2025-06-01 12:00:00"


@dataclass
class Outcome:
    """The verdict, and what validation handed on."""

    verdict: Verdict
    frames: list[pl.DataFrame] = field(default_factory=list)
    rejects: bytes = b""

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for frame in self.frames for row in frame.to_dicts()]

    @property
    def code(self) -> str | None:
        return self.verdict.reason.code if self.verdict.reason else None


def run(
    data: bytes,
    key: str = "a.csv",
    *,
    chunk: int = 1 << 20,
    slice_bytes: int = 1 << 20,
    share: float = 0.1,
    max_file_bytes: int = 5 * 2**30,
    arrived_at: datetime = ARRIVED_AT,
    dataset: Dataset = DATASET,
    datasets: Iterable[Dataset] = (),
    **limits: float,
) -> Outcome:
    """Validates stored bytes that come in chunks of one size."""
    outcome = Outcome(Verdict(0, ""))
    rejects: list[bytes] = []
    outcome.verdict = validate(
        (data[at : at + chunk] for at in range(0, len(data), chunk)),
        key=key,
        stored_size=len(data),
        arrived_at=arrived_at,
        dataset=dataset,
        limits=Limits(max_file_bytes, share, slice_bytes, **limits),
        good=outcome.frames.append,
        rejects=rejects.append,
        datasets=datasets,
    )
    outcome.rejects = b"".join(rejects)
    return outcome


def rows_of(*lines: str, **settings: Any) -> Outcome:
    """Validates these lines under the header of the dataset; any share of them may be rejected."""
    text = "\n".join([HEADER, *lines]) + "\n"
    return run(text.encode(), share=1, **settings)


def row(**cells: str) -> str:
    """A good row with some other cells, as they stand in the file."""
    values = dict(zip(COLUMNS, ROW.split(","), strict=True)) | cells
    return ",".join(values[column] for column in COLUMNS)


def codes_of(outcome: Outcome) -> list[str]:
    """The entries' codes, in order."""
    return [entry.code for entry in outcome.verdict.entries]


def assert_as_the_oracle(key: str, data: bytes, **settings: Any) -> Outcome:
    """Checks a file with both, and compares everything in the two verdicts."""
    asked = {name: settings[name] for name in ("max_file_bytes",) if name in settings}
    share, arrived_at = settings.get("share", 0.1), settings.get("arrived_at", ARRIVED_AT)
    expected = judge(key, data, arrived_at, max_rejected_share=share, **asked)
    outcome = run(data, key, **settings)
    verdict = outcome.verdict
    assert (verdict.size, verdict.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert outcome.code == expected.reason
    # The oracle names columns in the order of the contract's table, we in declared order.
    assert set(verdict.reason.columns if verdict.reason else ()) >= set(expected.missing_columns)
    assert verdict.counts == expected.counts
    assert verdict.entries == sorted(expected.entries, key=_declared_order)
    assert verdict.rows_rejected == expected.rows_rejected
    assert verdict.rows_good + verdict.rows_rejected == expected.rows_total
    assert verdict.drift == expected.drift
    if expected.reason is None:
        assert sorted(outcome.rows, key=repr) == sorted(map(_as_dict, expected.rows), key=repr)
    for frame in outcome.frames:
        assert len(frame)
        assert frame.schema == SCHEMA
    if expected.reason in (None, "too_many_rejected_rows") and verdict.rows_rejected <= 1000:
        _assert_rejects(outcome, expected.entries)
    return outcome


TYPES = {"text": pl.String, "integer": pl.Int64, "timestamp": pl.Datetime("us")}
SCHEMA = pl.Schema({name: TYPES[column.type] for name, column in DATASET.columns.items()})


def _declared_order(entry: Any) -> tuple[int, int]:
    return entry.line, COLUMNS.index(entry.column) if entry.column else -1


def _as_dict(row: Row) -> dict[str, Any]:
    return {column: getattr(row, column) for column in COLUMNS}


def _assert_rejects(outcome: Outcome, entries: Iterable[Any]) -> None:
    """The rejects file holds the header and each rejected record once, unchanged."""
    by_line: dict[int, list[Any]] = {}
    for entry in sorted(entries, key=_declared_order):
        by_line.setdefault(entry.line, []).append(entry)
    if not by_line:
        assert outcome.rejects == b""
        return
    (_, header), *records = csv_text.records(outcome.rejects.decode())
    names = [name.strip(BLANKS) for name in header]
    positions = {column: names.index(column) for column in COLUMNS if column in names}
    for (_, cells), broken in zip(records, by_line.values(), strict=True):
        for entry in broken:
            if entry.column:
                assert entry.value == cells[positions[entry.column]][:200]
