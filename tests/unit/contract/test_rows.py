"""Rows: the codes of each cell, what stands in an entry, and the rejects file."""

import pytest

from minidata.contract import RejectEntry
from minidata.contract.slices import Slice
from tests.unit.contract.checking import ARRIVED_AT, COLUMNS, HEADER, ROW, codes_of, row, rows_of, run


@pytest.mark.parametrize(
    ("column", "cell", "codes"),
    [
        ("video_id", " \t", ["missing_value"]),
        ("channel_name", "x" * 256, ["too_long"]),
        ("channel_name", f" {'🎬' * 255}\t", []),
        ("channel_name", "\u00a0", ["missing_value"]),
        ("description", "", []),
        ("description", "x" * 10_000, []),
        ("description", "x" * 10_001, ["too_long"]),
        ("description", "a\x0bb", ["control_character"]),
        ("description", "a\x7f\x80b", []),
        ("total_views", "-", ["not_an_integer"]),
        ("total_views", "-0", ["negative"]),
        ("total_views", "-1\x00", ["control_character"]),
        ("total_views", "9223372036854775807", []),
        ("total_views", "9223372036854775808", ["out_of_range"]),
        ("total_views", "0" * 5000 + "1", []),
        ("total_views", "1" * 5000, ["out_of_range"]),
        ("date_created", "0000-12-31T23:00-02:00", ["not_a_timestamp"]),
        ("date_created", "2026-02-29 00:00:00", ["not_a_timestamp"]),
        ("date_updated", "2026-11-24 12:00:00", []),
        ("date_updated", "2026-11-24 12:00:00.000001", ["future_timestamp"]),
        ("date_updated", "2025-05-31T23:59", ["updated_before_created"]),
        ("date_created", "2026-11-30 00:00", ["updated_before_created"]),
    ],
)
def test_a_cell_gets_the_codes_of_the_rules_that_it_breaks(column: str, cell: str, codes: list[str]) -> None:
    outcome = rows_of(row(**{column: cell}))
    assert codes_of(outcome) == codes
    assert outcome.verdict.rows_rejected == bool(codes)
    assert len(outcome.rows) == (not codes)


def test_one_cell_may_break_two_rules_in_this_order() -> None:
    outcome = rows_of(row(date_created="2027-02-01 00:00", date_updated="2027-01-01 00:00"))
    assert outcome.verdict.entries == [
        RejectEntry(2, "date_updated", "future_timestamp", "2027-01-01 00:00"),
        RejectEntry(2, "date_updated", "updated_before_created", "2027-01-01 00:00"),
    ]


def test_entries_stand_in_file_order_then_in_the_order_of_the_declared_columns() -> None:
    shuffled = list(reversed(COLUMNS))
    cells = dict(zip(COLUMNS, ROW.split(","), strict=True)) | {"video_id": "", "total_likes": "x"}
    bad = ",".join(cells[column] for column in shuffled)
    outcome = run(f"{','.join(shuffled)}\n{bad}\n{bad}\n".encode(), share=1)
    assert [(e.line, e.column) for e in outcome.verdict.entries] == [
        (2, "video_id"),
        (2, "total_likes"),
        (3, "video_id"),
        (3, "total_likes"),
    ]


def test_a_value_is_the_cell_as_the_csv_means_it_cut_at_200_characters() -> None:
    outcome = rows_of(row(total_views='" a ""b""\n' + "🎬" * 300 + '"'))
    (entry,) = outcome.verdict.entries
    assert entry.value == ' a "b"\n' + "🎬" * 193


def test_a_record_of_another_width_has_one_entry_without_column_and_value() -> None:
    outcome = rows_of("-1", ROW + ",", " ", '""', ROW)
    assert outcome.verdict.entries == [RejectEntry(n, None, "wrong_cell_count", None) for n in (2, 3, 4, 5)]
    assert outcome.verdict.rows_good == 1


def test_lines_are_physical_and_empty_ones_are_no_rows() -> None:
    long = row(description='"a\r\n\nb"')  # on the lines 5 to 7
    outcome = run(f"\n\r\n{HEADER}\n\n{long}\n\nx\r\n\n{ROW}".encode(), share=1)
    assert [entry.line for entry in outcome.verdict.entries] == [9]
    assert (outcome.verdict.rows_good, outcome.verdict.rows_rejected) == (2, 1)


def test_the_rejects_file_holds_the_original_cells_untouched() -> None:
    header = " video_id," + HEADER.split(",", 1)[1] + ',"odd ""name"""'
    bad = row(video_id='""', description='" a\r\n""b"""', total_views=" -7 ") + ',x"y'
    outcome = run(f"{header}\r\n{ROW},1\r\n{bad}\r\n1,2\r\n".encode(), share=1)
    assert outcome.rejects == f"{header}\n{bad}\n1,2\n".encode()


def test_the_rejects_file_can_be_fixed_and_uploaded_whatever_its_columns_are_called() -> None:
    header = f"line,codes,{HEADER}"
    outcome = run(f"{header}\n1,x,{ROW}\n2,y,{row(total_views='ten')}\n".encode(), share=1)
    again = run(outcome.rejects.replace(b"ten", b"10"))
    assert (again.verdict.reason, again.verdict.rows_good, again.verdict.drift) == (None, 1, ["line", "codes"])


def test_the_rejects_file_of_a_clean_file_is_not_begun() -> None:
    assert rows_of(ROW, ROW).rejects == b""


def test_entries_are_kept_of_1000_records_and_all_else_is_exact() -> None:
    bad = row(video_id="", total_views="")
    outcome = rows_of(ROW, *[bad] * 1500, slice_bytes=10_000)
    assert len(outcome.verdict.entries) == 2000
    assert outcome.verdict.entries[-1].line == 1002
    assert outcome.verdict.counts == {"missing_value": 3000}
    assert outcome.verdict.rows_rejected == 1500
    assert outcome.rejects.count(b"\n") == 1501


@pytest.mark.parametrize(("bad", "share", "code"), [(3, 0.3, None), (4, 0.3, "too_many_rejected_rows"), (0, 0, None)])
def test_the_share_is_the_decimal_that_was_set(bad: int, share: float, code: str | None) -> None:
    lines = [ROW] * (10 - bad) + ["x"] * bad
    outcome = run("\n".join([HEADER, *lines]).encode(), share=share)
    assert outcome.code == code
    assert outcome.verdict.rows_rejected == bad


def test_frames_are_about_a_slice_large() -> None:
    outcome = rows_of(*[ROW] * 5000, slice_bytes=20_000)
    assert max(len(frame) for frame in outcome.frames) <= 1.3 * 20_000 / len(ROW)
    assert outcome.verdict.rows_good == sum(len(frame) for frame in outcome.frames) == 5000


def test_a_record_larger_than_many_slices_is_checked_like_any_other() -> None:
    outcome = rows_of(ROW, row(description="x" * 3_000_000), row(video_id="y" * 3_000_000), ROW, slice_bytes=1000)
    assert [(e.line, e.column, e.code) for e in outcome.verdict.entries] == [
        (3, "description", "too_long"),
        (4, "video_id", "too_long"),
    ]
    assert outcome.verdict.rows_good == 2


def test_a_mark_in_the_first_cell_of_a_slice_belongs_to_the_cell() -> None:
    outcome = rows_of(*[row(video_id=f"\ufeff{n}") for n in range(50)], slice_bytes=100)
    assert sorted(r["video_id"] for r in outcome.rows) == sorted(f"{n}" for n in range(50))


def test_where_polars_counts_otherwise_the_exact_rules_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Slice, "plain", lambda self, keep: ROW.encode() + b"\n")
    outcome = rows_of(ROW, ROW, row(video_id="w"), row(total_views="x"))
    assert [r["video_id"] for r in outcome.rows] == ["v1", "v1", "w"]
    assert codes_of(outcome) == ["not_an_integer"]


def test_a_file_that_arrived_with_another_offset_is_checked_by_the_same_instant() -> None:
    arrived_at = ARRIVED_AT.astimezone(tz=None)
    assert codes_of(rows_of(row(date_updated="2026-11-24 12:00:00.000001"), arrived_at=arrived_at))
