"""The validation of a snapshot: its bytes are read once; good rows and rejects are handed on as they are found."""

import codecs
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from fractions import Fraction

import polars as pl

from minidata.contract.content import (
    Kind,
    Stored,
    decode,
    decompress,
    kind_of,
    on_disk,
    read_text,
    refuse_blank,
    skip_lines,
    unzip,
)
from minidata.contract.header import Header, given_header, read_header
from minidata.contract.looks import Head, hints
from minidata.contract.numbers import NumberFormat
from minidata.contract.records import Records, for_typed_cells
from minidata.contract.rows import Rows
from minidata.contract.slices import Marks, Slice, slices, without_footer
from minidata.contract.verdict import (
    InvalidFileError,
    Limits,
    Reason,
    RejectEntry,
    Verdict,
    reason,
    with_hints,
)
from minidata.dataset import FORMATS, Dataset

_TOTAL = re.compile(r"(grand |sub)?(total|sum|summe|gesamt|somme|suma|totale)\b", re.IGNORECASE)
_TOTAL_HINT = "The last line looks like a total: `dialect: {footer_lines: 1}` leaves it out."
_TYPED = ("jsonl", "parquet", "xlsx")  # formats whose cells have types
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
    counting = _Counting(dataset, kind, arrived_at, limits.kept_records, good, rejects)
    stored = Stored(chunks)
    source = refuse_blank(stored)
    stages: list[Iterator[object]] = [source]
    head: Head | None = None
    if kind is not None and stored_size <= limits.max_file_bytes:
        unpacked = _unzipped(source) if kind.format == "zip" else source
        content = refuse_blank(decompress(unpacked, kind.compression, limits.max_file_bytes))
        head = Head(content)
        stages = [*_stages(head, kind, dataset, limits, counting), content, source]
    found: Reason | None = None
    for stage in stages:  # each draws the one after it, whose findings rank higher, and are looked for to the end
        try:
            deque(stage, maxlen=0)
        except InvalidFileError as error:
            found = error.reason
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
    if found and head and kind and kind.format not in _TYPED and found.code in _HINTED:
        found = with_hints(found, hints(head.data, key, dataset, datasets))
    if found or counting.header is None:
        return Verdict(size, sha256, found)
    return Verdict(
        size,
        sha256,
        counting.reason(limits.max_rejected_share),
        rows_good=counting.rows_good,
        rows_rejected=counting.rows_rejected,
        counts=dict(counting.counts),
        entries=counting.entries,
        drift=counting.header.drift,
    )


def _unzipped(source: Iterable[bytes]) -> Iterator[bytes]:
    with on_disk(source) as file:
        yield from unzip(file)


def _stages(
    content: Iterable[bytes], kind: Kind, dataset: Dataset, limits: Limits, counting: "_Counting"
) -> list[Iterator[object]]:
    """Return the steps from content to counted rows, each of which draws the next."""
    dialect = dataset.dialect
    if kind.format in _TYPED:
        records = Records(limits.max_file_bytes)
        if kind.format == "jsonl":
            text = records.json_lines(read_text(content), dataset.columns)
        else:
            text = _table(content, kind, records, dialect.skip_lines)
        cut = records.numbered(slices(text, limits.slice_bytes))
    else:
        text = read_text(content if dialect.is_utf8 else decode(content, dialect.encoding))
        marks = Marks("\t" if kind.format == "tsv" else dialect.delimiter, dialect.quote)
        cut = slices(skip_lines(text, dialect.skip_lines), limits.slice_bytes, marks, 1 + dialect.skip_lines)
    return [map(counting.add, without_footer(cut, dialect.footer_lines)), cut, text]


def _table(content: Iterable[bytes], kind: Kind, records: Records, skip_rows: int) -> Iterator[bytes]:
    with on_disk(content) as file:
        yield from records.parquet(file) if kind.format == "parquet" else records.workbook(file, skip_rows=skip_rows)


def _endings(formats: Iterable[str]) -> str:
    packed = [f".{name}" for name in formats if name in ("zip", "parquet", "xlsx")]
    text = [
        f".{name}{end}" for name in formats if name not in ("zip", "parquet", "xlsx") for end in ("", ".gz", ".zst")
    ]
    *most, last = [*text, *packed]
    return f"{', '.join(most)} or {last}" if most else last


class _Counting:
    """Hands on the rows of a file's slices, and counts them."""

    def __init__(
        self,
        dataset: Dataset,
        kind: Kind | None,
        arrived_at: datetime,
        kept: int,
        good: Callable[[pl.DataFrame], None],
        rejects: Callable[[bytes], object],
    ) -> None:
        self.header: Header | None = None
        self.rows_good = 0
        self.rows_rejected = 0
        self.counts: Counter[str] = Counter()
        self.entries: list[RejectEntry] = []
        self._dataset = dataset
        typed = kind is not None and kind.format in _TYPED
        self._columns = for_typed_cells(dataset.columns) if typed else dataset.columns
        self._numbers = NumberFormat() if typed else NumberFormat(dataset.dialect.decimal, dataset.dialect.thousands)
        self._arrived_at = arrived_at
        self._kept = kept
        self._good = good
        self._rejects = rejects
        self._rows: Rows | None = None
        self._last_cells: list[str] = []  # of the last record, if it is rejected
        encoding = dataset.dialect.encoding
        self._encode = None if dataset.dialect.is_utf8 else codecs.getincrementalencoder(encoding)().encode

    def add(self, slice_: Slice) -> None:
        """Take the next slice. The first record of the file is the header.

        Raises:
            InvalidFileError: `duplicate_column` or `missing_column`.
        """
        if not slice_.starts.size:
            return
        first = 0
        if self.header is None or self._rows is None:
            columns, dialect = self._columns, self._dataset.dialect
            if dialect.header is True:
                self.header = read_header(slice_.record(0), slice_.cells(0), columns)
                first = 1
            else:
                self.header = given_header(dialect.header or list(columns), columns, slice_.marks)
            numbers = self._numbers
            self._rows = Rows(columns, self.header, self._arrived_at, numbers, lines=self._dataset.by_arrival)
        frames, rejected = self._rows.split(slice_, first)
        if len(slice_.starts) > first:
            ends_with_reject = rejected and rejected[-1].entries[0].line == slice_.lines[-1]
            self._last_cells = slice_.cells(len(slice_.starts) - 1) if ends_with_reject else []
        for frame in frames:
            self.rows_good += len(frame)
            self._good(frame)
        if rejected:
            start = b"" if self.rows_rejected else self._rejects_start(self.header)
            lines = start + b"".join(record.line for record in rejected)
            self._rejects(self._encode(lines.decode()) if self._encode else lines)
        for record in rejected:
            if self.rows_rejected < self._kept:
                self.entries += record.entries
            self.rows_rejected += 1
            self.counts.update(entry.code for entry in record.entries)

    def _rejects_start(self, header: Header) -> bytes:
        """Return the start of the rejects file, which the dialect of the dataset can read again."""
        dialect = self._dataset.dialect
        return b"\n" * dialect.skip_lines + (header.raw + b"\n" if dialect.header is True else b"")

    def reason(self, max_rejected_share: float) -> Reason | None:
        """Return what makes the file invalid now that all of its rows are counted, if anything does."""
        rows = self.rows_good + self.rows_rejected
        if not rows:
            return reason("no_rows", "The file has a header but no rows.")
        if Fraction(self.rows_rejected, rows) > Fraction(str(max_rejected_share)):
            allowed = f"at most a share of {max_rejected_share} may be"
            what = f"{self.rows_rejected:,} of {rows:,} rows are rejected, and {allowed}."
            why = reason("too_many_rejected_rows", what)
            return with_hints(why, [_TOTAL_HINT]) if _TOTAL.match(" ".join(self._last_cells).strip()) else why
        return None
