"""The whole contract, on the real servers: states, reasons, entries and every cell of every table, as the oracle says.

The oracle is plain Python and shares no code with the platform.
"""

import contextlib
import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from minidata.settings import load_settings
from operate.cli.output import print_csv
from tests.corpus.case import HEADER
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


@pytest.mark.parametrize(("seed", "slice_rows"), [(11, 100_000), (12, 20)])
def test_a_hostile_folder_in_random_order_and_small_batches(
    pipeline: Pipeline, seed: int, slice_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slices and batches of all sizes, some batches abandoned half-way: the tables are the same."""
    monkeypatch.setenv("MDP_SLICE_ROWS", str(slice_rows))
    load_settings.cache_clear()
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


_EXPORT = """select video_id, channel_id, channel_name, channel_subscribers, description, v.total_views, v.total_likes,
v.total_dislikes, date_created, v.last_updated as date_updated from youtube_stats.videos v
join youtube_stats.channels using (channel_id) order by channel_id, video_id"""


def _psql_copy(pipeline: Pipeline) -> bytes:
    with (
        pipeline.connection.cursor() as cursor,
        cursor.copy(f"copy ({_EXPORT}) to stdout with (format csv, header)".encode()) as out,
    ):
        text = b"".join(bytes(part) for part in out)
    pipeline.connection.commit()
    return text


def _mdp_sql_csv(pipeline: Pipeline) -> bytes:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        print_csv(HEADER.split(","), pipeline.execute(_EXPORT))
    return out.getvalue().encode()


@pytest.mark.parametrize("export", [_psql_copy, _mdp_sql_csv])
def test_an_export_comes_back_in(pipeline: Pipeline, export: Callable[[Pipeline], bytes]) -> None:
    rows = [
        "plain,UC,Name,1,text,9,8,7,2025-06-01T00:00:00Z,2025-06-02T00:00:00.25Z",
        "hidden,UC,Name,1,,9,,7,0001-01-01 00:00,2025-06-02 00:00",
        'odd,UC,Name,1,"""a"",\r\n\t",9,8,,2025-06-01T00:00:00.000001Z,2025-06-02 05:30+0530',
    ]
    pipeline.put("first.csv", "\n".join([HEADER, *rows]).encode())
    pipeline.drain()
    before = pipeline.tables()
    pipeline.put("export.csv", export(pipeline))
    pipeline.drain()
    files = {file.key: (file.rows_loaded, file.rows_rejected) for file in pipeline.files()}
    assert files["export.csv"] == (3, 0)
    after = pipeline.tables()
    assert after["videos"] == before["videos"]
    assert after["channel_stats"] == before["channel_stats"]
    assert [row["sum_dislikes"] for row in after["channel_stats"]] == [14]
