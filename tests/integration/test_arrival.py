"""The same content may be judged otherwise when it arrives later: the tables do not depend on which is loaded first."""

import itertools

import pytest

from tests.corpus.case import HEADER, good_cells, good_lines, line
from tests.integration.conftest import Pipeline

CONTENT = (
    f"{HEADER}\n{good_lines('twice', 10)}"
    + line(good_cells("twice", 11, {"date_updated": "2026-03-10 00:00"}).values())
).encode()
ARRIVALS = {"early.csv": "2026-03-01", "late.csv": "2026-03-20"}


def load(pipeline: Pipeline, *keys: str) -> None:
    for key in keys:
        pipeline.put(key, CONTENT)
    pipeline.look()
    for key in keys:
        pipeline.execute("update mdp.files set arrived_at = %s where key = %s", ARRIVALS[key], key)
    pipeline.drain()


@pytest.mark.parametrize("order", list(itertools.permutations(ARRIVALS)))
@pytest.mark.parametrize("together", [False, True])
def test_the_later_arrival_decides_in_any_order(pipeline: Pipeline, order: tuple[str, ...], together: bool) -> None:
    for keys in [order] if together else [(key,) for key in order]:
        load(pipeline, *keys)
    assert pipeline.states() == dict.fromkeys(order, "archived")
    assert {row["video_id"] for row in pipeline.table("videos")} == {f"twice-{n}" for n in range(1, 12)}


def test_once_more_is_recognised_whichever_it_is(pipeline: Pipeline) -> None:
    load(pipeline, "late.csv")
    load(pipeline, "early.csv")
    late, early = pipeline.files()
    assert (early.duplicate_of, early.rows_loaded, early.rows_rejected) == (late.key, 0, 1)
