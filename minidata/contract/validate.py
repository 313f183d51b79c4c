"""The validation of a snapshot: its bytes are read once; good rows and rejects are handed on as they are found."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import polars as pl

from minidata.contract.archived import on_disk, unzip
from minidata.contract.content import (
    Kind,
    Stored,
    decode,
    decompress,
    kind_of,
    read_text,
    refuse_blank,
    skip_lines,
)
from minidata.contract.counting import Counting
from minidata.contract.looks import Head, hints
from minidata.contract.records import TYPED, Records
from minidata.contract.slices import Marks, Slice, slices, without_footer
from minidata.contract.verdict import Budget, InvalidFileError, Limits, Reason, Verdict, reason, with_hints
from minidata.dataset import FORMATS, Dataset

_HINTED = ("not_utf8", "wrong_encoding", "not_csv", "duplicate_column", "missing_column")  # what a look may explain


def validate(
    chunks: Iterable[bytes],
    *,
    key: str,
    stored_size: int,
    arrived_at: datetime,
    dataset: Dataset,
    limits: Limits,
    good: Callable[[pl.DataFrame], None],
    rejects: Callable[[bytes], object],
    datasets: Iterable[Dataset] = (),
) -> Verdict:
    """Validate one file by the rules of the contract.

    Args:
        chunks: the stored bytes in order; always read to the end.
        key: of the object; its ending tells the compression.
        stored_size: of the object, in bytes, as listed.
        arrived_at: when the object arrived; naive means UTC.
        dataset: whose columns the file must have.
        limits: of size and of rejected rows.
        good: takes frames of good rows, each at most about a slice: the declared columns in declared order, text as
            String, integers as Int64, timestamps as naive UTC Datetime("us"); then the line of each row, if a table
            of the dataset depends on the order of arrival. Void if the verdict has a reason.
        rejects: takes the bytes of the rejects file as it grows; nothing if no row is rejected. Void likewise.
        datasets: all declared ones, to tell which of them a refused file would fit.

    Returns:
        The verdict. Only what the chunks, `good` or `rejects` raise is raised.
    """
    kind = kind_of(key, dataset.formats)
    counting = Counting(dataset, kind, arrived_at, limits, good, rejects)
    budget = limits.decompressed(stored_size)
    stored = Stored(chunks)
    source = refuse_blank(stored)
    stages: list[Iterator[object]] = [source]
    head: Head | None = None
    if kind is not None and stored_size <= limits.max_file_bytes:
        unpacked = _unzipped(source) if kind.format == "zip" else source
        content = refuse_blank(decompress(unpacked, kind.compression, budget, limits.max_file_seconds))
        head = Head(content)
        cut, text = _records(head, kind, dataset, limits.slice_bytes, budget)
        stages = [map(counting.add, cut), cut, text, content, source]
    found: Reason | None = None
    for stage in stages:  # each draws the one after it, whose findings rank higher, and are looked for to the end
        try:
            deque(stage, maxlen=0)
        except InvalidFileError as error:
            found = found if found and error.reason.code == "took_too_long" else error.reason
    size, sha256 = stored.size, stored.hash.hexdigest()
    if kind is None:
        name = key.rsplit("/", 1)[-1]
        found = reason("unsupported_file_type", f"The name {name} does not end in {_endings(dataset.formats)}.")
        if other := kind_of(key, FORMATS):
            formats = ", ".join((*dataset.formats, other.format))
            found = with_hints(found, [f"`formats: [{formats}]` in datasets/{dataset.name}/dataset.yaml takes it."])
    elif (largest := max(size, stored_size)) > limits.max_file_bytes:
        what = f"The file has {largest:,} bytes, and the limit is {limits.max_file_bytes:,}."
        found = reason("too_large", what)
    if counting.header is None:
        found = found or reason("no_rows", "The file has no line but those that its dialect leaves out.")
    if found and head and kind and kind.format not in TYPED and found.code in _HINTED:
        found = with_hints(found, hints(head.data, key, dataset, datasets))
    if found or counting.header is None:
        return Verdict(size, sha256, found)
    return Verdict(
        size,
        sha256,
        counting.reason(),
        rows_good=counting.rows_good,
        rows_rejected=counting.rows_rejected,
        counts=dict(counting.counts),
        entries=counting.entries,
        drift=counting.header.drift,
    )


def _unzipped(source: Iterable[bytes]) -> Iterator[bytes]:
    with on_disk(source) as file:
        yield from unzip(file)


def _records(
    content: Iterable[bytes], kind: Kind, dataset: Dataset, slice_bytes: int, budget: Budget
) -> tuple[Iterator[Slice], Iterator[bytes]]:
    """Return the records of the content without its footer, and its text, which they are drawn from."""
    if kind.format not in TYPED:
        return cut_text(content, kind, dataset, slice_bytes)
    records, dialect = Records(budget), dataset.dialect
    if kind.format == "jsonl":
        text = records.json_lines(read_text(content), dataset.columns)
    else:
        text = _table(content, kind, records, dataset)
    return without_footer(records.numbered(slices(text, slice_bytes)), dialect.footer_lines), text


def cut_text(
    content: Iterable[bytes], kind: Kind, dataset: Dataset, slice_bytes: int
) -> tuple[Iterator[Slice], Iterator[bytes]]:
    """Return the records of a text without its footer, and the text that they are drawn from."""
    dialect = dataset.dialect
    text = read_text(content if dialect.is_utf8 else decode(content, dialect.encoding))
    marks = Marks("\t" if kind.format == "tsv" else dialect.delimiter, dialect.quote)
    cut = slices(skip_lines(text, dialect.skip_lines), slice_bytes, marks, 1 + dialect.skip_lines)
    return without_footer(cut, dialect.footer_lines), text


def _table(content: Iterable[bytes], kind: Kind, records: Records, dataset: Dataset) -> Iterator[bytes]:
    header, skip_rows = dataset.dialect.header, dataset.dialect.skip_lines
    width = 0 if header is True else len(header or dataset.columns)
    with on_disk(content) as file:
        if kind.format == "parquet":
            yield from records.parquet(file)
        else:
            yield from records.workbook(file, dataset.dialect.sheet, skip_rows=skip_rows, width=width)


def _endings(formats: Iterable[str]) -> str:
    packed = [f".{name}" for name in formats if name in ("zip", "parquet", "xlsx")]
    text = [
        f".{name}{end}" for name in formats if name not in ("zip", "parquet", "xlsx") for end in ("", ".gz", ".zst")
    ]
    *most, last = [*text, *packed]
    return f"{', '.join(most)} or {last}" if most else last
