"""The outcome of a run, for those who are told of it from outside the steps."""

from typing import NamedTuple

from minidata.warehouse.connection import Connection


class RunOutcome(NamedTuple):
    """What a run of the pipeline has done so far.

    Attributes:
        steps: counts by step, of those that have ended.
        refused_files: files of the batch that were refused, by reason code.
        rejected_rows: rejected rows of its accepted files, by reason code.
    """

    steps: dict[str, dict[str, int]]
    refused_files: dict[str, int]
    rejected_rows: dict[str, int]


def run_outcome(connection: Connection, dataset: str, run: str) -> RunOutcome:
    """Return the outcome of a run; empty if it claimed no file."""
    found = connection.execute(
        "select batch_id, report from mdp.batches where dataset = %s and run = %s order by batch_id desc limit 1",
        [dataset, run],
    ).fetchone()
    if found is None:
        return RunOutcome({}, {}, {})
    batch_id, steps = found
    refused = connection.execute(
        "select code, count(*) from mdp.files, unnest(reasons) code "
        "where batch_id = %s and state in ('invalid', 'quarantined') group by code",
        [batch_id],
    ).fetchall()
    rejected = connection.execute(
        "select code, sum(number::bigint)::bigint from mdp.files, jsonb_each_text(counts) as by_code (code, number) "
        "where batch_id = %s and state not in ('invalid', 'quarantined') group by code",
        [batch_id],
    ).fetchall()
    return RunOutcome(dict(steps), dict(refused), dict(rejected))
