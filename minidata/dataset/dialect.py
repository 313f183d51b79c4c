"""What a declaration can say of its files: how their text is written."""

import codecs
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from minidata.dataset.columns import Model

IGNORED = ["_SUCCESS", "*.crc", ".DS_Store", "~$*", "._*", "Thumbs.db"]
"""Names of objects that are no files: left-overs of Spark, Finder, Office and Windows."""

Format = Literal["csv", "tsv", "txt", "zip", "jsonl", "parquet", "xlsx"]
FORMATS = get_args(Format)
"""What a file may be: its name ends so; csv, tsv, txt and jsonl also with .gz or .zst.

A txt is read as a csv; a zip is a csv, tsv or txt packed.
"""


def _one_mark(mark: str) -> str:
    if len(mark) != 1 or not mark.isascii() or mark.isalnum() or mark in "\r\n\0":
        raise ValueError(f"`{mark}` must be one mark of ASCII, such as ; or a tab")
    return mark


def _known_encoding(name: str) -> str:
    try:
        codecs.lookup(name).incrementaldecoder  # noqa: B018  # raises if there is none
        "".encode(name)
    except LookupError:
        raise ValueError(f"`{name}` is no encoding of text; use a name such as utf-8, windows-1252 or utf-16") from None
    return name


Lines = Annotated[int, Field(ge=0, le=1000)]
Mark = Annotated[str, AfterValidator(_one_mark)]


class Dialect(Model):
    """How the files of a dataset are written; the default is that of docs/contract.md.

    Attributes:
        delimiter: between cells.
        quote: around cells that hold a delimiter, a quote or a line end; null if nothing is quoted.
        encoding: of the text, a name that Python knows.
        decimal: what separates the fraction of a number.
        thousands: what separates groups of three digits, if anything does.
        skip_lines: lines before the header, such as titles.
        header: whether the first line names the columns; without it, they are the declared ones in their order, or
            those of a list.
        footer_lines: lines at the end that are no rows, such as a total.
        sheet: of a workbook with the rows; the first one by default.
    """

    delimiter: Mark = ","
    quote: Mark | None = '"'
    encoding: Annotated[str, AfterValidator(_known_encoding)] = "utf-8"
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'", "_"] = ""
    skip_lines: Lines = 0
    header: bool | list[str] = True
    footer_lines: Lines = 0
    sheet: str | None = None

    @model_validator(mode="after")
    def _told_apart(self) -> "Dialect":
        if self.delimiter == self.quote:
            raise ValueError(f"`delimiter` and `quote` are both `{self.quote}`")
        if self.decimal == self.thousands:
            raise ValueError(f"`decimal` and `thousands` are both `{self.decimal}`")
        return self

    @property
    def is_utf8(self) -> bool:
        """Whether the text is UTF-8."""
        return codecs.lookup(self.encoding).name == "utf-8"
