"""Snapshots on demand."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from minidata.errors import PermanentError
from simulator.faults import parse_faults
from simulator.feed import DEFAULT_START, Generation, Written
from simulator.snapshot import FolderUploader
from tests.oracle.verdict import judge

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def generated(folder: Path, **plan: object) -> list[Written]:
    generation = Generation(**({"files": 4, "rows": 30} | plan))  # type: ignore[arg-type]
    return list(generation.write([FolderUploader(folder)]))


@pytest.mark.parametrize("rows", [1, 30, 2000, 4321])
def test_each_file_has_exactly_its_rows_and_all_are_good(tmp_path: Path, rows: int) -> None:
    written = generated(tmp_path, rows=rows, files=3)
    for key, data in files(tmp_path).items():
        verdict = judge(key, data, NOW)
        assert (verdict.reason, verdict.rows_rejected, verdict.rows_total) == (None, 0, rows)
        counted = {(row.video_id, row.date_updated) for row in verdict.rows}
        assert len(counted) == rows
    assert [(one.rows, one.fault, one.snapshots) for one in written] == [(rows, None, number) for number in (1, 2, 3)]


def test_the_same_seed_makes_the_same_files(tmp_path: Path) -> None:
    faults = parse_faults("some,malformed=0.3")
    for name, seed in (("one", 5), ("two", 5), ("other", 6)):
        generated(tmp_path / name, files=30, seed=seed, faults=faults)
    assert files(tmp_path / "one") == files(tmp_path / "two") != files(tmp_path / "other")


def test_counts_grow_from_file_to_file(tmp_path: Path) -> None:
    generated(tmp_path, files=10)
    totals = [
        sum(row.total_views for row in judge(key, data, NOW).rows) for key, data in sorted(files(tmp_path).items())
    ]
    assert len(set(totals)) == 10


def test_every_snapshot_arrives_however_late(tmp_path: Path) -> None:
    written = generated(tmp_path, files=12, faults=parse_faults("late=0.5,out_of_order=0.5"))
    assert len(files(tmp_path)) == len({one.key for one in written}) == 12
    assert [one.key for one in written] != sorted(one.key for one in written)


def test_every_sink_gets_every_object(tmp_path: Path) -> None:
    sinks = [FolderUploader(tmp_path / name) for name in ("one", "two")]
    written = list(Generation(files=3, rows=5).write(sinks))
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert [one.size for one in written] == [len(data) for _, data in sorted(files(tmp_path / "one").items())]


def test_files_are_written_as_they_are_asked_for(tmp_path: Path) -> None:
    generation = Generation(files=1000, rows=5)
    progress = generation.write([FolderUploader(tmp_path)])
    next(progress)
    assert len(files(tmp_path)) == 1
    assert generation.world.now == DEFAULT_START + generation.interval


def test_the_end_can_be_chosen(tmp_path: Path) -> None:
    first, last = generated(tmp_path, files=2, end=datetime(2026, 6, 1, 8, 0, tzinfo=UTC))
    assert first.key == "youtube_stats/2026-06-01/075945-00000000.csv"
    assert last.key == "youtube_stats/2026-06-01/080000-00000001.csv"


def test_nothing_cannot_be_generated() -> None:
    with pytest.raises(PermanentError, match="Nothing to generate"):
        Generation(files=0, rows=10)
