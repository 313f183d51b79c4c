"""Headers: any order, padding, extra columns, duplicates, missing names, other separators, no rows."""

from typing import Final

from tests.corpus.case import (
    HEADER,
    REQUIRED,
    Case,
    Expected,
    accepted,
    condemned,
    good_cells,
    good_line,
    line,
)

_NAMES: Final = HEADER.split(",")


def _renamed(name: str, names: dict[str, str], missing: tuple[str, ...]) -> Case:
    """A snapshot with some names of its header changed, so that those columns are missing."""
    header = line([names.get(column, column) for column in _NAMES])
    return Case(name, f"{header}\n{good_line(name)}\n".encode(), Expected("missing_column", missing))


def _with_header(name: str, header: str) -> Case:
    """A snapshot under another spelling of the header that means the same."""
    return accepted(name, f"{header}\n{good_line(name)}\n", 1, video_id=f"{name}-1", total_dislikes=1)


def _ordered(name: str, order: list[str]) -> Case:
    """A snapshot with its columns in another order."""
    cells = good_cells(name, 1)
    content = f"{','.join(order)}\n{line(cells[column] for column in order)}\n"
    return accepted(
        name,
        content,
        1,
        video_id=f"{name}-1",
        description="Video 1",
        channel_subscribers=1001,
        total_views=100,
    )


def _without(name: str, *columns: str) -> Case:
    """A snapshot that lacks these columns, which are unknown in its row."""
    order = [column for column in _NAMES if column not in columns]
    content = f"{','.join(order)}\n{line(good_cells(name, 1)[column] for column in order)}\n"
    return accepted(name, content, 1, video_id=f"{name}-1", total_views=100, **dict.fromkeys(columns))


def _extra(name: str, header_cells: str, row_cells: str, *drift: str) -> Case:
    """A snapshot with these raw cells behind the header and the row; the columns are extra."""
    content = f"{HEADER},{header_cells}\n{good_line(name)},{row_cells}\n"
    return accepted(name, content, 1, drift=drift, video_id=f"{name}-1")


def _separated(name: str, separator: str) -> Case:
    """A snapshot with another separator: its whole header is one name, so that every column is missing."""
    content = f"{HEADER}\n{good_line(name)}\n".replace(",", separator).encode()
    return Case(name, content, Expected("missing_column", REQUIRED))


def _no_rows(name: str, content: str, *drift: str) -> Case:
    return Case(name, content.encode(), Expected("no_rows", drift=drift))


# Names that a platform might use for columns of its own beside ours.
_INTERNAL: Final = (
    "line,row_nr,row_index,index,column_11,literal,len,count,window,reason,reasons,code,value,__line,_rejected,"
    "batch_id,file_id,arrived_at,loaded_at,last_updated,views_gained,sum_views,video_id_duplicated_0,video_id_right"
)

SPELLED: Final = [
    _ordered("columns_reversed", _NAMES[::-1]),
    _ordered("columns_sorted", sorted(_NAMES)),
    _with_header("header_padded", " video_id ," + HEADER.partition(",")[2].replace(",", "\t,  ") + "  "),
    _with_header("header_padded_with_line_ends", '"\r\nvideo_id\r\n"' + HEADER[8:]),
    _with_header("header_padded_with_invisible", "\ufeff\ufeff\u200b" + HEADER.replace(",", "\u00a0,\u200b")),
    _with_header("header_quoted", ",".join(f'"{column}"' for column in _NAMES)),
    _with_header("header_quoted_in_part", HEADER.replace("total_views", '"total_views"')),
]

DRIFT: Final = [
    _extra("extra_column", "country", "CH", "country"),
    _extra("extra_column_in_padding", "  country\t", "CH", "country"),
    _extra("extra_columns_repeated", "tag,tag,tag", "a,b,c", "tag", "tag", "tag"),
    _extra("extra_column_nameless", "", "x", ""),
    _extra("extra_columns_nameless", ',, ,""', "1,2,3,4", "", "", "", ""),
    _extra("extra_column_with_nul_in_a_cell", "extra", "\x00\x01\x0b", "extra"),
    _extra("extra_column_with_nul_in_its_name", "ex\x00tra", "x", "ex\x00tra"),
    _extra("extra_column_in_other_case", "Video_ID,TOTAL_VIEWS", "x,y", "Video_ID", "TOTAL_VIEWS"),
    _extra("extra_column_of_two_lines", '"a\nb"', '"c\nd"', "a\nb"),
    _extra("extra_column_named_by_quotes", '""""', '""""', '"'),
    _extra("extra_column_of_html", "<b>,';--", "x,y", "<b>", "';--"),
    _extra("extra_column_no_break_space", "video\u00a0id", "x", "video\u00a0id"),
    _extra("extra_column_of_a_long_name", "n" * 20_000, "x", "n" * 20_000),
    _extra("extra_column_of_a_huge_cell", "blob", "x" * 300_000, "blob"),
    _extra(
        "extra_columns_by_the_hundred",
        ",".join(f"c{i}" for i in range(500)),
        "," * 499,
        *(f"c{i}" for i in range(500)),
    ),
    _extra(
        "extra_columns_named_as_internal_ones",
        _INTERNAL,
        "x" + "," * _INTERNAL.count(","),
        *_INTERNAL.split(","),
    ),
    accepted(
        "extra_column_first",
        f"extra,{HEADER}\nx,{good_line('extra_column_first')}\n",
        1,
        drift=("extra",),
        video_id="extra_column_first-1",
    ),
]

OPTIONAL: Final = [
    _without("likes_left_out", "total_likes"),
    _without("dislikes_left_out", "total_dislikes"),
    _without("likes_and_dislikes_left_out", "total_likes", "total_dislikes"),
    Case(
        "likes_left_out_and_views_too",
        b"video_id,channel_id,channel_name,channel_subscribers,description,date_created,date_updated\n",
        Expected("missing_column", ("total_views",)),
    ),
    _renamed("likes_renamed_and_a_column_missing", {"total_likes": "likes", "video_id": "id"}, ("video_id",)),
]

DUPLICATE: Final = [
    condemned("column_twice", "duplicate_column", f"{HEADER},total_views\n{good_line('column_twice')},100\n"),
    condemned("column_twice_by_trimming", "duplicate_column", f'{HEADER}," video_id\n"\n{good_line("trim")},x\n'),
    condemned("column_three_times", "duplicate_column", f"video_id,video_id,{HEADER}\na,b,{good_line('three')}\n"),
    condemned("header_twice_on_its_line", "duplicate_column", f"{HEADER},{HEADER}\n"),
    condemned("duplicate_beats_missing_column", "duplicate_column", "video_id,video_id\na,b\n"),
    condemned("duplicate_beats_no_rows", "duplicate_column", f"{HEADER},description\n"),
]

MISSING: Final = [
    _renamed("column_typo", {"video_id": "vidio_id"}, ("video_id",)),
    _renamed("column_upper_case", {"video_id": "VIDEO_ID"}, ("video_id",)),
    _renamed("column_with_a_blank", {"total_views": "total views"}, ("total_views",)),
    _renamed("column_with_a_dash", {"total_views": "total-views"}, ("total_views",)),
    _renamed("column_camel_case", {"channel_name": "channelName"}, ("channel_name",)),
    _renamed("column_fullwidth_underscore", {"channel_id": "channel\uff3fid"}, ("channel_id",)),
    _renamed("column_zero_width_space", {"channel_id": "channel\u200b_id"}, ("channel_id",)),
    _renamed("column_no_break_space", {"channel_id": "channel\u00a0id"}, ("channel_id",)),
    _renamed("column_cyrillic_letter", {"video_id": "vide\u043e_id"}, ("video_id",)),
    _renamed("column_with_nul", {"video_id": "video_id\x00"}, ("video_id",)),
    _renamed("column_vertical_tab", {"video_id": "video_id\x0b"}, ("video_id",)),
    _renamed("column_in_quotes_of_its_own", {"video_id": '"video_id"'}, ("video_id",)),
    _renamed("column_nameless", {"video_id": ""}, ("video_id",)),
    _renamed(
        "columns_swapped_for_others",
        {"date_updated": "updated_at", "description": "desc", "total_likes": "likes"},
        ("description", "date_updated"),
    ),
    _renamed("columns_all_upper_case", {column: column.upper() for column in _NAMES}, REQUIRED),
    Case(
        "column_left_out",
        f"{HEADER[9:]}\n{good_line('column_left_out').partition(',')[2]}\n".encode(),
        Expected("missing_column", ("video_id",)),
    ),
    Case("header_left_out", f"{good_line('header_left_out')}\n".encode(), Expected("missing_column", REQUIRED)),
    Case(
        "header_after_a_title",
        f"Statistics of May\n{HEADER}\n{good_line('header_after_a_title')}\n".encode(),
        Expected("missing_column", REQUIRED),
    ),
    Case("header_after_blanks", f"  \n{HEADER}\n".encode(), Expected("missing_column", REQUIRED)),
    Case("header_of_one_empty_cell", b'""\n', Expected("missing_column", REQUIRED)),
    Case("header_of_commas", b",,,\n,,,\n", Expected("missing_column", REQUIRED)),
    Case("header_alone_and_incomplete", b"video_id,channel_id\n", Expected("missing_column", REQUIRED[2:])),
    Case("not_a_csv_but_json", b'[{"video_id": 1}]\n', Expected("missing_column", REQUIRED)),
    Case("not_a_csv_but_html", b"<!doctype html>\n<p>503\n", Expected("missing_column", REQUIRED)),
    _separated("separated_by_semicolons", ";"),
    _separated("separated_by_tabs", "\t"),
    _separated("separated_by_pipes", "|"),
]

NO_ROWS: Final = [
    _no_rows("header_only", f"{HEADER}\n"),
    _no_rows("header_only_without_line_end", HEADER),
    _no_rows("header_only_with_bom", f"\ufeff{HEADER}\r\n"),
    _no_rows("header_and_empty_lines", f"\n{HEADER}\n\r\n\n"),
    _no_rows("header_only_with_drift", f"{HEADER},b,,a\n", "b", "", "a"),
]

CASES: Final = [*SPELLED, *DRIFT, *OPTIONAL, *DUPLICATE, *MISSING, *NO_ROWS]
