"""Whole files: many broken rules in a row, the share of rejected rows, the 1,000 records that are kept."""

import gzip
from typing import Final

from tests.corpus.case import HEADER, Case, Entry, Expected, good_cells, good_line, good_lines, line, rejects

_TOO_MANY: Final = "too_many_rejected_rows"


def _share(
    name: str, good: int, bad: int, reason: str | None = None, *, rows_between: str = "", share: float = 0.1
) -> Case:
    """Good rows, then bad ones without views.

    Args:
        name: of the case.
        good: number of good rows, from line 2.
        bad: number of bad rows behind them.
        reason: of the file.
        rows_between: raw lines between the two that are no rows.
        share: the setting under which the outcome holds.
    """
    spoiled = line(good_cells(name, 0, {"total_views": ""}).values()) + "\n"
    first = 2 + good + rows_between.count("\n")
    entries: tuple[Entry, ...] = tuple((first + i, "total_views", "missing_value", "") for i in range(min(bad, 1000)))
    outcome = Expected(
        reason,
        entries=entries,
        entry_counts={"missing_value": bad} if bad else {},
        rows_total=good + bad,
        rows_rejected=bad,
    )
    content = f"{HEADER}\n{good_lines(name, good)}{rows_between}{spoiled * bad}"
    return Case(name, content.encode(), outcome, max_rejected_share=share)


def _every_tenth_broken_twice(name: str) -> str:
    """20,000 rows; those numbered 1, 11, 21 and so on have two broken cells."""
    spoiled = {"video_id": "", "total_likes": "-1"}
    rows = (line(good_cells(name, n, spoiled if n % 10 == 1 else {}).values()) for n in range(1, 20_001))
    return HEADER + "\n" + "\n".join(rows) + "\n"


_TWICE_BROKEN: Final = Expected(
    entries=tuple(
        entry
        for i in range(1000)
        for entry in (
            (2 + 10 * i, "video_id", "missing_value", ""),
            (2 + 10 * i, "total_likes", "negative", "-1"),
        )
    ),
    entry_counts={"missing_value": 2000, "negative": 2000},
    rows_total=20_000,
    rows_rejected=2000,
)

MANY_RULES: Final = [
    rejects(
        "row_with_every_cell_broken",
        {
            "video_id": " ",
            "channel_id": "x" * 256,
            "channel_name": "\x00",
            "description": "y" * 10_001,
            "channel_subscribers": "-7",
            "total_views": "9223372036854775808",
            "total_likes": "1e3",
            "total_dislikes": "none",
            "date_created": "2025-02-30T00:00Z",
            "date_updated": "9998-01-01T00:00Z",
        },
        ("video_id", "missing_value"),
        ("channel_id", "too_long", "x" * 200),
        ("channel_name", "control_character"),
        ("description", "too_long", "y" * 200),
        ("channel_subscribers", "negative"),
        ("total_views", "out_of_range"),
        ("total_likes", "not_an_integer"),
        ("total_dislikes", "not_an_integer"),
        ("date_created", "not_a_timestamp"),
        ("date_updated", "future_timestamp"),
    ),
    rejects(
        "row_of_empty_cells",
        dict.fromkeys(HEADER.split(","), ""),
        *(
            (column, "missing_value")
            for column in (
                "video_id",
                "channel_id",
                "channel_name",
                "channel_subscribers",
                "total_views",
                "date_created",
                "date_updated",
            )
        ),
    ),
    rejects(
        "row_that_is_the_header_again",
        {column: column for column in HEADER.split(",")},
        ("channel_subscribers", "not_an_integer"),
        ("total_views", "not_an_integer"),
        ("total_likes", "not_an_integer"),
        ("total_dislikes", "not_an_integer"),
        ("date_created", "not_a_timestamp"),
        ("date_updated", "not_a_timestamp"),
    ),
    rejects("value_untrimmed", {"total_views": '\t "+5"\n '}, ("total_views", "not_an_integer", '\t "+5"\n ')),
    rejects("value_of_200", {"total_views": "z" * 200}, ("total_views", "not_an_integer", "z" * 200)),
    rejects("value_of_201", {"total_views": "z" * 201}, ("total_views", "not_an_integer", "z" * 200)),
    rejects("value_cut_by_characters", {"total_views": "🎬" * 201}, ("total_views", "not_an_integer", "🎬" * 200)),
    rejects("value_cut_before_its_text", {"video_id": " " * 900}, ("video_id", "missing_value", " " * 200)),
]

SHARES: Final = [
    _share("share_1_of_10", 9, 1),
    _share("share_1_of_9", 8, 1, _TOO_MANY),
    _share("share_2_of_19", 17, 2, _TOO_MANY),  # with the header counted it would be 2 of 20
    _share("share_2_of_20", 18, 2),
    _share("share_10_of_100", 90, 10),
    _share("share_11_of_100", 89, 11, _TOO_MANY),
    _share("share_1000_of_10000", 9000, 1000),
    _share("share_1001_of_10000", 8999, 1001, _TOO_MANY),
    _share("share_of_empty_lines", 8, 1, _TOO_MANY, rows_between="\n\r\n\n"),
    _share("share_all", 0, 3, _TOO_MANY),
    _share("share_only_row", 0, 1, _TOO_MANY),
    _share("share_most_of_20000", 100, 19_900, _TOO_MANY),
    _share("share_none_allowed", 999, 1, _TOO_MANY, share=0.0),
    _share("share_none_allowed_and_none_rejected", 3, 0, share=0.0),
    _share("share_3_of_10_allowed", 7, 3, share=0.3),
    _share("share_all_allowed", 0, 5, share=1.0),
    Case(
        "share_of_wrong_cell_counts",
        f"{HEADER}\n{good_lines('share_of_wrong_cell_counts', 3)}only,three,cells\n".encode(),
        Expected(
            _TOO_MANY,
            entries=((5, None, "wrong_cell_count", None),),
            rows_total=4,
            rows_rejected=1,
        ),
    ),
    Case(
        "share_counts_rows_not_entries",
        f"{HEADER}\n{good_lines('share_counts_rows', 9)},,,,,x,x,x,x,x\n".encode(),
        Expected(
            entries=(
                (11, "video_id", "missing_value", ""),
                (11, "channel_id", "missing_value", ""),
                (11, "channel_name", "missing_value", ""),
                (11, "channel_subscribers", "missing_value", ""),
                (11, "total_views", "not_an_integer", "x"),
                (11, "total_likes", "not_an_integer", "x"),
                (11, "total_dislikes", "not_an_integer", "x"),
                (11, "date_created", "not_a_timestamp", "x"),
                (11, "date_updated", "not_a_timestamp", "x"),
            ),
            rows_total=10,
            rows_rejected=1,
        ),
    ),
    Case(
        "share_and_drift",
        f"{HEADER},extra\n{good_line('share_and_drift')},x\nshort\n".encode(),
        Expected(
            _TOO_MANY,
            entries=((3, None, "wrong_cell_count", None),),
            rows_total=2,
            rows_rejected=1,
            drift=("extra",),
        ),
    ),
]

LARGE: Final = [
    Case("rejects_2000_of_20000", _every_tenth_broken_twice("rejects_2000").encode(), _TWICE_BROKEN),
    Case(
        "rejects_2000_of_20000_packed",
        gzip.compress(_every_tenth_broken_twice("packed").replace("\n", "\r\n").encode(), mtime=0),
        _TWICE_BROKEN,
        "rejects_2000_of_20000_packed.csv.gz",
    ),
    _share("rejects_1500_of_20000", 18_500, 1500),
    _share("rejects_999_of_20000", 19_001, 999),
]

CASES: Final = [*MANY_RULES, *SHARES, *LARGE]
