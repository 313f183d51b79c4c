"""Judges the slices of a file beside the reading of the next one, and keeps count."""

from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from fractions import Fraction
from types import TracebackType
from typing import Self

import numpy as np
import polars as pl

from minidata.contract.header import Header, read_header
from minidata.contract.rejects import rejects_header
from minidata.contract.sift import Sieve, Sifted
from minidata.contract.slices import Slice
from minidata.contract.verdict import KEPT_RECORDS, Reason, RejectEntry, reason
from minidata.dataset import Dataset

_SLICES_AHEAD = 2  # that wait or are sifted while the caller reads on


class Tally:
    """What is known of a file's header and rows. A slice is sifted in a thread while the caller reads on.

    Args:
        dataset: whose columns the file must have.
        arrived_at: when the file arrived; naive means UTC.
        good: takes typed frames of good rows; called in the caller's thread.
        rejects: takes the bytes of the rejects file; called in the caller's thread.
    """

    def __init__(
        self,
        dataset: Dataset,
        arrived_at: datetime,
        *,
        good: Callable[[pl.DataFrame], None],
        rejects: Callable[[bytes], None],
    ) -> None:
        self.header: Header | None = None
        self.rows_good = 0
        self.rows_rejected = 0
        self.counts: Counter[str] = Counter()
        self.entries: list[RejectEntry] = []
        self._dataset = dataset
        self._arrived_at = arrived_at
        self._good = good
        self._rejects = rejects
        self._rejects_header = b""  # until it is handed on
        self._sieve: Sieve | None = None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sift")
        self._sifting: deque[Future[Sifted]] = deque()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the thread; what it still finds is lost."""
        self._pool.shutdown(cancel_futures=True)

    def add(self, slice_: Slice) -> None:
        """Take the next slice; waits until few others are left. The file's first record is the header.

        Raises:
            CondemnedError: `duplicate_column` or `missing_column`.
        """
        present = np.flatnonzero(slice_.cells)
        if not present.size:
            return
        if self._sieve is None:
            self.header = read_header(slice_.record(present[0]), self._dataset.columns)
            self._sieve = Sieve(self._dataset, self.header, self._arrived_at)
            self._rejects_header = rejects_header(self.header.raw)
            present = present[1:]
        while len(self._sifting) >= _SLICES_AHEAD:
            self._count(self._sifting.popleft().result())
        self._sifting.append(self._pool.submit(self._sieve.sift, slice_, present))

    def settle(self) -> None:
        """Wait for the last slices, hand on what is in them and count it."""
        while self._sifting:
            self._count(self._sifting.popleft().result())

    def _count(self, sifted: Sifted) -> None:
        for frame in sifted.good:
            self.rows_good += len(frame)
            self._good(frame)
        if sifted.rejects:
            self._rejects(self._rejects_header + sifted.rejects)
            self._rejects_header = b""
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
            allowed = f"at most a share of {max_rejected_share} may be"
            what = f"{self.rows_rejected:,} of {rows:,} rows are rejected, and {allowed}."
            return reason("too_many_rejected_rows", what)
        return None
