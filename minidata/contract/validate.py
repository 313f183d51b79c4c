"""The validation of a snapshot: its bytes are read once, and good rows and rejects are handed on as they come."""

from collections.abc import Callable, Iterable
from datetime import datetime

import polars as pl

from minidata.contract.codes import rank
from minidata.contract.compression import compression_of, decompress
from minidata.contract.reading import Reading, empty_file
from minidata.contract.source import Source, pieces
from minidata.contract.tally import Tally
from minidata.contract.verdict import CondemnedError, Limits, Reason, Verdict, reason
from minidata.dataset import Dataset

_PIECE = 1 << 16  # bytes of content handled at once; a slice ends with one of them


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
    with Tally(dataset, arrived_at, good=good, rejects=rejects) as tally:
        found = _too_large(stored_size, limits)
        compression = compression_of(key)
        if compression is None:
            name = key.rsplit("/", 1)[-1]
            found = reason("unsupported_file_type", f"The name {name} does not end in .csv, .csv.gz or .csv.zst.")
        elif found is None:
            found = _read(source, compression, limits, Reading(tally, limits))
        source.drain()
    if found is None or rank(found.code) > rank("too_large"):
        found = _too_large(source.size, limits) or (empty_file() if source.blankness.holds else found)
    if tally.header is None or (found and rank(found.code) < rank("no_rows")):
        return Verdict(source.size, source.sha256, found)
    return Verdict(
        source.size,
        source.sha256,
        found,
        rows_good=tally.rows_good,
        rows_rejected=tally.rows_rejected,
        counts=dict(tally.counts),
        entries=tally.entries,
        drift=tally.header.drift,
    )


def _read(source: Source, compression: str, limits: Limits, reading: Reading) -> Reason | None:
    try:
        for content in decompress(source, compression, limits.max_file_bytes):
            for piece in pieces(content, max(min(_PIECE, limits.slice_bytes // 8), 1)):
                reading.feed(piece)
    except CondemnedError as error:
        return error.reason
    return reading.finish()


def _too_large(size: int, limits: Limits) -> Reason | None:
    if size <= limits.max_file_bytes:
        return None
    return reason("too_large", f"The file has {size:,} bytes, and the limit is {limits.max_file_bytes:,}.")
