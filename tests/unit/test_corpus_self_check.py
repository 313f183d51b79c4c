"""The corpus and the oracle were written apart: the one by hand, the other as a program. They must agree."""

import hashlib
from collections import Counter
from datetime import UTC, datetime

import pytest

from tests.corpus.cases import ARRIVED_AT, CASES, Case
from tests.oracle.verdict import Verdict, judge

FILE_REASONS = {
    "unsupported_file_type",
    "too_large",
    "empty_file",
    "bad_compression",
    "not_utf8",
    "not_csv",
    "duplicate_column",
    "missing_column",
    "no_rows",
    "too_many_rejected_rows",
}
ROW_CODES = {
    "missing_value",
    "too_long",
    "negative",
    "out_of_range",
    "not_an_integer",
    "not_a_timestamp",
    "future_timestamp",
    "updated_before_created",
    "control_character",
    "wrong_cell_count",
}


def _judged(case: Case, arrived_at: datetime) -> Verdict:
    return judge(
        case.key,
        case.build(arrived_at),
        arrived_at,
        max_file_bytes=case.max_file_bytes,
        max_rejected_share=case.max_rejected_share,
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize(
    "arrived_at",
    [ARRIVED_AT, datetime(2027, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)],
    ids=["at-its-arrival", "at-another"],
)
def test_the_oracle_says_what_the_contract_says(case: Case, arrived_at: datetime) -> None:
    verdict, expected = _judged(case, arrived_at), case.expected(arrived_at)
    assert verdict.reason == expected.reason
    assert verdict.missing_columns == list(expected.missing_columns)
    assert verdict.counts == expected.counts
    assert verdict.entries == list(expected.entries)
    assert (verdict.rows_total, verdict.rows_rejected) == (expected.rows_total, expected.rows_rejected)
    assert len(verdict.rows) == expected.rows_accepted
    assert verdict.drift == list(expected.drift)
    if expected.last_row:
        assert {name: getattr(verdict.rows[-1], name) for name in expected.last_row} == expected.last_row


def test_each_case_has_a_name_a_key_and_a_content_of_its_own() -> None:
    contents = (hashlib.sha256(case.build()).hexdigest() for case in CASES)
    for values in ((case.name for case in CASES), (case.key for case in CASES), contents):
        assert [value for value, times in Counter(values).items() if times > 1] == []


def test_every_reason_code_of_files_and_rows_has_a_case() -> None:
    outcomes = [case.expected() for case in CASES]
    assert {outcome.reason for outcome in outcomes} == FILE_REASONS | {None}
    assert {code for outcome in outcomes for code in outcome.counts} == ROW_CODES


def test_the_corpus_is_the_same_whenever_it_is_built() -> None:
    assert [case.build() for case in CASES] == [case.build() for case in CASES]


def test_cases_that_are_not_tied_to_the_arrival_hold_for_an_upload_within_the_hour() -> None:
    loose = [case for case in CASES if not case.exact_arrival and not isinstance(case.content, bytes)]
    late = datetime(2026, 11, 23, 12, 59, tzinfo=UTC)
    assert len(loose) > 4
    for case in loose:
        data = case.build(ARRIVED_AT)
        assert judge(case.key, data, late).entries == list(case.expected(ARRIVED_AT).entries), case.name
