"""The validation of a snapshot: its bytes are read once, and good rows and rejects are handed on as they come."""

import codecs
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import datetime

import polars as pl

from minidata.contract.codes import rank
from minidata.contract.compression import compression_of, decompress
from minidata.contract.header import read_header
from minidata.contract.sift import Sieve
from minidata.contract.slicer import Slicer
from minidata.contract.slices import Slice
from minidata.contract.source import Blankness, Source, pieces
from minidata.contract.tally import Tally
from minidata.contract.verdict import CondemnedError, Limits, Reason, Verdict, reason
from minidata.dataset import Dataset

_PIECE = 1 << 16  # bytes checked for UTF-8 at once


def validate(
    chunks: Iterable[bytes],
    *,
    key: str,
    stored_size: int,
    arrived_at: datetime,
    dataset: Dataset,
    limits: Limits,
    good: Callable[[pl.DataFrame], None],
    rejects: Callable[[bytes], None],
) -> Verdict:
    """Validate one file by the rules of the contract.

    Args:
        chunks: the stored bytes in order; always drawn to their end.
        key: of the object; its end tells the compression.
        stored_size: of the object, in bytes, as listed.
        arrived_at: when the object arrived; naive means UTC.
        dataset: whose columns the file must have.
        limits: of size and of rejected rows.
        good: takes frames of good rows, each at most about a slice: the declared columns in declared order, text as
            String, integers as Int64, timestamps as naive UTC Datetime("us"). What it took is void if the verdict
            condemns the file.
        rejects: takes the bytes of the rejects file as it grows; nothing if no row is rejected. Void likewise.

    Returns:
        The verdict. Only what the chunks or the two takers raise is raised.
    """
    source = Source(chunks)
    with ExitStack() as stack:
        reading = _Reading(dataset, arrived_at, good, rejects, limits, stack)
        found = _read(source, key, stored_size, limits, reading)
        source.drain()
        if found is None or found.code not in ("unsupported_file_type", "too_large"):
            if source.size > limits.max_file_bytes:
                found = _too_large(source.size, limits)
            elif source.blankness.holds:
                found = _empty()
        return reading.verdict(source, found)


def _read(source: Source, key: str, stored_size: int, limits: Limits, reading: "_Reading") -> Reason | None:
    """Read what must be read for the verdict; return the reason of the highest rank."""
    compression = compression_of(key)
    if compression is None:
        name = key.rsplit("/", 1)[-1]
        return reason("unsupported_file_type", f"The name {name} does not end in .csv, .csv.gz or .csv.zst.")
    if stored_size > limits.max_file_bytes:
        return _too_large(stored_size, limits)
    try:
        for content in decompress(source, compression, limits.max_file_bytes):
            for piece in pieces(content, _PIECE):
                reading.feed(piece)
        return reading.finish()
    except CondemnedError as error:
        return error.reason


def _too_large(size: int, limits: Limits) -> Reason:
    what = f"The file has {size:,} bytes, and the limit is {limits.max_file_bytes:,}."
    return reason("too_large", what)


def _empty() -> Reason:
    return reason("empty_file", "The file holds nothing but blanks and line ends.")


class _Reading:
    """The stages that the content of one file goes through, and what they found against it.

    A finding ends its own stage and all behind it; the stages before it, which find what ranks higher, go on.
    """

    def __init__(
        self,
        dataset: Dataset,
        arrived_at: datetime,
        good: Callable[[pl.DataFrame], None],
        rejects: Callable[[bytes], None],
        limits: Limits,
        stack: ExitStack,
    ) -> None:
        self._dataset = dataset
        self._arrived_at = arrived_at
        self._takers = good, rejects
        self._limits = limits
        self._stack = stack
        self._blankness = Blankness()
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._slicer = Slicer(limits.slice_bytes)
        self._tally: Tally | None = None
        self._drift: list[str] = []
        self._found: Reason | None = None

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the content."""
        self._blankness.feed(piece)
        if self._runs("not_utf8"):
            self._check_text(piece)
        if self._runs("not_csv"):
            self._cut(piece)

    def finish(self) -> Reason | None:
        """Return the reason of the highest rank, now that the content is over."""
        if self._blankness.holds:
            return _empty()
        if self._runs("not_utf8"):
            self._check_text(b"", final=True)
        if self._runs("not_csv"):
            self._cut(None)
        if self._tally and self._found is None:
            self._tally.settle()
            self._found = self._tally.reason(self._limits.max_rejected_share)
        return self._found

    def verdict(self, source: Source, found: Reason | None) -> Verdict:
        """Return the verdict; rows are told of only if all of them were judged."""
        tally = self._tally
        if tally is None or (found and rank(found.code) < rank("no_rows")):
            return Verdict(source.size, source.sha256, found)
        return Verdict(
            source.size,
            source.sha256,
            found,
            tally.rows_good,
            tally.rows_rejected,
            dict(tally.counts),
            tally.entries,
            self._drift,
        )

    def _runs(self, code: str) -> bool:
        """Whether the stage that finds this still runs."""
        return self._found is None or rank(self._found.code) > rank(code)

    def _check_text(self, piece: bytes, *, final: bool = False) -> None:
        try:
            self._decoder.decode(piece, final)
        except UnicodeDecodeError as error:
            place = ""
            if self._runs("not_csv"):
                line = self._slicer.line + error.object.count(b"\n", 0, error.start)
                place = f" on line {line}"
            byte = f" (byte 0x{error.object[error.start]:02X})"
            self._found = reason("not_utf8", f"The text{place} is not UTF-8{byte}.")

    def _cut(self, piece: bytes | None) -> None:
        try:
            slice_ = self._slicer.finish() if piece is None else self._slicer.feed(piece)
        except CondemnedError as error:
            self._found = error.reason
            return
        if slice_ is not None and self._found is None:
            self._take(slice_)

    def _take(self, slice_: Slice) -> None:
        if self._tally is not None:
            self._tally.add(slice_)
            return
        number = next((i for i, cells in enumerate(slice_.cells.tolist()) if cells), None)
        if number is None:
            return
        try:
            header = read_header(slice_.record(number), self._dataset.columns)
        except CondemnedError as error:
            self._found = error.reason
            return
        self._drift = header.drift
        sieve = Sieve(self._dataset, header, self._arrived_at)
        self._tally = self._stack.enter_context(Tally(sieve, header.raw, *self._takers))
        self._tally.add(slice_, number + 1)
