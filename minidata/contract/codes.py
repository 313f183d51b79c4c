"""The reason codes: what is wrong with a file or a row, each with its fix."""

from typing import Final, NamedTuple


class Description(NamedTuple):
    """A reason code in words: `says` what is wrong, and the `fix`."""

    code: str
    says: str
    fix: str


FILE_CODES: Final = (
    Description(
        "unsupported_file_type",
        "The name of the file does not end in .csv, .csv.gz or .csv.zst.",
        "Upload the snapshot under a name with one of these endings.",
    ),
    Description(
        "too_large",
        "The file is larger than MDP_MAX_FILE_BYTES, as stored or decompressed.",
        "Split the snapshot into smaller files, each with the header, or raise MDP_MAX_FILE_BYTES.",
    ),
    Description(
        "too_compressed",
        "The file decompresses to more than MDP_MAX_COMPRESSION_RATIO times its size.",
        "Upload it uncompressed, or raise MDP_MAX_COMPRESSION_RATIO.",
    ),
    Description(
        "empty_file",
        "The file contains only blanks and line ends.",
        "Upload it again with a header and rows; an upload that was cut off looks like this.",
    ),
    Description(
        "bad_compression",
        "The compressed data is broken, cut off, or followed by other bytes.",
        "Compress the snapshot again and test it with `gzip -t` or `zstd -t` before the upload.",
    ),
    Description(
        "unreadable_file",
        "The file is broken, or of another format than its name says.",
        "Write it again, and open it with another program before the upload.",
    ),
    Description(
        "not_utf8",
        "The text is not UTF-8.",
        "Save the snapshot as UTF-8; in a spreadsheet, choose “CSV UTF-8”.",
    ),
    Description(
        "wrong_encoding",
        "The text is not in the encoding that the dataset declares.",
        "Save the file in that encoding, or correct `encoding` in the dataset's `dialect`.",
    ),
    Description(
        "not_csv",
        "The quotes or line ends are not valid CSV.",
        'Write a cell with a comma, a quote or a line end as "…", each quote in it doubled; end lines with LF or CRLF.',
    ),
    Description(
        "too_many_columns",
        "The file has more columns than MDP_MAX_COLUMNS.",
        "Write only the columns of the dataset, or raise MDP_MAX_COLUMNS.",
    ),
    Description(
        "duplicate_column",
        "The header names a column of the dataset more than once.",
        "Keep each of these columns once, or rename the others.",
    ),
    Description(
        "missing_column",
        "The header lacks a column of the dataset.",
        "Name every column in the first line exactly as the dataset does.",
    ),
    Description(
        "no_rows",
        "The file has a header but no rows.",
        "Upload it again with rows; an upload that was cut off looks like this.",
    ),
    Description(
        "too_many_rejected_rows",
        "More of the rows are rejected than MDP_MAX_REJECTED_SHARE allows.",
        "Fix the rejected rows, listed with line, column, code and value, and upload the file again.",
    ),
    Description(
        "rejects_over_limit",
        "More rows are rejected than MDP_MAX_REJECTED_ROWS, or they have more bytes than MDP_MAX_REJECTS_BYTES.",
        "Fix the rejected rows, of which the first are listed, and upload the file again, or raise the limit.",
    ),
    Description(
        "took_too_long",
        "Validation took more processor time than MDP_MAX_FILE_SECONDS.",
        "Split the snapshot into smaller files, each with the header, or raise MDP_MAX_FILE_SECONDS.",
    ),
)
"""What makes a whole file invalid, in order: the first one that holds is the reason."""

ROW_CODES: Final = (
    Description(
        "wrong_cell_count",
        "The row has more or fewer cells than the header.",
        "Write as many cells as the header has, and quote cells that hold a comma.",
    ),
    Description("not_json", "The line is no JSON object.", 'Write one object on each line, such as {"id": 1}.'),
    Description("missing_value", "The cell is empty.", "Fill it in; this column must not be empty."),
    Description("too_short", "The text is shorter than its column allows.", "Write the whole text."),
    Description("too_long", "The text is longer than its column allows.", "Shorten the text."),
    Description(
        "not_allowed", "The value is none of those that its column allows.", "Write one of the values in `one_of`."
    ),
    Description(
        "wrong_pattern", "The text does not have the form of its column.", "Write it as the column's `pattern` says."
    ),
    Description("negative", "The number is below zero.", "Write 0 or a greater number."),
    Description(
        "out_of_range",
        "The number is outside the range of its column.",
        "Write a number within the column's limits; without limits, the largest integer is 9223372036854775807.",
    ),
    Description(
        "not_an_integer",
        "The cell is not a whole number.",
        "Use only the digits 0 to 9: no sign, separator, point or exponent.",
    ),
    Description(
        "not_a_decimal",
        "The cell is not a number.",
        "Use the digits 0 to 9 and one decimal separator: no currency, percent sign or exponent.",
    ),
    Description(
        "too_precise",
        "The number has more digits after the decimal separator than its column.",
        "Round the number, or raise the column's `scale`.",
    ),
    Description(
        "not_a_boolean",
        "The cell is neither true nor false.",
        "Write true or false, or one of the words that the column declares.",
    ),
    Description(
        "not_a_date", "The cell is not a date.", "Write it in one of the column's `formats`, such as 2026-11-23."
    ),
    Description(
        "not_a_timestamp",
        "The cell is not a date and time.",
        "Write it like 2026-11-23 18:30:00 (UTC) or 2026-11-23T20:30:00+02:00.",
    ),
    Description(
        "nonexistent_time",
        "The time does not exist in the column's time zone: the clocks skipped it.",
        "Check the time zone, or write the time with its offset, such as +02:00.",
    ),
    Description(
        "future_timestamp",
        "The time is later than the file's arrival allows.",
        "Check the clock and the time zone of the program that writes the file.",
    ),
    Description(
        "updated_before_created",
        "The time is before the one that it must not precede.",
        "Check which of the two times is wrong; they may be swapped.",
    ),
    Description(
        "control_character",
        "The cell holds a control character.",
        "Remove the character: a cell may hold only tab, LF and CR of U+0000 to U+001F.",
    ),
)
"""What rejects a single row."""

_BY_CODE: Final = {description.code: description for description in (*FILE_CODES, *ROW_CODES)}


def describe(code: str) -> Description:
    """Return a reason code in words.

    Raises:
        KeyError: if there is no such code.

    >>> describe("negative").fix
    'Write 0 or a greater number.'
    """
    return _BY_CODE[code]
