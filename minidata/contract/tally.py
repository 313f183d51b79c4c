"""Judges the slices of a file beside the reading of the next one, and keeps count."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from types import TracebackType
from typing import Self

import polars as pl

from minidata.contract.rejects import rejects_header
from minidata.contract.sift import Sieve, Sifted
from minidata.contract.slices import Slice
from minidata.contract.verdict import KEPT_RECORDS, Reason, RejectEntry, reason


class Tally:
    """What is known of a file's rows. A slice is sifted in a thread while the caller reads on.

    Args:
        sieve: sifts the slices.
        header: the header's record as it stands in the file.
        good: takes typed frames of good rows; called in the caller's thread.
        rejects: takes the bytes of the rejects file; called in the caller's thread.
    """

    def __init__(
        self,
        sieve: Sieve,
        header: bytes,
        good: Callable[[pl.DataFrame], None],
        rejects: Callable[[bytes], None],
    ) -> None:
        self.rows_good = 0
        self.rows_rejected = 0
        self.counts: Counter[str] = Counter()
        self.entries: list[RejectEntry] = []
        self._sieve = sieve
        self._header = header
        self._good = good
        self._rejects = rejects
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sift")
        self._sifting: Future[Sifted] | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the thread; what it still finds is lost."""
        self._pool.shutdown(cancel_futures=True)

    def add(self, slice_: Slice, skip: int = 0) -> None:
        """Take the next slice, leaving out its first records; waits for the slice before."""
        self.settle()
        self._sifting = self._pool.submit(self._sieve.sift, slice_, skip)

    def settle(self) -> None:
        """Wait for the last slice, hand on what is in it and count it."""
        if self._sifting is None:
            return
        sifted = self._sifting.result()
        self._sifting = None
        for frame in sifted.good:
            self.rows_good += len(frame)
            self._good(frame)
        if sifted.rejects:
            self._rejects(
                sifted.rejects if self.rows_rejected else rejects_header(self._header) + sifted.rejects
            )
        for entries in sifted.entries[: max(KEPT_RECORDS - self.rows_rejected, 0)]:
            self.entries += entries
        self.rows_rejected += sifted.rejected
        self.counts += sifted.counts

    def reason(self, max_rejected_share: float) -> Reason | None:
        """Return what condemns the file after all of its rows were judged, if anything does."""
        rows = self.rows_good + self.rows_rejected
        if not rows:
            return reason("no_rows", "The file has a header but no rows.")
        if Fraction(self.rows_rejected, rows) > Fraction(str(max_rejected_share)):
            what = f"{self.rows_rejected:,} of {rows:,} rows are rejected, and a share of {max_rejected_share} may be."
            return reason("too_many_rejected_rows", what)
        return None
