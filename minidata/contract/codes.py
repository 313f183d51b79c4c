"""The reason codes of the contract, each with what it says and how to mend it, in words for a person."""

from typing import Final, NamedTuple


class Description(NamedTuple):
    """A reason code in words: `says` what is wrong, `mend` what to do about it."""

    code: str
    says: str
    mend: str


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
        "empty_file",
        "The file holds nothing but blanks and line ends.",
        "Upload it again with a header and rows; an upload that was cut off looks like this.",
    ),
    Description(
        "bad_compression",
        "The compressed data is broken, cut off, or followed by other bytes.",
        "Compress the snapshot again and test it with `gzip -t` or `zstd -t` before the upload.",
    ),
    Description(
        "not_utf8",
        "The text is not UTF-8.",
        "Save the snapshot as UTF-8; in a spreadsheet choose “CSV UTF-8”.",
    ),
    Description(
        "not_csv",
        "The quotes or line ends are not those of a CSV.",
        'Write a cell with a comma, a quote or a line end as "…", each quote in it doubled; end lines with LF or CRLF.',
    ),
    Description(
        "duplicate_column",
        "The header names a column of the dataset more than once.",
        "Keep each of these columns once, or rename the others.",
    ),
    Description(
        "missing_column",
        "The header lacks a column of the dataset.",
        "Name every column in the first line exactly as the dataset does, letter by letter.",
    ),
    Description(
        "no_rows",
        "The file has a header but no rows.",
        "Upload it again with rows; an upload that was cut off looks like this.",
    ),
    Description(
        "too_many_rejected_rows",
        "More of the rows are rejected than MDP_MAX_REJECTED_SHARE allows.",
        "Mend the rejected rows, listed with line, column, code and value, and upload the file again.",
    ),
)
"""What condemns a whole file, in the order in which it is looked for: the first one that holds is the reason."""

ROW_CODES: Final = (
    Description(
        "wrong_cell_count",
        "The row has more or fewer cells than the header.",
        "Write as many cells as the header has, and quote cells that hold a comma.",
    ),
    Description("missing_value", "The cell is empty.", "Fill it in; this column must not be empty."),
    Description("too_long", "The text is longer than its column allows.", "Shorten the text."),
    Description("negative", "The number is below zero.", "Write a number from 0 on."),
    Description("out_of_range", "The number is beyond 2^63-1.", "Write a number up to 9223372036854775807."),
    Description(
        "not_an_integer",
        "The cell is no whole number.",
        "Write digits 0 to 9 alone: no sign, separator, point or exponent.",
    ),
    Description(
        "not_a_timestamp",
        "The cell is no date and time.",
        "Write it like 2026-11-23 18:30:00 (UTC) or 2026-11-23T20:30:00+02:00.",
    ),
    Description(
        "future_timestamp",
        "The time is later than the file's arrival allows.",
        "Check the clock and the time zone of the program that writes the file.",
    ),
    Description(
        "updated_before_created",
        "The time lies before the one that it must not precede.",
        "Check which of the two times is wrong; they may be swapped.",
    ),
    Description(
        "control_character",
        "The cell holds a control character.",
        "Remove the character: of U+0000 to U+001F only tab, LF and CR may stand in a cell.",
    ),
)
"""What rejects a single row."""

_BY_CODE: Final = {description.code: description for description in (*FILE_CODES, *ROW_CODES)}
_RANKS: Final = {description.code: rank for rank, description in enumerate(FILE_CODES)}


def describe(code: str) -> Description:
    """Return a reason code in words.

    Raises:
        KeyError: if there is no such code.

    >>> describe("negative").mend
    'Write a number from 0 on.'
    """
    return _BY_CODE[code]


def rank(code: str) -> int:
    """Return the place of a file's reason in the order of the contract: the lowest that holds is the verdict."""
    return _RANKS[code]
