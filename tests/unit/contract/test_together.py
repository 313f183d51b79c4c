"""Small files validated together get the verdict and the rows that each of them gets alone."""

from datetime import datetime, timedelta

import polars as pl
import pytest

from minidata.contract import Limits
from minidata.contract.together import SmallFile, certainly_good
from minidata.dataset import FILE
from minidata.rollup import RangeBuilder
from tests.corpus.cases import CASES
from tests.oracle.hostile import hostile_folder
from tests.unit.contract.checking import ARRIVED_AT, DATASET, HEADER, ROW, run

LIMITS = Limits(5 * 2**30, 0.1, 1 << 24)
FOLDERS = {
    "corpus": [(case.key, data) for case in CASES if len(data := case.build()) < 1 << 16],
    **{f"hostile {seed}": list(hostile_folder(seed, 40, ARRIVED_AT)) for seed in range(2)},
}


@pytest.mark.parametrize("name", FOLDERS)
def test_each_file_gets_what_it_gets_alone(name: str) -> None:
    files = [
        SmallFile(n, key, data, ARRIVED_AT + timedelta(minutes=n % 5)) for n, (key, data) in enumerate(FOLDERS[name])
    ]
    verdicts, rows = certainly_good(files, DATASET, LIMITS)
    assert rows is not None
    ranges = RangeBuilder(DATASET.columns).by_file(rows)
    for file in files:
        if file.file_id not in verdicts:
            continue
        alone = run(file.data, file.key, arrived_at=file.arrived_at)
        assert verdicts[file.file_id] == alone.verdict
        own = rows.filter(pl.col(FILE) == file.file_id).drop(FILE)
        builder = RangeBuilder(DATASET.columns)
        for frame in alone.frames:
            builder.add(frame)
        assert ranges[file.file_id] == builder.finish()
        assert own.sort(own.columns).equals(pl.concat(alone.frames).sort(own.columns))


def test_what_is_in_the_future_is_told_by_the_arrival_of_each_file() -> None:
    arrivals = [ARRIVED_AT + timedelta(days=day) for day in range(4)]
    files = [SmallFile(n, f"{n}.csv", updated_at(arrived), arrived) for n, arrived in enumerate(arrivals)]
    early = SmallFile(9, "early.csv", updated_at(arrivals[2]), arrivals[0])  # not early for the last file
    verdicts, rows = certainly_good([*files, early], DATASET, LIMITS)
    assert rows is not None
    assert sorted(verdicts) == sorted(rows[FILE]) == [0, 1, 2, 3]


def updated_at(moment: datetime) -> bytes:
    return f"{HEADER}\n{ROW[: ROW.rindex(',')]},{moment:%Y-%m-%d %H:%M:%S}\n".encode()
